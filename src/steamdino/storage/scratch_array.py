"""Arrays that may be too large for memory, in files that nobody else sees."""

from __future__ import annotations

import math
import tempfile
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

LARGE = 32 << 20
"""Bytes from which on an array is in a file."""


def scratch_array(shape: tuple[int, ...], dtype: DTypeLike, fill: float = 0) -> NDArray[Any]:
    """Make an array of one value.

    A large one is mapped from a temporary file, which is gone when the array is: the system may move it out of memory.
    """
    if math.prod(shape) * np.dtype(dtype).itemsize < LARGE:
        return np.full(shape, fill, dtype)
    with tempfile.TemporaryFile() as file:  # the mapping keeps it
        made = np.memmap(file, dtype, shape=shape).view(np.ndarray)
    if fill:
        made.fill(fill)
    return made
