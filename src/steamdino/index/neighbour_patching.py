"""Brings lists of neighbours up to date with some games that are new, changed or removed.

Removed games leave the lists. Each new one is compared with all games, and enters the lists that it belongs to. Then
only the new games, and those whose lists have become too short, are searched. A changed game is a removed one and a new
one. What a list promises is then the same, bit by bit, as if all games had been searched.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from steamdino.index.all_neighbours import entering
from steamdino.index.neighbour_lists import BLOCK, NeighbourLists
from steamdino.index.resumable_arrays import ResumableArrays
from steamdino.records import Progress

AT_ONCE = 256
"""New games that are compared with all games at a time. The more there are, the more pairs are in memory."""

PAYS = 4
"""If more than one of so many games is new or changed, all are searched: that takes hardly longer."""

EVERYTHING, NOTHING = np.float32(-2), np.float32(2)
"""Lowest cosines that let all games, or none, enter a list."""


def same_vectors(
    old: NDArray[np.float32], new: NDArray[np.float32], old_rows: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Tell which games still have the same vector.

    Args:
        old: float32, shape (m, d).
        new: float32, shape (n, d).
        old_rows: int32, shape (n,): the row in `old` of each game; -1 for a new game.

    Returns:
        the same, with -1 where the vectors differ in any bit.
    """
    found = old_rows.copy()
    for start in range(0, len(new), BLOCK):
        block = found[start : start + BLOCK]
        known = np.flatnonzero(block >= 0)
        same = (old[block[known]].view(np.uint32) == new[start + known].view(np.uint32)).all(axis=1)
        block[known[~same]] = -1
    return found


def can_be_patched(old_rows: NDArray[np.int32]) -> bool:
    """Whether patching takes less time than searching all games.

    Args:
        old_rows: int32, shape (n,): the row in the old lists of each game whose vector is the same, else -1.
    """
    new = int((old_rows < 0).sum())
    kept = old_rows[old_rows >= 0]
    # Of equal cosines the lower row comes first, so the games that stay must have stayed in order.
    return PAYS * new <= len(old_rows) and bool((np.diff(kept) > 0).all())


class NeighbourPatch:
    """The lists of a new snapshot, as they come out of those of an old one.

    Attributes:
        new: intp: the rows of new and changed games.
    """

    def __init__(self, lists: NeighbourLists, old: NeighbourLists, old_rows: NDArray[np.int32]) -> None:
        """Take over the old lists without the games that are no longer there.

        Args:
            lists: of the new snapshot; they are written to.
            old: lists that may be longer or shorter.
            old_rows: as for `can_be_patched`, which must be true.
        """
        self._lists = lists
        self.new = np.flatnonzero(old_rows < 0)
        self._length = np.zeros(len(lists), np.int32)
        self._least = np.full(len(lists), NOTHING)
        self._last = np.full(len(lists), -1, np.int32)
        new_rows = np.full(len(old) + 1, -1, np.int32)  # the last one is what -1 selects
        kept = np.flatnonzero(old_rows >= 0)
        new_rows[old_rows[kept]] = kept
        for start in range(0, len(lists), BLOCK):
            self._take_over(start, old, old_rows[start : start + BLOCK], new_rows)

    def _take_over(
        self, start: int, old: NeighbourLists, old_rows: NDArray[np.int32], new_rows: NDArray[np.int32]
    ) -> None:
        block = slice(start, start + len(old_rows))
        kept = np.flatnonzero(old_rows >= 0)
        columns = min(old.width, self._lists.width)
        before = old.rows[:, :columns][old_rows[kept]]
        rows, cosines = new_rows[before], old.cosines[:, :columns][old_rows[kept]]
        gaps = np.flatnonzero(((rows < 0) & (before >= 0)).any(axis=1))
        order = np.argsort(rows[gaps] < 0, axis=1, kind="stable")
        rows[gaps] = np.take_along_axis(rows[gaps], order, axis=1)
        cosines[gaps] = np.take_along_axis(cosines[gaps], order, axis=1)
        cosines[rows < 0] = -1
        for target, values in ((self._lists.rows, rows), (self._lists.cosines, cosines)):
            target[block] = -1
            target[start + kept, :columns] = values
        length = (rows >= 0).sum(axis=1)
        self._length[start + kept] = length
        # A list that held all others still holds all of them, so every new game belongs to it.
        whole = (before >= 0).sum(axis=1) == len(old) - 1
        self._least[start + kept[whole]] = EVERYTHING
        some = np.flatnonzero(~whole & (length > 0))
        self._end(start + kept[some], rows[some, length[some] - 1], cosines[some, length[some] - 1])

    def _end(self, targets: NDArray[np.intp], rows: NDArray[np.int32], cosines: NDArray[np.float32]) -> None:
        """Note after which row and cosine nothing may enter some lists."""
        self._least[targets], self._last[targets] = cosines, rows

    def enter(self, vectors: NDArray[np.float32], work: Path, key: str, progress: Progress) -> None:
        """Compare the new games with all others, and let them enter the lists.

        Args:
            vectors: float32, shape (n, d), of the new snapshot.
            work: a folder for what is found, by which a killed process is continued.
            key: of the old and the new lists.
            progress: called with (done, new games).
        """
        kinds = {"targets": np.int32, "sources": np.int32, "cosines": np.float32}
        with ResumableArrays(work, key, kinds) as found:
            for pairs in _blocks(found.read()):
                self._insert(*pairs)
            for start in range(found.done, len(self.new), AT_ONCE):
                block = self.new[start : start + AT_ONCE]
                pairs = self._belonging(*entering(vectors, block, self._least))
                self._insert(*pairs)
                found.append(start + len(block), *pairs)
                progress(start + len(block), len(self.new))

    def short(self) -> NDArray[np.intp]:
        """The rows whose lists must be searched for."""
        return np.flatnonzero(self._length < min(self._lists.promised, len(self._lists) - 1))

    def _belonging(
        self, targets: NDArray[np.intp], sources: NDArray[np.intp], cosines: NDArray[np.float32]
    ) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
        """The pairs whose sources come before the end of the lists of their targets."""
        # What comes after the end may not be appended: games that the list lacks may come before it.
        kept = (cosines > self._least[targets]) | (sources < self._last[targets])
        return targets[kept], sources[kept], cosines[kept]

    def _insert(
        self, targets: NDArray[np.intp], sources: NDArray[np.intp], cosines: NDArray[np.float32]
    ) -> None:
        order = np.lexsort((sources, -cosines, targets))
        targets, sources, cosines = targets[order], sources[order], cosines[order]
        rank = np.arange(len(targets)) - np.searchsorted(targets, targets)
        kept = rank < self._lists.width
        targets, sources, cosines, rank = targets[kept], sources[kept], cosines[kept], rank[kept]
        rows, places = np.unique(targets, return_inverse=True)
        starts = np.searchsorted(places, np.arange(0, len(rows) + BLOCK, BLOCK))
        for number, start in enumerate(range(0, len(rows), BLOCK)):
            own = slice(starts[number], starts[number + 1])
            self._merge(
                rows[start : start + BLOCK], places[own] - start, sources[own], cosines[own], rank[own]
            )

    def _merge(
        self,
        targets: NDArray[np.intp],
        places: NDArray[np.intp],
        sources: NDArray[np.intp],
        cosines: NDArray[np.float32],
        rank: NDArray[np.intp],
    ) -> None:
        """Merge sorted rows into some lists.

        Args:
            targets: whose lists, each once.
            places: rising: the position in `targets` for each row.
            sources, cosines: the rows.
            rank: of each row among those of its list.
        """
        width = self._lists.width
        rows, values = self._lists.rows[targets], self._lists.cosines[targets]
        own, near = rows[places], values[places]
        first = (near > cosines[:, None]) | ((near == cosines[:, None]) & (own < sources[:, None]))
        before = (first & (own >= 0)).sum(axis=1)  # of the old ones
        shift = np.zeros((len(targets), width + 1), np.intp)
        np.add.at(shift, (places, before), 1)
        moved = np.arange(width) + np.cumsum(shift, axis=1)[:, :width]
        merged, merged_values = np.full_like(rows, -1), np.full_like(values, -1)
        at, column = np.nonzero((moved < width) & (rows >= 0))
        merged[at, moved[at, column]], merged_values[at, moved[at, column]] = (
            rows[at, column],
            values[at, column],
        )
        fits = before + rank < width
        merged[places[fits], (before + rank)[fits]] = sources[fits]
        merged_values[places[fits], (before + rank)[fits]] = cosines[fits]
        self._lists.rows[targets], self._lists.cosines[targets] = merged, merged_values
        total = self._length[targets] + np.bincount(places, minlength=len(targets))
        self._length[targets] = np.minimum(total, width)
        full = np.flatnonzero(total > width)
        self._end(targets[full], merged[full, -1], merged_values[full, -1])


def _blocks(
    pairs: list[NDArray[np.generic]],
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]]:
    """Yield stored pairs, some at a time."""
    targets, sources, cosines = pairs
    for start in range(0, len(targets), AT_ONCE * AT_ONCE):
        block = slice(start, start + AT_ONCE * AT_ONCE)
        yield (
            targets[block].astype(np.intp),
            sources[block].astype(np.intp),
            cosines[block].astype(np.float32),
        )
