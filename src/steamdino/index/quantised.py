"""Nearest neighbours among many rows: candidates from quantised vectors, ranked again by the exact ones.

The estimated cosines of candidates have a known error. The k-th exact cosine among the candidates must exceed the
lowest estimate by several times that error; otherwise more candidates are taken, and finally all rows. So a query costs
more where many banners look the same, and finds no fewer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from steamdino.index.exact import ExactIndex
from steamdino.index.pair_cosines import ROUNDING, query_cosines
from steamdino.index.quantised_rows import QuantisedRows
from steamdino.index.vector_index import Neighbours
from steamdino.records import Progress

BATCH = 512
"""Queries that are answered at a time."""

DEEP, ALL = 100, 256
"""So many neighbours of so many rows take as long to find by comparing all rows, which is exact in any case."""

FEW = 16
"""Excluded rows up to which they are skipped one by one, rather than masked."""


class Examination(NamedTuple):
    """How many candidates are examined.

    Attributes:
        first: number of candidates at first, besides four times as many as are wanted. It exceeds `FEW`, so that enough
            are left without the excluded rows.
        more: how many times as many are examined next.
        most: most of them, however many rows there are.
        at_last: whether as many as possible are examined before all rows are compared.
        safe: by how many standard deviations of the estimate a match must lie above what was not examined.
    """

    first: int
    more: int
    most: int
    at_last: bool
    safe: float

    def counts(self, k: int, possible: int) -> Iterator[int]:
        """The numbers of candidates for k matches, one after another, if so many are possible."""
        count, widest = 4 * k + self.first, min(self.most, possible)
        while count <= widest:
            yield count
            count = min(self.more * count, widest) if self.at_last and count < widest else self.more * count


class QuantisedIndex(ExactIndex):
    """An `Index` that ranks exactly, but only what looks promising in quantised vectors. Threads may share it."""

    name: ClassVar[str] = "quantised"

    EXAMINED: ClassVar[Mapping[int, Examination]] = {
        4: Examination(first=44, more=6, most=2048, at_last=False, safe=4.0),
        2: Examination(first=160, more=12, most=4800, at_last=True, safe=3.0),
    }
    """By the bits of a coordinate. A match at the edge of what is safe is missed once in 30,000 queries with four bits,
    and once in 700 with two."""

    WIDEST: ClassVar[int] = 128
    """Of so many rows one is a candidate at most. With more candidates, comparing all rows is faster."""

    WHOLE: ClassVar[int] = 2048
    """If no more vectors than this may be found, all of them are examined."""

    def __init__(self, vectors: NDArray[np.float32], rows: QuantisedRows) -> None:
        """Take vectors: float32, shape (n, d), unit rows, and their quantised ones. They are not copied."""
        super().__init__(vectors)
        self._rows = rows

    @classmethod
    def build(cls, vectors: NDArray[np.float32]) -> Self:
        """See `Index.build`.

        Raises:
            ImportError: the library for quantised vectors is not installed.
            ValueError: a vector holds a number that is not finite.
        """
        return cls(vectors, QuantisedRows.build(vectors))

    @classmethod
    def open(cls, folder: Path, vectors: NDArray[np.float32]) -> Self:
        """See `Index.open`.

        Raises:
            ImportError: the library for quantised vectors is not installed.
        """
        return cls(vectors, QuantisedRows.open(folder, vectors.shape))

    def save(self, folder: Path) -> Sequence[str]:
        """See `Index.save`."""
        return self._rows.save(folder)

    def nearest(
        self,
        query: NDArray[np.float32],
        k: int,
        *,
        exclude: Sequence[int] = (),
        among: NDArray[np.bool_] | None = None,
    ) -> Neighbours:
        """See `Index.nearest`."""
        if len(exclude) > FEW:
            among = np.ones(len(self), np.bool_) if among is None else among.copy()
            among[list(exclude)] = False
            exclude = ()
        (found,) = self._find(query[None], k, [exclude], among)
        return super().nearest(query, k, exclude=exclude, among=among) if found is None else found

    def neighbours(
        self,
        k: int,
        *,
        rows: NDArray[np.intp] | None = None,
        among: NDArray[np.bool_] | None = None,
        progress: Progress | None = None,
    ) -> Neighbours:
        """See `Index.neighbours`. The result equals that of `nearest` for each row."""
        queries = np.arange(len(self)) if rows is None else rows
        k = max(0, min(k, len(self) - 1 if among is None else int(np.count_nonzero(among))))
        if k >= DEEP and len(queries) >= ALL:
            return super().neighbours(k, rows=rows, among=among, progress=progress)
        numbers, cosines = Neighbours.none(len(queries), k)
        for start in range(0, len(queries) if k else 0, BATCH):
            block = queries[start : start + BATCH]
            left = []
            itself = [[int(row)] for row in block]
            for place, found in enumerate(self._find(self._vectors[block], k, itself, among), start):
                if found is None:
                    left.append(place)
                else:
                    numbers[place, : len(found.rows)], cosines[place, : len(found.rows)] = found
            if left:
                numbers[left], cosines[left] = super().neighbours(k, rows=queries[left], among=among)
            if progress:
                progress(start + len(block), len(queries))
        return Neighbours(numbers, cosines)

    def recall(self, k: int = 10, *, asked: int = 200) -> float:
        """See `Index.recall`. The rows are drawn at random; neighbours count by their cosine."""
        drawn = np.random.default_rng(0).permutation(len(self))[:asked]
        found, true = self.neighbours(k, rows=drawn).cosines, super().neighbours(k, rows=drawn).cosines
        # By cosine, since rounding may exchange rows whose cosines differ by less.
        return float((found >= true[:, -1:] - ROUNDING).mean()) if true.size else 1.0

    def _find(
        self,
        queries: NDArray[np.float32],
        k: int,
        excluded: Sequence[Sequence[int]],
        among: NDArray[np.bool_] | None,
    ) -> list[Neighbours | None]:
        """The k nearest rows of each query without its excluded ones; None where all rows must be compared."""
        mask = None if among is None else self._rows.distinct.allowed(among)
        most = len(self._rows.distinct) if mask is None else int(mask.sum())
        if k <= 0 or not most:
            return [_NOTHING] * len(queries)
        if most <= self.WHOLE:
            numbers = np.arange(most) if mask is None else np.flatnonzero(mask)
            return [
                self._ranked(query, k, own, among, numbers, None)
                for query, own in zip(queries, excluded, strict=True)
            ]
        found: list[Neighbours | None] = [None] * len(queries)
        left = list(range(len(queries)))
        possible = min(most, len(self) // self.WIDEST)
        for count in self.EXAMINED[self._rows.bits].counts(k, possible):
            try:
                proposed = self._rows.propose(queries[left], count, mask)
            except (
                FileNotFoundError
            ):  # the snapshot was pruned before its first search; its vectors are still mapped
                break
            for place, numbers, estimates, error in zip(left, *proposed, strict=True):
                found[place] = self._ranked(
                    queries[place], k, excluded[place], among, numbers, (estimates, float(error))
                )
            left = [place for place in left if found[place] is None]
            if not left:
                break
        return found

    def _ranked(
        self,
        query: NDArray[np.float32],
        k: int,
        excluded: Sequence[int],
        among: NDArray[np.bool_] | None,
        numbers: NDArray[np.intp],
        bound: tuple[NDArray[np.float32], float] | None,
    ) -> Neighbours | None:
        """The k best rows of proposed vectors; None if vectors that were not proposed might be better.

        Args:
            query, k, excluded, among: as in `nearest`.
            numbers: of the vectors.
            bound: their estimated dot products, and the error of these; None if there are no other vectors.
        """
        exact = query_cosines(self._vectors, self._rows.distinct.first[numbers].astype(np.intp), query)
        rows, places = self._rows.distinct.rows(numbers)
        kept = np.ones(len(rows), np.bool_) if among is None else among[rows]
        for row in excluded:
            kept &= rows != row
        rows, scores = rows[kept], exact[places[kept]]
        best = np.lexsort((rows, -scores))[:k]
        if bound is not None:
            estimates, error = bound
            error = max(error, float(np.sqrt(np.square(exact - estimates).mean())))
            if scores[best[-1]] < estimates[-1] + self.EXAMINED[self._rows.bits].safe * error:
                return None
        return Neighbours(rows[best], scores[best])


_NOTHING = Neighbours(np.empty(0, np.intp), np.empty(0, np.float32))
