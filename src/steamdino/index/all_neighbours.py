"""Exact neighbours of many rows, ranked by cosines that do not depend on how they were found."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from steamdino.index.pair_cosines import pair_cosines
from steamdino.index.vector_index import Neighbours
from steamdino.records import Progress

ROUNDING = 2e-6
"""Difference of two cosines that rounding explains."""

SCORES = 1 << 23
"""Products of rows that are computed at a time: 32 MB."""


def find(
    vectors: NDArray[np.float32], rows: NDArray[np.intp], k: int, *, progress: Progress | None = None
) -> Iterator[tuple[slice, Neighbours]]:
    """Find the k nearest other rows of each of some rows, among all rows.

    Args:
        vectors: float32, shape (n, d), unit rows.
        rows: intp, shape (m,): whose neighbours to find.
        k: number of neighbours.
        progress: called with (done, m).

    Yields:
        blocks in the order of `rows`: which part of them it is, and their neighbours, shape (block, k). Of equal
        cosines the lower row comes first. Where there are fewer than k others, the row -1 with a cosine of -1 follows.
    """
    step = max(1, SCORES // max(1, len(vectors)))
    for start in range(0, len(rows), step):
        block = rows[start : start + step]
        found = _nearest(vectors, block, k)
        if progress:
            progress(start + len(block), len(rows))
        yield slice(start, start + len(block)), found


def _nearest(vectors: NDArray[np.float32], block: NDArray[np.intp], k: int) -> Neighbours:
    found = Neighbours(np.full((len(block), k), -1, np.intp), np.full((len(block), k), -1, np.float32))
    most = min(k, len(vectors) - 1)
    if most <= 0:
        return found
    scores = vectors[block] @ vectors.T
    scores[np.arange(len(block)), block] = -np.inf
    edge = np.partition(scores, -most, axis=1)[:, -most] - np.float32(ROUNDING)
    places, others = np.nonzero(scores >= edge[:, None])
    cosines = pair_cosines(vectors, block[places], others)
    order = np.lexsort((others, -cosines, places))
    places, others, cosines = places[order], others[order], cosines[order]
    rank = np.arange(len(places)) - np.searchsorted(places, places)
    kept = rank < k
    found.rows[places[kept], rank[kept]] = others[kept]
    found.cosines[places[kept], rank[kept]] = cosines[kept]
    return found


def entering(
    vectors: NDArray[np.float32], rows: NDArray[np.intp], least: NDArray[np.float32]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """Find all rows to which some rows are similar enough.

    Args:
        vectors: float32, shape (n, d), unit rows.
        rows: intp, shape (m,): the rows that may be similar to others.
        least: float32, shape (n,): for each row the lowest cosine that counts.

    Returns:
        targets, sources: intp, shape (pairs,): a source is one of `rows`, and no pair's target is its source.
        cosines: float32, shape (pairs,), at least ``least[targets]``.
    """
    found = [(np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0, np.float32))]
    step = max(1, SCORES // max(1, len(vectors)))
    for start in range(0, len(rows), step):
        block = rows[start : start + step]
        places, targets = np.nonzero(vectors[block] @ vectors.T >= least - np.float32(ROUNDING))
        sources = block[places]
        others = targets != sources
        targets, sources = targets[others], sources[others]
        cosines = pair_cosines(vectors, targets, sources)
        enough = cosines >= least[targets]
        found.append((targets[enough], sources[enough], cosines[enough]))
    targets, sources, cosines = (np.concatenate(part) for part in zip(*found, strict=True))
    return targets, sources, cosines
