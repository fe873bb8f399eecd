"""NumPy's files, read without believing them: a header of one form, and as many bytes as it says.

NumPy's own reader takes whatever types, orders and sizes a header names, allocates first, and evaluates the header as
Python. What this program writes has one form only.
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
"""Bytes; NumPy writes 118 for an array of two dimensions."""

BLOCK = 1 << 20
"""Bytes at a time."""

_FORM = re.compile(
    rb"\{'descr': '<f([248])', 'fortran_order': False, 'shape': \((\d{1,12}), ?(\d{1,12})?\), \} *\n"
)


@dataclass(frozen=True, slots=True)
class ArrayHeader:
    """What a file's header says.

    Attributes:
        width: bytes of a number: 2, 4 or 8 (float16, float32, float64; little-endian).
        shape: of one or two dimensions.
        length: of the header itself, in bytes.
    """

    width: int
    shape: tuple[int, ...]
    length: int

    @property
    def bytes(self) -> int:
        """Of the whole file."""
        return self.length + self.width * prod(self.shape)


def read_header(file: IO[bytes]) -> ArrayHeader:
    """Reads the header of an array of floats in C order; the file stands at the numbers afterwards.

    Raises:
        ValueError: it has none, or one of another form.
    """
    start = file.read(8)
    sizes = {b"\x93NUMPY\x01\x00": "<H", b"\x93NUMPY\x02\x00": "<I"}
    if start not in sizes:
        raise ValueError(f"it does not begin as an array of NumPy does, but with {shown(start)}")
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
    """Reads the numbers that follow a header, some whole rows at a time: shape (n, *header.shape[1:]).

    Raises:
        ValueError: there are fewer than the header says, or more.
    """
    rest = header.shape[1:]
    row = max(1, header.width * prod(rest))
    step = max(1, BLOCK // row)
    for start in range(0, header.shape[0], step):
        count = min(step, header.shape[0] - start)
        data = file.read(count * row)
        if len(data) != count * header.width * prod(rest):
            raise ValueError(f"it breaks off: its header says {shown(header.shape)}")
        yield np.frombuffer(data, f"<f{header.width}").reshape(count, *rest)
    if file.read(1):
        raise ValueError(f"it goes on after its {shown(header.shape)} numbers")
