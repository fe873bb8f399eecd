"""Exact nearest neighbours by cosine similarity: matrix products over unit rows, in NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from steamdino.index.all_neighbours import find
from steamdino.index.close_pairs import close_pairs
from steamdino.index.pair_cosines import pair_cosines, query_cosines, rounding
from steamdino.index.vector_index import ClosePairs, Neighbours
from steamdino.records import Progress

BLOCK = 64
"""Scores whose maximum is taken first, to narrow many scores down to few candidates."""

LOWEST = float(np.finfo(np.float32).min)


class ExactIndex:
    """An `Index` that compares a query with every row. It needs no file besides ``vectors.npy``.

    Matrix products estimate cosines. Those that it ranks by and returns are computed as `pair_cosines` does, so two
    rows have the same cosine in all answers.

    Threads may share it.
    """

    name: ClassVar[str] = "exact"

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        """Take vectors: float32, shape (n, d), unit rows. They are not copied."""
        self._vectors = vectors

    @classmethod
    def build(cls, vectors: NDArray[np.float32]) -> Self:
        """See `Index.build`."""
        return cls(vectors)

    @classmethod
    def open(cls, folder: Path, vectors: NDArray[np.float32]) -> Self:
        """See `Index.open`."""
        return cls(vectors)

    def save(self, folder: Path) -> Sequence[str]:
        """Write nothing: the vectors themselves are all that it needs."""
        return ()

    @property
    def vectors(self) -> NDArray[np.float32]:
        """See `Index.vectors`."""
        return self._vectors

    @property
    def listed(self) -> int:
        """See `Index.listed`."""
        return 0

    def __len__(self) -> int:
        return len(self._vectors)

    def nearest(
        self,
        query: NDArray[np.float32],
        k: int,
        *,
        exclude: Sequence[int] = (),
        among: NDArray[np.bool_] | None = None,
    ) -> Neighbours:
        """See `Index.nearest`."""
        scores = self._vectors @ query
        scores[list(exclude)] = -np.inf
        left = len(scores) - len(exclude)
        if among is not None:
            scores[~among] = -np.inf
            left = int(np.count_nonzero(among)) - int(among[list(exclude)].sum())
        k = min(k, left)
        if k <= 0:
            return Neighbours(np.empty(0, np.intp), np.empty(0, np.float32))
        return self._best(query, scores, k)

    def neighbours(
        self,
        k: int,
        *,
        rows: NDArray[np.intp] | None = None,
        among: NDArray[np.bool_] | None = None,
        progress: Progress | None = None,
    ) -> Neighbours:
        """See `Index.neighbours`. Cosines are those of `pair_cosines`; it takes less than 100 MB besides the result."""
        queries = np.arange(len(self)) if rows is None else rows
        k = max(0, min(k, len(self) - 1 if among is None else int(np.count_nonzero(among))))
        found = Neighbours.none(len(queries), k)
        if k:
            for block, own in find(self._vectors, queries, k, among=among, progress=progress):
                found.rows[block], found.cosines[block] = own
        return found

    def close_pairs(self, least: float, *, progress: Progress | None = None) -> ClosePairs:
        """See `Index.close_pairs`."""
        return close_pairs(self._vectors, least, progress=progress)

    def scores(self, queries: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Index.scores`."""
        found: NDArray[np.float32] = (
            self._vectors @ queries if queries.ndim == 1 else queries @ self._vectors.T
        )
        return found

    def similarity(self, first: int, second: int) -> float:
        """See `Index.similarity`."""
        return float(pair_cosines(self._vectors, np.array([first]), np.array([second]))[0])

    def subset(self, rows: NDArray[np.intp]) -> ExactIndex:
        """See `Index.subset`."""
        return self if len(rows) == len(self) else ExactIndex(self._vectors[rows])

    def recall(self, k: int = 10, *, asked: int = 200) -> float:
        """It finds all of them: 1.0."""
        return 1.0

    def _best(self, query: NDArray[np.float32], scores: NDArray[np.float32], k: int) -> Neighbours:
        """The rows of the k largest cosines, where scores are their estimates, and -inf for rows that do not count."""
        # At least k scores reach the k-th largest of the blocks' maxima, so everything below it can be dropped. This is
        # exact, and faster than partitioning all scores, which would also choose arbitrarily among equals at the edge.
        best = np.maximum.reduceat(scores, np.arange(0, len(scores), BLOCK))
        edge = np.partition(best, -k)[-k] if k <= len(best) else -np.inf
        rows = np.flatnonzero(scores >= max(edge - 2 * rounding(len(query)), LOWEST))
        cosines = query_cosines(self._vectors, rows, query)
        order = np.lexsort((rows, -cosines))[:k]
        return Neighbours(rows[order], cosines[order])
