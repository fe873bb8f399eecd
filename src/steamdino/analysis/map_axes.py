"""Projects vectors onto their first two principal components, in blocks."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

BLOCK = 4096
"""Vectors in memory at a time."""


def main_axes(vectors: NDArray[np.float32], rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """Project some vectors onto their first two principal components.

    Args:
        vectors: shape (n, d); they may be mapped from a file, and are not copied.
        rows: which of them.

    Returns:
        float64, shape (len(rows), 2); zeros where there are no components. The largest value of each is positive, since
        the sign of an axis is arbitrary.
    """
    count, dim = len(rows), vectors.shape[1]
    places = np.zeros((count, 2))
    if count < 2:
        return places
    mean = sum((block.sum(axis=0) for block in _blocks(vectors, rows)), np.zeros(dim)) / count
    products = np.zeros((dim, dim))
    for block in _blocks(vectors, rows):
        block -= mean
        products += block.T @ block
    _, axes = np.linalg.eigh(products)  # the largest is the last
    axes = axes[:, ::-1][:, : min(2, dim)]
    start = 0
    for block in _blocks(vectors, rows):
        places[start : start + len(block), : axes.shape[1]] = (block - mean) @ axes
        start += len(block)
    signs = np.sign(places[np.abs(places).argmax(axis=0), np.arange(2)])
    places *= signs
    return places


def _blocks(vectors: NDArray[np.float32], rows: NDArray[np.intp]) -> Iterator[NDArray[np.float64]]:
    for start in range(0, len(rows), BLOCK):
        yield vectors[rows[start : start + BLOCK]].astype(np.float64)
