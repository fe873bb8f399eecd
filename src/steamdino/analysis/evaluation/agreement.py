"""Measures how much two descriptors agree about which games are alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from steamdino.analysis.evaluation.metrics import Rows
from steamdino.index.vector_index import Index

NEIGHBOURS = 10


def neighbours(index: Index, rows: Rows, k: int = NEIGHBOURS) -> Rows:
    """Find the nearest neighbours of some rows.

    Args:
        index: of n rows.
        rows: the query rows. A row is not its own neighbour.
        k: number of neighbours; fewer if there are fewer rows.

    Returns:
        intp, shape (len(rows), min(k, n - 1)).
    """
    found = [index.nearest(index.vectors[row], k, exclude=[int(row)]).rows for row in rows]
    return np.stack(found) if found else np.empty((0, min(k, len(index) - 1)), np.intp)


def agreement(neighbourhoods: Sequence[Rows]) -> NDArray[np.float64]:
    """Compute the mean share of neighbours that two descriptors have in common.

    Args:
        neighbourhoods: for each descriptor, what `neighbours` returned for the same rows.

    Returns:
        float64, shape (descriptors, descriptors), symmetric, 1 on the diagonal.
    """
    count = len(neighbourhoods)
    shares = np.eye(count)
    for a in range(count):
        for b in range(a):
            same = neighbourhoods[a][:, :, None] == neighbourhoods[b][:, None, :]
            shares[a, b] = shares[b, a] = same.any(axis=2).mean()
    return shares
