"""Cosines of pairs of rows that are equal to the last bit however they are computed.

A matrix product rounds differently in blocks of other shapes. What is stored must not depend on that, so the stored
cosine of a pair always comes from here.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NUMBERS = 1 << 18
"""Products that are summed at a time: they fit a processor's cache."""


def pair_cosines(
    vectors: NDArray[np.float32], first: NDArray[np.intp], second: NDArray[np.intp]
) -> NDArray[np.float32]:
    """Compute the cosines of pairs of rows.

    The cosine of a pair depends on nothing but its two vectors: not on their order, nor on the other pairs.

    Args:
        vectors: float32, shape (n, d), unit rows.
        first, second: intp, shape (pairs,): the rows of each pair.

    Returns:
        float32, shape (pairs,), clipped to [-1, 1].
    """
    found = np.empty(len(first), np.float32)
    step = max(1, NUMBERS // max(1, vectors.shape[1]))
    for start in range(0, len(first), step):
        products = vectors[first[start : start + step]]
        products *= vectors[second[start : start + step]]
        found[start : start + step] = _sums(products)
    return np.clip(found, -1, 1, out=found)


def _sums(products: NDArray[np.float32]) -> NDArray[np.float32]:
    """The sum of each row, which is overwritten: the second half of the columns is added to the first, and so on.

    NumPy's own sums may add in an order that depends on the shape and on the processor.
    """
    width = products.shape[1]
    if not width:
        return np.zeros(len(products), np.float32)
    while width > 1:
        half = width // 2
        products[:, :half] += products[:, width - half : width]
        width -= half
    return products[:, 0]
