"""Read a folder of pictures: each picture is a game, whose id is the path in the folder without the suffix."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from steamdino.catalogue.ids import refusal
from steamdino.errors import UsageError
from steamdino.gallery.layout import BANNERS, DATABASE, SNAPSHOTS
from steamdino.picture_formats import SUFFIXES
from steamdino.records import Entry, Problem
from steamdino.storage.location import LocalFile


def scan(root: Path, *, by_name: bool = False, prefix: str = "") -> Iterator[Entry | Problem]:
    """Scan a folder in the order of its paths.

    Hidden files and folders, files without a picture's suffix, and galleries (whose copied pictures are not games of
    their own) are skipped. Links to folders are not followed, since they may form a loop.

    Args:
        root: the folder. If it is a gallery itself, only the gallery's own files in it are skipped.
        by_name: use the file name alone as the id, not the path in the folder.
        prefix: put before each id.

    Yields:
        an Entry for each picture, a Problem for each path that cannot be used or listed.

    Raises:
        UsageError: the folder does not exist.
    """
    if not root.is_dir():
        raise UsageError(f"{root} is not a folder; name a folder of pictures or a table")
    taken: dict[str, str] = {}
    for found in _walk(root, _own_folders(root)):
        if isinstance(found, Problem):
            # Places are relative: reports are shared, and must not reveal paths of this machine.
            yield replace(found, where=printable(Path(found.where).relative_to(root).as_posix()))
            continue
        where = found.relative_to(root).as_posix()
        game_id = prefix + (found.stem if by_name else where[: -len(found.suffix)])
        if reason := refusal(game_id):
            # Such an id never named a game, so no known game can be affected.
            yield Problem(printable(where), reason, printable(game_id))
        elif game_id in taken:
            yield Problem(
                where, f"its id {game_id!r} is already used by {taken[game_id]}; rename one", game_id
            )
        elif found.is_dir():
            yield Problem(where, "it is a folder with a picture's suffix", game_id)
        else:
            taken[game_id] = where
            yield Entry(game_id, Path(where).stem, LocalFile(found.absolute()), where)


def _own_folders(folder: Path) -> frozenset[str]:
    return frozenset((BANNERS, SNAPSHOTS)) if (folder / DATABASE).is_file() else frozenset()


def _walk(folder: Path, skip: frozenset[str]) -> Iterator[Path | Problem]:
    try:
        with os.scandir(folder) as listing:
            children = sorted(listing, key=lambda child: child.name)
    except OSError as error:
        yield Problem(str(folder), f"the folder cannot be listed: {error.strerror}")
        return
    for child in children:
        path = folder / child.name
        is_picture = path.suffix.lower() in SUFFIXES
        if child.name.startswith("."):
            continue
        if child.is_dir(follow_symlinks=False):
            if child.name in skip or (path / DATABASE).is_file():
                continue
            if is_picture:
                yield path
            yield from _walk(path, frozenset())
        elif is_picture:
            yield path


def printable(text: str) -> str:
    """Return a path that can be shown and stored even if its bytes are not UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
