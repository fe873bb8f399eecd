"""All pairs of rows whose cosine reaches a threshold, and each row's nearest, by matrix products in tiles."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from steamdino.index.pair_cosines import pair_cosines, rounding
from steamdino.index.vector_index import ClosePairs
from steamdino.records import Progress

ROWS, COLUMNS = 1024, 4096
"""Rows and columns of a tile of scores: 16 MB."""

TOGETHER = 64
"""Rows of a tile that are searched at a time: 1 MB, and 6 MB of pairs if all of them are close."""

OUT_OF_RANGE = np.float32(-2)
"""Below all cosines, and above what stands for no score."""


def close_pairs(
    vectors: NDArray[np.float32], least: float, *, progress: Progress | None = None
) -> ClosePairs:
    """See `Index.close_pairs`. The cosines are those of `pair_cosines`; of equal nearest rows the lowest counts.

    Args:
        vectors: float32, shape (n, d), unit rows. They may be mapped from a file, and are never copied as a whole.
        least: the lowest cosine that counts.
        progress: called with (rows done, n).
    """
    vectors, count = vectors.view(np.ndarray), len(vectors)
    scan = _Scan(vectors, np.float32(least))
    buffer = np.empty((min(ROWS, count), min(COLUMNS, count)), np.float32)
    for start in range(0, count, ROWS):
        block = vectors[start : start + ROWS]
        for place in range(start, count, COLUMNS):  # only what follows, so that each pair is compared once
            tile = vectors[place : place + COLUMNS]
            scores = np.matmul(block, tile.T, out=buffer[: len(block), : len(tile)])
            if place == start:
                scores[
                    np.tril_indices(len(block), m=len(tile))
                ] = -np.inf  # a row itself, and what it was compared with
            for part in range(0, len(block), TOGETHER):
                scan.take(scores[part : part + TOGETHER], start + part, place)
        scan.finish()
        if progress:
            progress(start + len(block), count)
    return scan.result()


class _Pairs(NamedTuple):
    """Pairs of rows, in half the memory of `ClosePairs`."""

    first: NDArray[np.int32]
    second: NDArray[np.int32]
    cosines: NDArray[np.float32]


def _joined(parts: list[_Pairs]) -> _Pairs:
    """Join pairs, in the order of their rows."""
    if not parts:
        return _Pairs(np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.float32))
    first, second, cosines = (np.concatenate(part) for part in zip(*parts, strict=True))
    order = np.lexsort((second, first))
    return _Pairs(first[order], second[order], cosines[order])


class _Scan:
    """What has been found so far.

    A score differs from the cosine by the error of rounding at most. Scores find the pairs that may count, and cosines
    decide.
    """

    def __init__(self, vectors: NDArray[np.float32], least: np.float32) -> None:
        self._vectors, self._least = vectors, least
        self._error = np.float32(rounding(vectors.shape[1]))
        self._best = np.full(len(vectors), -np.inf, np.float32)
        self._mate = np.zeros(len(vectors), np.int32)
        self._found: list[_Pairs] = []  # of the current block of rows
        self._blocks: deque[_Pairs] = deque()

    def take(self, scores: NDArray[np.float32], row: int, column: int) -> None:
        """Take the scores of some rows and columns, the first of which are given."""
        edge = np.minimum(self._edge(scores.max(axis=0), column), self._least - self._error)
        edges = np.minimum(edge, self._edge(scores.max(axis=1), row)[:, None])
        rows, columns = np.nonzero(scores >= edges)
        rows += row
        columns += column
        cosines = pair_cosines(self._vectors, rows, columns)
        first, second = rows.astype(np.int32), columns.astype(np.int32)
        self._improve(first, second, cosines)
        self._improve(second, first, cosines)
        close = cosines >= self._least
        if close.any():
            self._found.append(_Pairs(first[close], second[close], cosines[close]))

    def finish(self) -> None:
        """Finish a block of rows: all pairs with one of them first were taken."""
        self._blocks.append(_joined(self._found))
        self._found.clear()

    def result(self) -> ClosePairs:
        """The pairs, each once, in the order of their rows. What was found is freed on the way: it may be large."""
        apart = np.flatnonzero((self._best > -np.inf) & (self._best < self._least)).astype(np.int32)
        mates = self._mate[apart]
        first, second = np.minimum(apart, mates), np.maximum(apart, mates)
        _, once = np.unique(first.astype(np.intp) * len(self._best) + second, return_index=True)
        lonely = _Pairs(first[once], second[once], self._best[apart][once])
        total = len(once) + sum(len(block.cosines) for block in self._blocks)
        found = ClosePairs(np.empty(total, np.intp), np.empty(total, np.intp), np.empty(total, np.float32))
        place = 0
        for start in range(0, len(self._best), ROWS):
            own = slice(*np.searchsorted(lonely.first, (start, start + ROWS)))
            nearest = _Pairs(lonely.first[own], lonely.second[own], lonely.cosines[own])
            block = _joined([self._blocks.popleft(), nearest])
            here = slice(place, place + len(block.cosines))
            found.first[here], found.second[here], found.cosines[here] = block
            place = here.stop
        return found

    def _edge(self, highest: NDArray[np.float32], start: int) -> NDArray[np.float32]:
        """The lowest scores that may belong to the nearest of some rows, of which the first is given.

        Args:
            highest: float32, shape (some,): the highest new score of each.
            start: the first.
        """
        best = self._best[start : start + len(highest)]
        edge: NDArray[np.float32] = np.maximum(best - self._error, highest - 2 * self._error)
        return np.maximum(edge, OUT_OF_RANGE, out=edge)

    def _improve(
        self, rows: NDArray[np.int32], mates: NDArray[np.int32], cosines: NDArray[np.float32]
    ) -> None:
        """Remember mates that are nearer to their rows than those before, or as near and lower."""
        nearer = cosines >= self._best[rows]
        rows, mates, cosines = rows[nearer], mates[nearer], cosines[nearer]
        order = np.lexsort((mates, -cosines, rows))
        rows, mates, cosines = rows[order], mates[order], cosines[order]
        first = np.flatnonzero(np.diff(rows, prepend=-1))
        rows, mates, cosines = rows[first], mates[first], cosines[first]
        better = (cosines > self._best[rows]) | (mates < self._mate[rows])
        self._best[rows[better]], self._mate[rows[better]] = cosines[better], mates[better]
