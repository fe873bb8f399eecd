"""Keeps pictures in the gallery's own folder, named by their content."""

from __future__ import annotations

from pathlib import Path

from steamdino.errors import GalleryError
from steamdino.formats import suffix_of
from steamdino.gallery.atomic import replacing
from steamdino.gallery.layout import copy_path
from steamdino.records import Banner


def keep(root: Path, banner: Banner, data: bytes, done: str) -> Path:
    """Writes a picture's bytes into the gallery at `root`, if they are not there yet; returns the file.

    `done` is what the error says of the pictures before it: "added", "fetched".

    Raises:
        GalleryError: it cannot be written.
    """
    target = root / copy_path(banner.sha256, suffix_of(banner.format, banner.path.suffix))
    if target.exists():
        return target
    try:
        with replacing(target) as file:
            file.write(data)
    except OSError as error:
        raise GalleryError(
            f"{target} cannot be written: {error.strerror}; what was {done} before is kept"
        ) from None
    return target
