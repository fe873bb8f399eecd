"""Read NumPy's .npy files without trusting them: only one form of header, with exactly the data that it declares.

NumPy's own reader accepts any type, order and size that a header declares, allocates memory first, and evaluates the
header as Python. The files of this program have one form only.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import IO

import numpy as np
from numpy.typing import NDArray

from steamdino.wellformed import shown

LONGEST_HEADER = 1024
"""Bytes; NumPy writes 118 for a two-dimensional array."""

BLOCK = 1 << 20
"""Bytes per read."""

_FORM = re.compile(
    rb"\{'descr': '<f([248])', 'fortran_order': False, 'shape': \((\d{1,12}), ?(\d{1,12})?\), \} *\n"
)


@dataclass(frozen=True, slots=True)
class ArrayHeader:
    """The contents of a file's header.

    Attributes:
        width: bytes per number: 2, 4 or 8 (float16, float32, float64; little-endian).
        shape: one or two dimensions.
        length: size of the header itself in bytes.
    """

    width: int
    shape: tuple[int, ...]
    length: int

    @property
    def bytes(self) -> int:
        """Size of the whole file in bytes."""
        return self.length + self.width * prod(self.shape)


def read_header(file: IO[bytes]) -> ArrayHeader:
    """Read the header of an array of floats in C order; leave the file positioned at the data.

    Raises:
        ValueError: there is no header, or one of another form.
    """
    start = file.read(8)
    sizes = {b"\x93NUMPY\x01\x00": "<H", b"\x93NUMPY\x02\x00": "<I"}
    if start not in sizes:
        raise ValueError(f"it does not begin like a NumPy array, but with {shown(start)}")
    size = struct.calcsize(sizes[start])
    written = file.read(size)
    (length,) = struct.unpack(sizes[start], written) if len(written) == size else (0,)
    if length > LONGEST_HEADER:
        raise ValueError(f"its header has {length:,} bytes; at most {LONGEST_HEADER:,} are read")
    text = file.read(length)
    found = _FORM.fullmatch(text)
    if found is None:
        raise ValueError(
            f"its header is {shown(text)}; only arrays of floats in C order are read, no pickles"
        )
    shape = tuple(int(side) for side in found.groups()[1:] if side is not None)
    return ArrayHeader(int(found[1]), shape, len(start) + size + length)


def blocks(file: IO[bytes], header: ArrayHeader) -> Iterator[NDArray[np.floating]]:
    """Read the data that follow a header in blocks of whole rows: shape (n, *header.shape[1:]).

    Raises:
        ValueError: there are fewer numbers than the header declares, or more.
    """
    rest = header.shape[1:]
    row = max(1, header.width * prod(rest))
    step = max(1, BLOCK // row)
    for start in range(0, header.shape[0], step):
        count = min(step, header.shape[0] - start)
        data = file.read(count * row)
        if len(data) != count * header.width * prod(rest):
            raise ValueError(f"it is truncated: its header says {shown(header.shape)}")
        yield np.frombuffer(data, f"<f{header.width}").reshape(count, *rest)
    if file.read(1):
        raise ValueError(f"it has more data than its {shown(header.shape)} numbers")
