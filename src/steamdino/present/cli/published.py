"""A published gallery on the command line: a bar while it is downloaded."""

from __future__ import annotations

from pathlib import Path


def local_folder(gallery: Path | str) -> Path:
    """Return the folder that holds a gallery's snapshots; of a published one, after what is newer was downloaded.

    Raises:
        SnapshotError, NetworkError, GalleryError: as `PublishedCache.update`.
    """
    if isinstance(gallery, Path):
        return gallery
    from steamdino.index.published_cache import PublishedCache
    from steamdino.present.cli.progress import bar

    cache = PublishedCache(gallery)
    with bar("Downloading", "MB") as report:
        cache.update(lambda done, total: report(done // 1_000_000, total // 1_000_000))
    return cache.folder
