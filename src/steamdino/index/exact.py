"""Exact nearest neighbours by cosine similarity: matrix products over unit rows, in NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from steamdino.index.vector_index import ClosePairs, Neighbours
from steamdino.records import Progress

BLOCK = 64
"""Scores whose maximum is taken first, to narrow many scores down to few candidates."""

MANY = 512
"""Rows that are compared with all others at a time: 370 MB of scores at 180,000 games."""


class ExactIndex:
    """An `Index` that compares a query with every row. It needs no file besides ``vectors.npy``.

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
            left = int(among.sum()) - int(among[list(exclude)].sum())
        k = min(k, left)
        if k <= 0:
            return Neighbours(np.empty(0, np.intp), np.empty(0, np.float32))
        return _best(scores, k)

    def neighbours(
        self,
        k: int,
        *,
        rows: NDArray[np.intp] | None = None,
        among: NDArray[np.bool_] | None = None,
        progress: Progress | None = None,
    ) -> Neighbours:
        """See `Index.neighbours`. The result equals that of `nearest` for each row; it is computed in blocks."""
        vectors = self._vectors
        queries = np.arange(len(vectors)) if rows is None else rows
        k = min(k, len(vectors) - 1 if among is None else int(among.sum()))
        found = np.empty((len(queries), max(k, 0)), np.intp)
        cosines = np.empty((len(queries), max(k, 0)), np.float32)
        buffer = np.empty((min(MANY, len(queries)), len(vectors)), np.float32)
        for start in range(0, len(queries) if k > 0 else 0, MANY):
            block = queries[start : start + MANY]
            scores = np.matmul(vectors[block], vectors.T, out=buffer[: len(block)])
            scores[np.arange(len(block)), block] = -np.inf
            if among is not None:
                scores[:, ~among] = -np.inf
            for position, own in enumerate(scores, start):
                found[position], cosines[position] = _best(own, k)
                if among is not None and own[found[position, -1]] == -np.inf:
                    found[position, -1] = -1
            if progress:
                progress(start + len(block), len(queries))
        return Neighbours(found, cosines)

    def close_pairs(self, least: float, *, progress: Progress | None = None) -> ClosePairs:
        """See `Index.close_pairs`."""
        vectors = self._vectors
        count = len(vectors)
        best = np.full(count, -2.0, np.float32)
        mate = np.zeros(count, np.intp)
        found: list[tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]] = []
        for start in range(0, count, MANY):
            block = vectors[start : start + MANY]
            scores = block @ vectors[start:].T  # only what follows, so that each pair is compared once
            scores[np.tril_indices(len(block))] = -2.0
            rows, columns = np.nonzero(scores >= least)
            found.append((rows + start, columns + start, scores[rows, columns]))
            for axis, offset in ((1, start), (0, start)):
                mates, values = scores.argmax(axis=axis), scores.max(axis=axis)
                own = slice(start, start + len(values))
                better = values > best[own]
                best[own][better] = values[better]
                mate[own][better] = mates[better] + offset
            if progress:
                progress(start + len(block), count)
        has = np.flatnonzero(best > -2)
        first, second = np.minimum(has, mate[has]), np.maximum(has, mate[has])
        found.append((first, second, best[has]))
        firsts, seconds, cosines = (np.concatenate(part) for part in zip(*found, strict=True))
        _, kept = np.unique(firsts * np.intp(count) + seconds, return_index=True)
        return ClosePairs(firsts[kept], seconds[kept], np.clip(cosines[kept], -1, 1))

    def scores(self, queries: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Index.scores`."""
        found: NDArray[np.float32] = (
            self._vectors @ queries if queries.ndim == 1 else queries @ self._vectors.T
        )
        return found

    def similarity(self, first: int, second: int) -> float:
        """See `Index.similarity`."""
        return float(np.clip(self._vectors[first] @ self._vectors[second], -1, 1))

    def subset(self, rows: NDArray[np.intp]) -> ExactIndex:
        """See `Index.subset`."""
        return self if len(rows) == len(self) else ExactIndex(self._vectors[rows])

    def recall(self, k: int = 10, *, asked: int = 200) -> float:
        """It finds all of them: 1.0."""
        return 1.0


def _best(scores: NDArray[np.float32], k: int) -> Neighbours:
    """The rows of the k largest scores, and these, clipped to [-1, 1]; of equal ones the lower row first."""
    if k == 1:
        row = np.array([scores.argmax()])  # of equal ones the first
        return Neighbours(row, np.clip(scores[row], -1, 1))
    # At least k scores reach the k-th largest of the blocks' maxima, so everything below it can be dropped. This is
    # exact, and faster than partitioning all scores, which would also choose arbitrarily among equals at the edge.
    best = np.maximum.reduceat(scores, np.arange(0, len(scores), BLOCK))
    edge = np.partition(best, -k)[-k] if k <= len(best) else -np.inf
    rows = np.flatnonzero(scores >= edge)
    rows = rows[np.lexsort((rows, -scores[rows]))][:k]
    return Neighbours(rows, np.clip(scores[rows], -1, 1))
