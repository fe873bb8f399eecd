"""An index that knows the nearest neighbours of all rows, and searches only where these do not suffice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from steamdino.index.all_neighbours import entering, find
from steamdino.index.exact import ExactIndex
from steamdino.index.neighbour_lists import BLOCK, DEFAULT, FILES, NeighbourLists, width
from steamdino.index.pair_cosines import ROUNDING, pair_cosines
from steamdino.index.subset_index import SubsetIndex, each_pair_once
from steamdino.index.vector_index import ClosePairs, Index, Neighbours
from steamdino.records import Progress

FIRST = 4
"""How many times as many places of the lists are read at first as rows are wanted under a mask."""

PART = 8
"""A subset of at most one of so many rows is copied, since comparing these takes less than comparing all."""

AT_ONCE = 256
"""Rows whose lists do not suffice that are compared with all rows at a time. The more there are, the more pairs are in
memory."""


class ListedIndex:
    """An `Index` that answers from lists where they suffice, and otherwise asks another index of the same rows.

    Threads may share it.

    Attributes:
        name: of the other index.
    """

    name: ClassVar[str] = ExactIndex.name

    def __init__(self, index: Index, lists: NeighbourLists) -> None:
        """Take an index of n rows and the lists of these rows."""
        self._index = index
        self._lists = lists
        self.name = index.name  # type: ignore[misc]  # of the instance: it acts as this index does

    @classmethod
    def build(cls, vectors: NDArray[np.float32]) -> Self:
        """See `Index.build`. The lists are found in memory; `neighbour_writer` finds them for a snapshot."""
        shape = len(vectors), width(DEFAULT)
        lists = NeighbourLists(np.empty(shape, np.int32), np.empty(shape, np.float32), DEFAULT)
        for part, found in find(vectors, np.arange(len(vectors)), lists.width):
            lists.rows[part], lists.cosines[part] = found
        return cls(ExactIndex.build(vectors), lists)

    @classmethod
    def open(cls, folder: Path, vectors: NDArray[np.float32]) -> Self:
        """See `Index.open`."""
        return cls(ExactIndex.open(folder, vectors), NeighbourLists.open(folder, len(vectors), DEFAULT))

    def save(self, folder: Path) -> Sequence[str]:
        """See `Index.save`."""
        for name, array in zip(FILES, (self._lists.rows, self._lists.cosines), strict=True):
            np.save(folder / name, array)
        return (*self._index.save(folder), *FILES, self._lists.write_nearest(folder))

    @property
    def vectors(self) -> NDArray[np.float32]:
        """See `Index.vectors`."""
        return self._index.vectors

    @property
    def listed(self) -> int:
        """See `Index.listed`."""
        return self._lists.promised

    def __len__(self) -> int:
        return len(self._index)

    def nearest(
        self,
        query: NDArray[np.float32],
        k: int,
        *,
        exclude: Sequence[int] = (),
        among: NDArray[np.bool_] | None = None,
    ) -> Neighbours:
        """See `Index.nearest`."""
        return self._index.nearest(query, k, exclude=exclude, among=among)

    def neighbours(
        self,
        k: int,
        *,
        rows: NDArray[np.intp] | None = None,
        among: NDArray[np.bool_] | None = None,
        progress: Progress | None = None,
    ) -> Neighbours:
        """See `Index.neighbours`."""
        count = len(self) if rows is None else len(rows)
        most = len(self) - 1 if among is None else int(np.count_nonzero(among))
        k = max(0, min(k, most))
        found = Neighbours.none(count, k)
        searched = []
        for start in range(0, count if k else 0, BLOCK):
            block = (
                np.arange(start, min(start + BLOCK, count)) if rows is None else rows[start : start + BLOCK]
            )
            part = slice(start, start + len(block))
            own = Neighbours(found.rows[part], found.cosines[part])
            lacking = self._unmasked(block, own) if among is None else self._masked(block, own, among, most)
            searched.append(start + lacking)
            if progress and len(lacking) < len(block):
                progress(start + len(block) - sum(map(len, searched)), count)
        if searched and len(left := np.concatenate(searched)):

            def searching(done: int, total: int) -> None:
                if progress:
                    progress(count - total + done, count)

            asked = left if rows is None else rows[left]
            found.rows[left], found.cosines[left] = self._index.neighbours(
                k, rows=asked, among=among, progress=searching
            )
        return found

    def _unmasked(self, block: NDArray[np.intp], found: Neighbours) -> NDArray[np.intp]:
        """Fill in the neighbours of some rows; return the places of those whose lists are too short."""
        k = found.rows.shape[1]
        if k > self._lists.width:
            return np.arange(len(block))
        listed, cosines = self._lists.leading(k)
        found.rows[:], found.cosines[:] = listed[block], cosines[block]
        return np.flatnonzero(found.rows[:, -1] < 0)

    def _masked(
        self, block: NDArray[np.intp], found: Neighbours, among: NDArray[np.bool_], most: int
    ) -> NDArray[np.intp]:
        """The same for the rows that a mask lets through, of which there are `most`."""
        k = found.rows.shape[1]
        left = np.arange(len(block))
        needed = np.minimum(k, most - among[block])  # a row does not find itself
        for columns in sorted({min(FIRST * k, self._lists.width), self._lists.width}):
            listed = self._lists.rows[:, :columns][block[left]]
            rank = np.cumsum((listed >= 0) & among[listed], axis=1, dtype=np.int32)
            enough = np.flatnonzero(rank[:, -1] >= needed[left])
            fits = np.diff(rank[enough], axis=1, prepend=0) > 0
            fits &= rank[enough] <= needed[left[enough]][:, None]
            at, column = np.nonzero(fits)
            places, ranks = left[enough][at], rank[enough][at, column] - 1
            found.rows[places, ranks] = listed[enough][at, column]
            found.cosines[places, ranks] = self._lists.cosines[block[places], column]
            left = np.delete(left, enough)
        return left

    def close_pairs(self, least: float, *, progress: Progress | None = None) -> ClosePairs:
        """See `Index.close_pairs`."""
        count = len(self)
        if count < 2:
            return self._index.close_pairs(least, progress=progress)
        blocks = [slice(start, start + BLOCK) for start in range(0, count, BLOCK)]
        left = np.concatenate([block.start + self._open_ended(block, least) for block in blocks])
        if 2 * len(left) > count:
            return self._index.close_pairs(least, progress=progress)
        found = []
        for block in blocks:
            listed = self._lists.rows[block]
            cosines = self._lists.cosines[block]
            wanted = cosines >= least
            wanted[:, 0] = True  # the nearest in any case
            at, column = np.nonzero(wanted & (listed >= 0))
            found.append((at + block.start, listed[at, column].astype(np.intp), cosines[at, column]))
            if progress:
                progress(min(block.stop, count) // 2, count)
        # Of a close pair that no list has, both games are left.
        bound = np.full(count, np.inf, np.float32)
        bound[left] = least
        for start in range(0, len(left), AT_ONCE):
            targets, sources, cosines = entering(self.vectors, left[start : start + AT_ONCE], bound)
            once = targets < sources
            found.append((targets[once], sources[once], cosines[once]))
            if progress:
                progress((count + (start + AT_ONCE) * count // len(left)) // 2, count)
        if progress:
            progress(count, count)
        first, second, cosines = (np.concatenate(part) for part in zip(*found, strict=True))
        return each_pair_once(first, second, cosines, count)

    def _open_ended(self, block: slice, least: float) -> NDArray[np.intp]:
        """The places in a block of the rows whose lists may lack a row with so high a cosine."""
        length = (self._lists.rows[block] >= 0).sum(axis=1)
        ends = self._lists.cosines[block][np.arange(len(length)), length - 1]
        return np.flatnonzero((length < len(self) - 1) & (ends >= least))

    def scores(self, queries: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Index.scores`."""
        return self._index.scores(queries)

    def similarity(self, first: int, second: int) -> float:
        """See `Index.similarity`."""
        return self._index.similarity(first, second)

    def subset(self, rows: NDArray[np.intp]) -> Index:
        """See `Index.subset`. Nothing is copied unless these are few."""
        if len(rows) == len(self):
            return self
        return self._index.subset(rows) if PART * len(rows) <= len(self) else SubsetIndex(self, rows)

    def recall(self, k: int = 10, *, asked: int = 200) -> float:
        """See `Index.recall`: that of the other index."""
        return self._index.recall(k, asked=asked)

    def wrong_lists(self, asked: int) -> int:
        """Search for the neighbours of some rows, always the same ones, and count the lists that differ.

        Args:
            asked: number of rows.
        """
        drawn = np.sort(np.random.default_rng(0).permutation(len(self))[:asked])
        wrong = 0
        for part, true in find(self.vectors, drawn, min(self._lists.promised, max(1, len(self) - 1))):
            rows, width = drawn[part], true.rows.shape[1]
            listed, cosines = self._lists.rows[:, :width][rows], self._lists.cosines[:, :width][rows]
            # Rounding may exchange rows whose cosines are nearly equal, so each listed row is compared with its cosine.
            exact = pair_cosines(self.vectors, np.repeat(rows, width), listed.ravel().astype(np.intp))
            missed = np.abs(true.cosines - cosines) > ROUNDING
            false = (np.abs(exact.reshape(cosines.shape) - cosines) > ROUNDING) & (listed >= 0)
            wrong += int((missed | false).any(axis=1).sum())
        return wrong
