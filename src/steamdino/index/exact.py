"""Exact nearest neighbours by cosine: a dot product over unit rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

BLOCK = 64
"""Scores whose maximum is taken first, to find few candidates among many."""


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
    # At least k scores reach the k-th best of the blocks' maxima, so that whatever is below it is out. This is exact
    # and faster than a partition of all scores, whose choice among equals at the edge would be arbitrary besides.
    best = np.maximum.reduceat(scores, np.arange(0, len(scores), BLOCK))
    edge = np.partition(best, -k)[-k] if k <= len(best) else -np.inf
    rows = np.flatnonzero(scores >= edge)
    rows = rows[np.lexsort((rows, -scores[rows]))][:k]
    return rows, np.clip(scores[rows], -1, 1)
