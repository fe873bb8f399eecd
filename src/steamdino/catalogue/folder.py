"""Read a folder of pictures: each picture is a game, whose id is the path in the folder without the suffix."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from steamdino.catalogue.ids import refusal
from steamdino.catalogue.skipping import Patterns, Skipped
from steamdino.errors import UsageError
from steamdino.gallery.layout import BANNERS, DATABASE, SNAPSHOTS
from steamdino.picture_formats import SUFFIXES
from steamdino.records import Entry, Problem
from steamdino.storage.location import LocalFile


def scan(
    root: Path,
    *,
    by_name: bool = False,
    prefix: str = "",
    exclude: Sequence[str] = (),
    skipped: Skipped | None = None,
) -> Iterator[Entry | Problem]:
    """Scan a folder in the order of its paths.

    Hidden files and folders, junk of other programs, files without a picture's suffix, what patterns exclude, and
    galleries (whose copied pictures are not games of their own) are skipped. Links to folders are not followed, since
    they may form a loop.

    Args:
        root: the folder. If it is a gallery itself, only the gallery's own files in it are skipped.
        by_name: use the file name alone as the id, not the path in the folder.
        prefix: put before each id.
        exclude: patterns in the syntax of .gitignore; those in files of the name `skipping.IGNORE_FILE` hold as well.
        skipped: where to count what is skipped.

    Yields:
        an Entry for each picture, a Problem for each path that cannot be used or listed. Two may have the same
        id, which `picture_ids.settled` tells apart.

    Raises:
        UsageError: the folder does not exist, or a pattern cannot be understood.
    """
    if not root.is_dir():
        raise UsageError(f"{root} is not a folder; name a folder of pictures or a table")
    patterns = Patterns.given(root, exclude)
    for found in _walk(root, _own_folders(root), patterns, Skipped() if skipped is None else skipped):
        if isinstance(found, Problem):
            # Places are relative: reports are shared, and must not reveal paths of this machine.
            yield replace(found, where=printable(Path(found.where).relative_to(root).as_posix()))
            continue
        where = found.relative_to(root).as_posix()
        game_id = prefix + (found.stem if by_name else where[: -len(found.suffix)])
        if reason := refusal(game_id):
            # Such an id never named a game, so no known game can be affected.
            yield Problem(printable(where), reason, printable(game_id))
        elif found.is_dir():
            yield Problem(where, "it is a folder with a picture's suffix", game_id)
        else:
            yield Entry(game_id, Path(where).stem, LocalFile(found.absolute()), where)


def _own_folders(folder: Path) -> frozenset[str]:
    return frozenset((BANNERS, SNAPSHOTS)) if (folder / DATABASE).is_file() else frozenset()


def _walk(
    folder: Path, skip: frozenset[str], patterns: Patterns, skipped: Skipped
) -> Iterator[Path | Problem]:
    try:
        with os.scandir(folder) as listing:
            children = sorted(listing, key=lambda child: child.name)
    except OSError as error:
        yield Problem(str(folder), f"the folder cannot be listed: {error.strerror}")
        return
    patterns = patterns.below(folder)
    for child in children:
        path = folder / child.name
        is_picture = path.suffix.lower() in SUFFIXES
        if child.name.startswith(".") or skipped.is_junk(child.name):
            continue
        if child.is_dir(follow_symlinks=False):
            if child.name in skip or (path / DATABASE).is_file():
                continue
            if patterns.exclude(path, is_folder=True):
                skipped.excluded += 1
                continue
            if is_picture:
                yield path
            yield from _walk(path, frozenset(), patterns, skipped)
        elif is_picture:
            if patterns.exclude(path, is_folder=False):
                skipped.excluded += 1
            else:
                yield path
        else:
            skipped.count_unread(path.suffix)


def printable(text: str) -> str:
    """Return a path that can be shown and stored even if its bytes are not UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
