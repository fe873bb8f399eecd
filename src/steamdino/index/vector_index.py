"""The interface of a search structure over a snapshot's vectors, and the records that it returns.

Nothing outside `steamdino.index` multiplies whole-banner vectors: callers ask an `Index`. `exact` compares all rows,
`quantised` few of many; `listed_index` answers from stored lists before it asks one of these. Another one is one new
file and one line in `index_registry`. It is easiest to write as a subclass of `exact.ExactIndex` that overrides
`build`, `open`, `save`, `nearest`, `neighbours` and `recall`, since `scores`, `similarity` and `subset` must be exact
in any case.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from steamdino.records import Progress
from steamdino.storage.scratch_array import scratch_array


class Neighbours(NamedTuple):
    """Rows and their cosines, the most similar first. Of equal cosines the lower row comes first.

    Attributes:
        rows: intp, shape (k,) for one query, (m, k) for many.
        cosines: float32, of the same shape, clipped to [-1, 1].
    """

    rows: NDArray[np.intp]
    cosines: NDArray[np.float32]

    @classmethod
    def none(cls, queries: int, k: int) -> Neighbours:
        """Return places for k neighbours of many queries, without any yet; large ones are in temporary files."""
        return cls(scratch_array((queries, k), np.intp, -1), scratch_array((queries, k), np.float32, -1))


class ClosePairs(NamedTuple):
    """Pairs of rows, each pair once.

    Attributes:
        first, second: intp, shape (pairs,); first < second.
        cosines: float32, shape (pairs,), clipped to [-1, 1].
    """

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    cosines: NDArray[np.float32]


class Index(Protocol):
    """Search by cosine similarity over rows of unit length. Threads may share it: it does not change.

    Attributes:
        name: what a snapshot's manifest calls this kind of index.
        vectors: float32, shape (n, d), unit rows. They may be mapped from a file and must not be written to.
    """

    name: ClassVar[str]

    @property
    def vectors(self) -> NDArray[np.float32]:
        """The vectors that it searches."""

    @property
    def listed(self) -> int:
        """How many nearest neighbours of each row it knows without searching; 0 if it has to search."""

    @classmethod
    def build(cls, vectors: NDArray[np.float32]) -> Self:
        """Index vectors: float32, shape (n, d), unit rows.

        Raises:
            ValueError: they cannot be indexed.
            ImportError: a library that it needs is not installed.
        """

    @classmethod
    def open(cls, folder: Path, vectors: NDArray[np.float32]) -> Self:
        """Open what `save` wrote into a snapshot's folder.

        Args:
            folder: the snapshot's.
            vectors: the snapshot's ``vectors.npy``, mapped.

        Raises:
            ValueError: a file is damaged.
            FileNotFoundError: a file is missing.
            ImportError: a library that it needs is not installed.
        """

    def save(self, folder: Path) -> Sequence[str]:
        """Write what `open` needs besides ``vectors.npy`` into a snapshot's folder; return the files' names."""

    def __len__(self) -> int:
        """How many rows it has."""

    def nearest(
        self,
        query: NDArray[np.float32],
        k: int,
        *,
        exclude: Sequence[int] = (),
        among: NDArray[np.bool_] | None = None,
    ) -> Neighbours:
        """Find the k rows most similar to a query.

        Args:
            query: float32, shape (d,), unit length.
            k: number of rows; fewer are returned if there are fewer.
            exclude: rows that must not be found (the query's own), each once.
            among: bool, shape (n,): the rows that may be found; None for all.
        """

    def neighbours(
        self,
        k: int,
        *,
        rows: NDArray[np.intp] | None = None,
        among: NDArray[np.bool_] | None = None,
        progress: Progress | None = None,
    ) -> Neighbours:
        """Find the k nearest other rows of each of many rows.

        Args:
            k: number of neighbours, at least 1; fewer are returned if there are fewer.
            rows: intp, shape (m,): whose neighbours to find; None for all rows.
            among: bool, shape (n,): the rows that may be found; None for all.
            progress: called with (done, m).

        Returns:
            rows and cosines of shape (m, min(k, rows that may be found)). A row never finds itself. If that leaves it
            one neighbour short, its last place holds the row -1 with a cosine of -1.
        """

    def close_pairs(self, least: float, *, progress: Progress | None = None) -> ClosePairs:
        """Find all pairs of rows whose cosine reaches a threshold, and each row's nearest neighbour in any case.

        Args:
            least: the lowest cosine that counts.
            progress: called with (rows done, n).
        """

    def scores(self, queries: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compute the exact dot product of each query with every row, for callers that need all of them.

        Args:
            queries: float32, shape (d,) or (q, d); of any length.

        Returns:
            float32, shape (n,) or (q, n), not clipped.
        """

    def similarity(self, first: int, second: int) -> float:
        """Compute the exact cosine of two rows, clipped to [-1, 1]."""

    def subset(self, rows: NDArray[np.intp]) -> Index:
        """Index some of the rows: row i of the result is ``rows[i]`` of this index.

        Args:
            rows: intp, rising, each once. If these are all rows, nothing is copied.
        """

    def recall(self, k: int = 10, *, asked: int = 200) -> float:
        """The share of the true k nearest neighbours that `neighbours` finds: 1.0 if it is exact.

        Args:
            k: number of neighbours.
            asked: number of rows by which it is measured, always the same ones.
        """
