"""Games and sources leave, and what nobody uses gives its disk space back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from steamdino.errors import UsageError
from steamdino.gallery import Gallery
from steamdino.gallery.layout import BANNERS
from steamdino.index.write import prune as prune_snapshots
from steamdino.index.write import remove_leftovers


@dataclass(frozen=True, slots=True)
class PruneSummary:
    """What a pruning came to.

    Attributes:
        games: that had gone, deleted because it was asked for.
        vectors: of pictures that no game shows.
        copies: pictures in the gallery's own folder that no game uses.
        freed: bytes on disk.
    """

    games: int
    vectors: int
    copies: int
    freed: int


def remove(gallery: str | Path, game_ids: Iterable[str] = (), *, source: str | None = None) -> int:
    """Deletes games, or a whole source with all its games, from a gallery; pictures outside it are never touched.

    All or nothing: an unknown id or name changes nothing.

    Args:
        gallery: its folder.
        game_ids: the games' ids.
        source: a source's name.

    Returns:
        how many games were deleted.

    Raises:
        UsageError: an id or the source does not exist, or neither was given.
    """
    ids = list(dict.fromkeys(game_ids))
    if not ids and source is None:
        raise UsageError("nothing to remove; name ids, or a source with --source")
    with Gallery.write(gallery, "remove") as opened, opened.transaction():
        removed = 0
        if source is not None:
            found = opened.games.remove_source(source)
            if found is None:
                known = ", ".join(s.name for s in opened.report().sources) or "none"
                raise UsageError(f"there is no source {source!r}; there are: {known}")
            removed += found
        if unknown := opened.games.remove(ids):
            raise UsageError(
                f"there is no game {unknown[0]!r}; nothing was removed. Ids are shown by: similar"
            )
        return removed + len(ids)


def prune(gallery: str | Path, *, gone: bool = False) -> PruneSummary:
    """Deletes what nobody uses: vectors and copies of pictures that no game shows, old snapshots, leftovers of kills.

    Args:
        gallery: its folder.
        gone: delete also the games that their sources no longer have.
    """
    with Gallery.write(gallery, "prune") as opened:
        before = sum(opened.report().sizes.values())
        with opened.transaction():
            games = opened.games.remove_gone() if gone else 0
            vectors = opened.vectors.drop_unused()
        # Copies go only after the rows that named them are gone for good.
        used = opened.games.copies()
        files = [path for path in (opened.root / BANNERS).glob("*/*") if path.is_file()]
        unused = [path for path in files if path not in used]
        for path in unused:
            path.unlink()
        for folder in opened.snapshots.glob("*/"):
            remove_leftovers(folder)
            prune_snapshots(folder, kept=1)
        opened.compact()
        after = sum(opened.report().sizes.values())
        return PruneSummary(games, vectors, len(unused), before - after)
