"""Vectors in few bits for a download: what ranks all games, and what puts the best of them in order.

Coordinates are rounded to multiples of one step, for all games and coordinates the same, which spends more bits on
coordinates that vary more. The levels of a shard are written coordinate by coordinate and then Huffman-coded, so a
coordinate takes about as many bits as its entropy: some four.

That ranks the right games among the first few dozen, but their order is not exact. The rest of each coordinate, what
rounding took away, is written in eight bits more. A search reads it for its candidates only, in files of a few games.
"""

from __future__ import annotations

import math
import zlib

import numpy as np
from numpy.typing import NDArray

STEP = 0.27
"""Step for vectors of length 1, times the square root of their dimensions. `benchmarks/picture_search.py` measures
what follows from it."""

ROWS = 4096
"""Games of a shard: so few that several load side by side, so many that Huffman's tables do not count."""

REST_ROWS = 32
"""Games of a file with the rest of their vectors."""

PARTS = 256
"""Parts of a step that the rest is told in."""

_GZIP = 16 + zlib.MAX_WBITS

Floats = NDArray[np.float32]


def step_of(dim: int) -> float:
    """Return the step for vectors with so many dimensions."""
    return STEP / math.sqrt(dim)


def shard(vectors: Floats, step: float) -> bytes:
    """Return the levels of some vectors as gzip: int8, shape (dim, n).

    Args:
        vectors: float32, shape (n, dim), rows of length 1.
        step: see `step_of`.
    """
    return packed(np.ascontiguousarray(_levels(vectors, step).T).tobytes(), huffman=True)


def rest(vectors: Floats, step: float) -> bytes:
    """Return what rounding took away from some vectors, in parts of a step: uint8, shape (n, dim).

    0 is from -128/256 to -127/256 of a step, 255 from 127/256 to 128/256.
    """
    away = vectors / np.float32(step) - _levels(vectors, step)
    parts: NDArray[np.uint8] = np.clip(np.floor((away + 0.5) * PARTS), 0, PARTS - 1).astype(np.uint8)
    return parts.tobytes()


def packed(data: bytes, *, huffman: bool = False) -> bytes:
    """Return data as gzip without a date, so that equal data gives equal files.

    Args:
        data: what to compress.
        huffman: do not look for repetitions, which numbers do not have.
    """
    strategy = zlib.Z_HUFFMAN_ONLY if huffman else zlib.Z_DEFAULT_STRATEGY
    press = zlib.compressobj(9, zlib.DEFLATED, _GZIP, 9, strategy)
    return press.compress(data) + press.flush()


def _levels(vectors: Floats, step: float) -> NDArray[np.int8]:
    levels: NDArray[np.int8] = np.clip(np.rint(vectors / np.float32(step)), -127, 127).astype(np.int8)
    return levels
