"""Counts the bits in which hashes differ."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_TABLE = np.array([number.bit_count() for number in range(1 << 16)], np.uint8)
_HAS_COUNT = hasattr(np, "bitwise_count")  # from NumPy 2.0 on


def differing_bits(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Count the bits in which pairs of hashes differ: uint16, shape (m,).

    Args:
        first, second: uint8, shape (m, bytes), with a multiple of eight bytes, contiguous.
    """
    differing = first.view(np.uint64) ^ second.view(np.uint64)
    counts = np.bitwise_count(differing) if _HAS_COUNT else _TABLE[differing.view(np.uint16)]
    found: NDArray[np.uint16] = counts.sum(axis=1, dtype=np.uint16)
    return found
