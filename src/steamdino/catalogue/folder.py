"""A folder of pictures: each picture is a game, its id the path below the folder without the suffix."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from steamdino.catalogue.ids import refusal
from steamdino.errors import UsageError
from steamdino.formats import SUFFIXES
from steamdino.records import Entry, Problem


def scan(
    root: Path, *, skip: Path | None = None, by_name: bool = False, prefix: str = ""
) -> Iterator[Entry | Problem]:
    """Walks a folder in the order of its paths.

    Hidden files and folders are passed over, and so is what has no picture's suffix; links to folders are not followed
    (they may run in circles).

    Args:
        root: the folder.
        skip: a folder below it to pass over (the gallery itself).
        by_name: take a file's name alone for its id, not its path below the folder.
        prefix: put before each id.

    Yields:
        an Entry for each picture, a Problem for what looks like one and is none, or cannot be listed.

    Raises:
        UsageError: the folder does not exist.
    """
    if not root.is_dir():
        raise UsageError(f"{root} is not a folder; name a folder of pictures or a table")
    taken: dict[str, str] = {}
    for found in _walk(root, skip and skip.absolute()):
        if isinstance(found, Problem):
            yield found
            continue
        where = found.relative_to(root).as_posix()
        game_id = prefix + (found.stem if by_name else where[: -len(found.suffix)])
        if reason := refusal(game_id):
            yield Problem(printable(where), reason)
        elif game_id in taken:
            yield Problem(
                where, f"its id {game_id!r} is already that of {taken[game_id]}; rename one", game_id
            )
        elif found.is_dir():
            yield Problem(where, "it is a folder with a picture's name", game_id)
        else:
            taken[game_id] = where
            yield Entry(game_id, Path(where).stem, found.absolute(), where)


def _walk(folder: Path, skip: Path | None) -> Iterator[Path | Problem]:
    try:
        with os.scandir(folder) as listing:
            children = sorted(listing, key=lambda child: child.name)
    except OSError as error:
        yield Problem(printable(str(folder)), f"the folder cannot be listed: {error.strerror}")
        return
    for child in children:
        path = folder / child.name
        is_picture = path.suffix.lower() in SUFFIXES
        if child.name.startswith(".") or path.absolute() == skip:
            continue
        if child.is_dir(follow_symlinks=False):
            if is_picture:
                yield path
            yield from _walk(path, skip)
        elif is_picture:
            yield path


def printable(text: str) -> str:
    """A path that can be shown and stored although its bytes may not be UTF-8."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
