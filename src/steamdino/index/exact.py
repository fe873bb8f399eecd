"""Exact nearest neighbours by cosine: a dot product over unit rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from steamdino.records import Progress

BLOCK = 64
"""Scores whose maximum is taken first, to find few candidates among many."""

MANY = 512
"""Rows whose neighbours are looked for at a time: 370 MB of scores at 180,000 games."""


def nearest(
    vectors: NDArray[np.float32],
    query: NDArray[np.float32],
    k: int,
    *,
    exclude: Sequence[int] = (),
    among: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """The k rows most similar to a query, most similar first; of equal ones the lower row first.

    Args:
        vectors: float32, shape (n, d), unit rows.
        query: float32, shape (d,), unit length.
        k: how many; fewer come back where there are fewer.
        exclude: rows to leave out (the query's own), each once.
        among: bool, shape (n,): the rows that may be found; None for all.

    Returns:
        the rows and their cosines, clipped to [-1, 1].
    """
    scores = vectors @ query
    scores[list(exclude)] = -np.inf
    left = len(scores) - len(exclude)
    if among is not None:
        scores[~among] = -np.inf
        left = int(among.sum()) - int(among[list(exclude)].sum())
    k = min(k, left)
    if k <= 0:
        return np.empty(0, np.intp), np.empty(0, np.float32)
    return _best(scores, k)


def neighbours(
    vectors: NDArray[np.float32],
    k: int,
    *,
    rows: NDArray[np.intp] | None = None,
    among: NDArray[np.bool_] | None = None,
    progress: Progress | None = None,
) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """The k nearest other rows of many rows at once: what `nearest` gives for each, computed in blocks.

    Args:
        vectors: float32, shape (n, d), unit rows.
        k: how many, at least 1; fewer come back where there are fewer.
        rows: whose neighbours are wanted, shape (m,); None for all.
        among: bool, shape (n,): the rows that may be found; None for all.
        progress: called with (done, m).

    Returns:
        rows and cosines, each of shape (m, min(k, rows that may be found)), the most similar first. Where a row has one
        neighbour less than that, since it may not find itself, its last place holds -1 and a cosine of -1.
    """
    wanted = np.arange(len(vectors)) if rows is None else rows
    k = min(k, len(vectors) - 1 if among is None else int(among.sum()))
    found = np.empty((len(wanted), max(k, 0)), np.intp)
    cosines = np.empty((len(wanted), max(k, 0)), np.float32)
    buffer = np.empty((min(MANY, len(wanted)), len(vectors)), np.float32)
    for start in range(0, len(wanted) if k > 0 else 0, MANY):
        block = wanted[start : start + MANY]
        scores = np.matmul(vectors[block], vectors.T, out=buffer[: len(block)])
        scores[np.arange(len(block)), block] = -np.inf
        if among is not None:
            scores[:, ~among] = -np.inf
        for position, own in enumerate(scores, start):
            found[position], cosines[position] = _best(own, k)
            if among is not None and own[found[position, -1]] == -np.inf:
                found[position, -1] = -1
        if progress:
            progress(start + len(block), len(wanted))
    return found, cosines


def _best(scores: NDArray[np.float32], k: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """The rows of the k largest scores, and these, clipped to [-1, 1]; of equal ones the lower row first."""
    if k == 1:
        row = np.array([scores.argmax()])  # of equal ones the first
        return row, np.clip(scores[row], -1, 1)
    # At least k scores reach the k-th best of the blocks' maxima, so that whatever is below it is out. This is exact
    # and faster than a partition of all scores, whose choice among equals at the edge would be arbitrary besides.
    best = np.maximum.reduceat(scores, np.arange(0, len(scores), BLOCK))
    edge = np.partition(best, -k)[-k] if k <= len(best) else -np.inf
    rows = np.flatnonzero(scores >= edge)
    rows = rows[np.lexsort((rows, -scores[rows]))][:k]
    return rows, np.clip(scores[rows], -1, 1)
