"""Writes the lists of neighbours of a snapshot's draft: from those of the snapshot before, or from nothing."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from steamdino.errors import SnapshotError
from steamdino.index.all_neighbours import find
from steamdino.index.manifest import GAMES
from steamdino.index.neighbour_lists import BLOCK, FILES, NeighbourLists
from steamdino.index.neighbour_patching import NeighbourPatch, can_be_patched, same_vectors
from steamdino.index.older_snapshot import OlderSnapshot
from steamdino.index.resumable_arrays import ResumableArrays
from steamdino.records import Progress
from steamdino.storage.atomic import link_or_copy

VERSION = 1
"""Of how lists are computed. What an older version left unfinished is not continued."""

WORK = "unfinished-neighbours"
"""Folder beside the snapshots for what is found, until it is in one of them."""


@dataclass(frozen=True, slots=True)
class _Old:
    """The lists of an older snapshot.

    Attributes:
        folder: the snapshot's.
        lists: its lists.
        key: tells which lists they are.
        rows: int32, shape (n,): the row of each new game in the lists; -1 for a new or changed one.
    """

    folder: Path
    lists: NeighbourLists
    key: str
    rows: NDArray[np.int32]

    def is_same(self, promised: int) -> bool:
        """Whether the new lists are these."""
        count = len(self.lists)
        same = len(self.rows) == count and bool((self.rows == np.arange(count)).all())
        return same and self.lists.promised == promised


def write_neighbours(
    draft: Path,
    vectors: NDArray[np.float32],
    digest: str,
    promised: int,
    *,
    home: Path,
    older: OlderSnapshot | None = None,
    progress: Progress | None = None,
) -> tuple[str, ...]:
    """Write the lists of neighbours into a draft that has its vectors and games.

    What is found is kept in the folder `WORK`, by which a process that was killed or interrupted is continued. The
    caller removes it, with `remove_work`, once the snapshot is in place.

    Args:
        draft: the draft's folder.
        vectors: float32, shape (n, d), unit rows.
        digest: sha256 of the vectors' file.
        promised: neighbours that each list must have, if there are as many.
        home: the folder of all snapshots of the recipe. Only one process at a time may write to it.
        older: a snapshot whose lists may be patched; None to search all games.
        progress: called with (games done, games to search).

    Returns:
        the names of the files.
    """
    old = None if older is None else _old(older, draft, vectors)
    if old is not None and old.is_same(promised):
        for name in FILES:
            link_or_copy(old.folder / name, draft / name)
        return *FILES, old.lists.write_nearest(draft)
    lists = NeighbourLists.create(draft, len(vectors), promised)
    key = f"{VERSION} {promised} {digest}"
    report = progress or _silent
    if old is None or not can_be_patched(old.rows):
        _search(lists, np.arange(len(vectors)), vectors, home, f"{key} all", report)
    else:
        key = f"{key} {old.key}"
        patch = NeighbourPatch(lists, old.lists, old.rows)
        new = len(patch.new)
        patch.enter(vectors, home / WORK / "entering", key, lambda done, _: report(done, 2 * new))
        short = patch.short()
        _search(lists, short, vectors, home, key, lambda done, count: report(new + done, new + count))
    lists.flush()
    return *FILES, lists.write_nearest(draft)


def remove_work(home: Path) -> None:
    """Remove what was found for lists that are complete, or no longer wanted."""
    shutil.rmtree(home / WORK, ignore_errors=True)


def _search(
    lists: NeighbourLists,
    rows: NDArray[np.intp],
    vectors: NDArray[np.float32],
    home: Path,
    key: str,
    progress: Callable[[int, int], None],
) -> None:
    """Search for the lists of some rows."""
    key = f"{key} {hashlib.sha256(rows.astype('<i8').tobytes()).hexdigest()}"
    width = lists.width
    kinds = {"rows": np.int32, "cosines": np.float32}
    with ResumableArrays(home / WORK / "found", key, kinds) as found:
        before = found.done
        for part, block in find(vectors, rows[before:], width):
            done = before + part.stop
            found.append(done, block.rows, block.cosines)
            progress(done, len(rows))
        neighbours, cosines = (array.reshape(len(rows), width) for array in found.read())
        for start in range(0, len(rows), BLOCK):
            block_of = rows[start : start + BLOCK]
            lists.rows[block_of] = neighbours[start : start + BLOCK]
            lists.cosines[block_of] = cosines[start : start + BLOCK]


def _old(older: OlderSnapshot, draft: Path, vectors: NDArray[np.float32]) -> _Old | None:
    """The lists of an older snapshot; None if it has none, or is damaged."""
    manifest, before = older.manifest, older.vectors(vectors.shape[1])
    if not manifest.neighbours or before is None or not older.is_intact(GAMES, *FILES):
        return None
    try:
        lists = NeighbourLists.open(older.folder, manifest.games, manifest.neighbours)
    except (OSError, SnapshotError, ValueError):
        return None
    with closing(sqlite3.connect(draft / GAMES)) as db:
        rows = same_vectors(before, vectors, older.before(db).rows)
    digests = [manifest.files[name]["sha256"] for name in FILES]
    key = " ".join((*digests, hashlib.sha256(rows.astype("<i4").tobytes()).hexdigest()))
    return _Old(older.folder, lists, key, rows)


def _silent(done: int, total: int) -> None:
    pass
