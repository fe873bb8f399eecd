"""The exact nearest neighbours of many rows, by matrix products in tiles that take little memory.

A product estimates a cosine with a bounded error. Candidates are what may belong to the best k within that error; their
cosines are then computed by `pair_cosines`, and rank them. So the result does not depend on which product it is.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat

import numpy as np
from numpy.typing import NDArray

from steamdino.index.candidate_pool import CandidatePool, room
from steamdino.index.distinct_rows import DistinctRows
from steamdino.index.pair_cosines import pair_cosines
from steamdino.index.score_products import Product, SinglePrecisionProduct, fastest_product
from steamdino.index.vector_index import Neighbours
from steamdino.records import Progress

QUERIES, TARGETS = 1024, 4096
"""Rows and columns of a tile of scores: 16 MB."""

TOGETHER = 128
"""Queries whose part of a tile is searched at a time: 2 MB, which stay in the processor's cache."""

RANKED = 16
"""Queries whose candidates are ranked at a time."""

THREADS = min(8, os.cpu_count() or 1)
"""Threads that search the tiles; matrix products have their own."""

POOLED = 1 << 22
"""Most candidates of all queries of a block."""

MANY = 4096
"""Number of rows from which on identical vectors are found first, which takes a quarter of a second at 184,000 rows."""


def find(
    vectors: NDArray[np.float32],
    rows: NDArray[np.intp],
    k: int,
    *,
    among: NDArray[np.bool_] | None = None,
    progress: Progress | None = None,
) -> Iterator[tuple[slice, Neighbours]]:
    """Find the k nearest other rows of many rows, exactly.

    Args:
        vectors: float32, shape (n, d), unit rows. They may be mapped from a file, and are never copied as a whole.
        rows: intp, shape (m,): whose neighbours to find.
        k: number of neighbours, at least 1.
        among: bool, shape (n,): the rows that may be found; None for all.
        progress: called with (done, m).

    Yields:
        which of `rows`, in their order, and their neighbours: rows and cosines of shape (some, k). They are ranked by
        `pair_cosines`, of equal cosines the lower row first. Places without a neighbour hold the row -1 with a cosine
        of -1.
    """
    vectors = vectors.view(np.ndarray)
    allowed = np.arange(len(vectors)) if among is None else np.flatnonzero(among)
    targets = DistinctRows.of(vectors, allowed) if len(rows) >= MANY else DistinctRows.single(allowed)
    wanted = min(k + 1, len(targets))  # a row that is a target finds itself, too
    product = fastest_product(vectors, rows, len(targets), wanted)
    size = max(RANKED, min(QUERIES, POOLED // room(max(1, wanted))))
    with ThreadPoolExecutor(THREADS) as threads:
        for start in range(0, len(rows), size):
            block = slice(start, min(start + size, len(rows)))
            yield block, _found(vectors, rows[block], k, wanted, targets, product, threads)
            if progress:
                progress(block.stop, len(rows))


def entering(
    vectors: NDArray[np.float32], rows: NDArray[np.intp], least: NDArray[np.float32]
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """Find the rows to which some rows are near enough.

    Args:
        vectors: float32, shape (n, d), unit rows. They may be mapped from a file.
        rows: intp, shape (m,): the rows that are near.
        least: float32, shape (n,): the lowest cosine that counts for each row.

    Returns:
        intp targets, intp sources among `rows`, and their float32 cosines by `pair_cosines`, for all pairs of two rows
        whose cosine reaches the target's `least`.
    """
    vectors = vectors.view(np.ndarray)
    product = SinglePrecisionProduct(vectors.shape[1])
    found = [(np.empty(0, np.intp), np.empty(0, np.intp), np.empty(0, np.float32))]
    for first in range(0, len(rows), QUERIES):
        block = rows[first : first + QUERIES]
        queries = vectors[block]
        for start in range(0, len(vectors), TARGETS):
            scores = product(queries, vectors[start : start + TARGETS])
            edge = least[start : start + TARGETS] - np.float32(product.error)
            for part in range(0, len(block), TOGETHER):
                sources, targets = np.nonzero(scores[part : part + TOGETHER] >= edge)
                pairs = block[part + sources], targets + start
                cosines = pair_cosines(vectors, *pairs)
                kept = (cosines >= least[pairs[1]]) & (pairs[0] != pairs[1])
                if kept.any():
                    found.append((pairs[1][kept], pairs[0][kept], cosines[kept]))
    targets, sources, cosines = (np.concatenate(part) for part in zip(*found, strict=True))
    return targets, sources, cosines


def _found(
    vectors: NDArray[np.float32],
    rows: NDArray[np.intp],
    k: int,
    wanted: int,
    targets: DistinctRows,
    product: Product,
    threads: ThreadPoolExecutor,
) -> Neighbours:
    """The neighbours of a block of rows."""
    found = np.full((len(rows), k), -1, np.intp)
    cosines = np.full((len(rows), k), -1, np.float32)
    if not wanted:
        return Neighbours(found, cosines)
    queries = vectors[rows]
    parts = [slice(start, start + TOGETHER) for start in range(0, len(rows), TOGETHER)]
    pools = [_pool(vectors, rows[part], wanted, targets, product.error) for part in parts]
    run: Callable[..., Iterable[None]] = threads.map if len(parts) > 1 else map
    for place in range(0, len(targets), TARGETS):
        scores = product(queries, _tile(vectors, targets.first[place : place + TARGETS]))
        deque(run(CandidatePool.add, pools, [scores[part] for part in parts], repeat(place)), 0)

    def rank(part: slice, pool: CandidatePool) -> None:
        numbers, places = pool.candidates()
        for start in range(0, len(rows[part]), RANKED):
            own = slice(*np.searchsorted(numbers, (start, start + RANKED)))
            here = slice(part.start + start, min(part.start + start + RANKED, part.stop))
            found[here], cosines[here] = _ranked(
                vectors, rows[here], numbers[own] - start, places[own], k, targets
            )

    deque(run(rank, parts, pools), 0)
    return Neighbours(found, cosines)


def _pool(
    vectors: NDArray[np.float32], rows: NDArray[np.intp], wanted: int, targets: DistinctRows, error: float
) -> CandidatePool:
    def exact(query: int, places: NDArray[np.intp]) -> NDArray[np.float32]:
        return pair_cosines(vectors, np.full(len(places), rows[query]), targets.first[places].astype(np.intp))

    return CandidatePool(len(rows), wanted, error, exact)


def _tile(vectors: NDArray[np.float32], rows: NDArray[np.int32]) -> NDArray[np.float32]:
    first, last = int(rows[0]), int(rows[-1])
    return vectors[first : last + 1] if last - first == len(rows) - 1 else vectors[rows]


def _ranked(
    vectors: NDArray[np.float32],
    rows: NDArray[np.intp],
    numbers: NDArray[np.intp],
    places: NDArray[np.intp],
    k: int,
    targets: DistinctRows,
) -> Neighbours:
    """Rank the candidates of some rows by their cosines.

    Args:
        vectors: all.
        rows: intp, shape (some,).
        numbers: intp, shape (candidates,), rising: whose candidate it is, as a position in `rows`.
        places: intp, shape (candidates,): the candidate, as a number of `targets`.
        k: number of neighbours.
        targets: the distinct vectors.
    """
    cosines = pair_cosines(vectors, rows[numbers], targets.first[places].astype(np.intp))
    found, origins = targets.lowest(places, k + 1)
    numbers, cosines = numbers[origins], cosines[origins]
    others = found != rows[numbers]
    found, numbers, cosines = found[others], numbers[others], cosines[others]
    order = np.lexsort((found, -cosines, numbers))
    found, numbers, cosines = found[order], numbers[order], cosines[order]
    counts = np.bincount(numbers, minlength=len(rows))
    ranks = np.arange(len(numbers)) - np.repeat(np.cumsum(counts) - counts, counts)
    kept = ranks < k
    ranked = Neighbours(np.full((len(rows), k), -1, np.intp), np.full((len(rows), k), -1, np.float32))
    ranked.rows[numbers[kept], ranks[kept]] = found[kept]
    ranked.cosines[numbers[kept], ranks[kept]] = cosines[kept]
    return ranked
