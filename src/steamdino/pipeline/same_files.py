"""Finds names that lead to one file: links, bind mounts, and a file that several sources have."""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from steamdino.gallery.curation import Original
from steamdino.gallery.layout import location


def other_names(
    originals: Iterable[tuple[int, Original]], root: str
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Find the rows whose banner is the same file as that of another row, only by another name.

    Args:
        originals: rows, each with the file of its banner.
        root: the gallery's folder, absolute.

    Returns:
        these rows, and for each the row of the file's own name, to which the fewest links lead.
    """
    names: dict[Hashable, list[tuple[int, str]]] = {}
    for row, original in originals:
        if not original.from_store:
            path = location(original.origin, root).path
            names.setdefault(_file(path, original.origin), []).append((row, str(path or original.origin)))
    pairs = []
    for named in names.values():
        if len(named) > 1:
            own, _ = min(named, key=_preference)
            pairs += [(row, own) for row, _ in named if row != own]
    found = np.array(pairs, np.intp).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def _preference(named: tuple[int, str]) -> tuple[int, int, str, int]:
    """What makes a name the file's own: few links lead there, and it is short."""
    row, text = named
    path = Path(text)
    return sum(one.is_symlink() for one in (path, *path.parents)), len(text), text, row


def _file(path: Path | None, origin: str) -> Hashable:
    """Identify a file, whatever its name; one that is not there any more by its name."""
    if path is None:
        return origin
    try:
        status = path.stat()
    except OSError:
        return origin
    return (status.st_dev, status.st_ino) if status.st_ino else os.path.realpath(path)
