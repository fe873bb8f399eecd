"""Some of the rows of an index, without copying their vectors."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from steamdino.index.exact import ExactIndex
from steamdino.index.vector_index import ClosePairs, Index, Neighbours
from steamdino.records import Progress


class SubsetIndex:
    """An `Index` that asks another one, and lets it find some of its rows only. Threads may share it."""

    name: ClassVar[str] = "subset"

    def __init__(self, whole: Index, chosen: NDArray[np.intp]) -> None:
        """Take an index and some of its rows: intp, rising, each once."""
        self._whole = whole
        self._chosen = chosen

    @classmethod
    def build(cls, vectors: NDArray[np.float32]) -> Self:
        """See `Index.build`. All rows are chosen."""
        return cls(ExactIndex.build(vectors), np.arange(len(vectors)))

    @classmethod
    def open(cls, folder: Path, vectors: NDArray[np.float32]) -> Self:
        """See `Index.open`."""
        return cls.build(vectors)

    def save(self, folder: Path) -> Sequence[str]:
        """See `Index.save`: nothing, as for an exact index."""
        return ()

    @cached_property
    def vectors(self) -> NDArray[np.float32]:
        """See `Index.vectors`. They are copied when they are asked for."""
        chosen, vectors = self._chosen, self._whole.vectors
        return vectors if len(chosen) == len(vectors) else vectors[chosen]

    @property
    def listed(self) -> int:
        """See `Index.listed`. Of each list, at most the rows are missing that were not chosen."""
        return max(0, self._whole.listed - (len(self._whole) - len(self)))

    def __len__(self) -> int:
        return len(self._chosen)

    def nearest(
        self,
        query: NDArray[np.float32],
        k: int,
        *,
        exclude: Sequence[int] = (),
        among: NDArray[np.bool_] | None = None,
    ) -> Neighbours:
        """See `Index.nearest`."""
        excluded = self._chosen[list(exclude)].tolist()
        found = self._whole.nearest(query, k, exclude=excluded, among=self._mask(among))
        return Neighbours(np.searchsorted(self._chosen, found.rows), found.cosines)

    def neighbours(
        self,
        k: int,
        *,
        rows: NDArray[np.intp] | None = None,
        among: NDArray[np.bool_] | None = None,
        progress: Progress | None = None,
    ) -> Neighbours:
        """See `Index.neighbours`."""
        k = max(0, min(k, len(self) - 1 if among is None else int(np.count_nonzero(among))))
        asked = self._chosen if rows is None else self._chosen[rows]
        if not k:
            return Neighbours(np.empty((len(asked), 0), np.intp), np.empty((len(asked), 0), np.float32))
        found = self._whole.neighbours(k, rows=asked, among=self._mask(among), progress=progress)
        own = np.searchsorted(self._chosen, found.rows)
        own[found.rows < 0] = -1
        return Neighbours(own, found.cosines)

    def close_pairs(self, least: float, *, progress: Progress | None = None) -> ClosePairs:
        """See `Index.close_pairs`."""
        count = len(self)

        def first_half(done: int, total: int) -> None:
            if progress:
                progress(done * count // (2 * total), count)

        mask = self._mask(None)
        pairs = self._whole.close_pairs(least, progress=first_half)
        kept = mask[pairs.first] & mask[pairs.second] & (pairs.cosines >= least)
        first, second = (np.searchsorted(self._chosen, rows[kept]) for rows in (pairs.first, pairs.second))
        nearest = self.neighbours(1)
        mate, cosines = (part.reshape(-1)[: count if count > 1 else 0] for part in nearest)
        own = np.arange(len(mate))
        found = each_pair_once(
            np.concatenate([first, own]),
            np.concatenate([second, mate]),
            np.concatenate([pairs.cosines[kept], cosines]),
            count,
        )
        if progress and count:
            progress(count, count)
        return found

    def scores(self, queries: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Index.scores`."""
        return self._whole.scores(queries)[..., self._chosen]

    def similarity(self, first: int, second: int) -> float:
        """See `Index.similarity`."""
        return self._whole.similarity(int(self._chosen[first]), int(self._chosen[second]))

    def subset(self, rows: NDArray[np.intp]) -> Index:
        """See `Index.subset`."""
        return self if len(rows) == len(self) else self._whole.subset(self._chosen[rows])

    def recall(self, k: int = 10, *, asked: int = 200) -> float:
        """See `Index.recall`: that of the whole index."""
        return self._whole.recall(k, asked=asked)

    def _mask(self, among: NDArray[np.bool_] | None) -> NDArray[np.bool_]:
        mask = np.zeros(len(self._whole), np.bool_)
        mask[self._chosen if among is None else self._chosen[among]] = True
        return mask


def each_pair_once(
    first: NDArray[np.intp], second: NDArray[np.intp], cosines: NDArray[np.float32], count: int
) -> ClosePairs:
    """Pairs of `count` rows that may occur in both orders and several times, each once."""
    low, high = np.minimum(first, second), np.maximum(first, second)
    _, kept = np.unique(low * np.intp(count) + high, return_index=True)
    return ClosePairs(low[kept], high[kept], cosines[kept])
