"""The nearest neighbours of many games of one snapshot at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steamdino.analysis.neighbours_among import mask_of
from steamdino.errors import UsageError
from steamdino.records import Filter, Progress
from steamdino.search import Snapshot
from steamdino.search.cutoff import Cutoff

BLOCK = 4096
"""Queries whose matches are compared with a cutoff at a time."""


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Queries and their matches, as rows of a snapshot.

    Attributes:
        snapshot: the snapshot.
        queries: intp, shape (m,).
        rows: intp, shape (m, k), the most similar first, without the query itself; -1 if there are too few.
        cosines: float32, shape (m, k).
    """

    snapshot: Snapshot
    queries: NDArray[np.intp]
    rows: NDArray[np.intp]
    cosines: NDArray[np.float32]

    @classmethod
    def of(
        cls,
        snapshot: Snapshot,
        k: int,
        queries: Sequence[int] | None = None,
        *,
        only: Filter | None = None,
        cutoff: Cutoff | None = None,
        progress: Progress | None = None,
    ) -> Neighbourhood:
        """Find the k nearest games of each query.

        Args:
            snapshot: the snapshot to search.
            k: maximum number of matches for each query.
            queries: rows of the queries; None for all rows that the filter allows.
            only: which games may be found; None for all that are not hidden.
            cutoff: the least that a match must have; None for any match.
            progress: called with (done, total).

        Raises:
            UsageError: k is below 1.
        """
        if k < 1:
            raise UsageError(f"k is {k}; it must be at least 1")
        allowed = snapshot.rows(only)
        among = mask_of(snapshot.index, allowed)
        wanted = allowed if queries is None else np.array(queries, np.intp)
        rows, cosines = snapshot.index.neighbours(k, rows=wanted, among=among, progress=progress)
        if cutoff:
            for start in range(0, len(rows), BLOCK):
                _cut(rows[start : start + BLOCK], cosines[start : start + BLOCK], snapshot, cutoff)
        return cls(snapshot, wanted, rows, cosines)

    def __len__(self) -> int:
        return len(self.queries)

    def __iter__(self) -> Iterator[tuple[int, list[int], list[float]]]:
        """Yield each query's row, its matches' rows, and their cosines."""
        for query, rows, cosines in zip(self.queries.tolist(), self.rows, self.cosines, strict=True):
            found = rows >= 0
            yield query, rows[found].tolist(), cosines[found].tolist()


def _cut(rows: NDArray[np.intp], cosines: NDArray[np.float32], snapshot: Snapshot, cutoff: Cutoff) -> None:
    """Empty the places of the matches that do not pass."""
    known = snapshot.manifest.similarity
    failing = ~cutoff.passes(cosines, known.percentiles(cosines) if known else np.full(cosines.shape, np.nan))
    rows[failing], cosines[failing] = -1, -1
