"""Recognises a source that was added before and lies elsewhere now, by what is in its pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from steamdino.errors import PictureError
from steamdino.gallery import Gallery
from steamdino.records import Entry, Problem
from steamdino.storage.location import LocalFile

SAMPLE = 40
"""Pictures that are looked at."""

MOST = 0.5
"""Share of them above which a source is recognised."""


def recognised(gallery: Gallery, found: Sequence[Entry | Problem]) -> tuple[Path, Path] | None:
    """Return where a source was and where it is now, if most pictures are those of one whose own files are gone.

    Args:
        gallery: open.
        found: what is in a place from which nothing was added before.

    Returns:
        the former and the new place of the source; None if none is recognised, or its files are still there.
    """
    files = [
        one.location.path for one in found if isinstance(one, Entry) and one.location and one.location.path
    ]
    some = files[:: -(-len(files) // SAMPLE) or 1]
    moves: Counter[tuple[Path, Path]] = Counter()
    for path in some:
        moves.update(_moves(gallery, path))
    return next((move for move, count in moves.most_common(1) if count > MOST * len(some)), None)


def _moves(gallery: Gallery, path: Path) -> set[tuple[Path, Path]]:
    """From where to where sources may have moved, so that a picture is one that was added from there."""
    try:
        sha256 = LocalFile(path).read().sha256
    except PictureError:
        return set()
    moves = set()
    for origin, source, is_file in gallery.games.added_from(sha256):
        top = source.parent if is_file else source
        if origin.exists() or not origin.is_relative_to(top):
            continue
        inner = origin.relative_to(top).parts
        if path.parts[-len(inner) :] == inner:
            now = Path(*path.parts[: -len(inner)])
            moves.add((source, now / source.name if is_file else now))
    return moves
