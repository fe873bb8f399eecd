"""Makes a colour profile of the chunks with which a PNG describes its colours without one.

gAMA says with which exponent light was encoded, and cHRM which red, green, blue and white are meant (PNG Specification,
third edition, 11.3.2.1 and 11.3.2.2). A profile (ICC.1:2010, version 4) says the same.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SRGB_CHROMATICITIES = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
"""White, red, green and blue of sRGB (IEC 61966-2-1), as x and y."""

D50 = np.array([0.9642, 1.0, 0.8249])
"""The white of all profiles, as X, Y and Z (ICC.1:2010, 7.2.16)."""

BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])
"""From X, Y and Z to the responses in which a white becomes another one (ICC.1:2010, annex E)."""

SIGNIFICANT = 0.05
"""How far the exponent must be from that of sRGB, as a share, to be told apart from it: what libpng takes."""

SRGB_GAMMA = 1 / 2.2


def profile_of(image: Image.Image) -> bytes:
    """Return the profile that a PNG's chunks describe; empty if they describe none, or colours that are sRGB's.

    It is for RGB, also where the picture is grey.
    """
    info = image.info
    gamma = info.get("gamma")
    if "srgb" in info or not gamma or not 0.01 < gamma < 10:
        return b""
    chromaticities = info.get("chromaticity", SRGB_CHROMATICITIES)
    is_usual = abs(gamma / SRGB_GAMMA - 1) < SIGNIFICANT
    if is_usual and np.allclose(chromaticities, SRGB_CHROMATICITIES, atol=0.001):
        return b""
    columns = _primaries(chromaticities)
    if columns is None:
        return b""
    exponent = 2.2 if is_usual else 1 / gamma
    curve = _curve(exponent)
    return _profile(
        {b"wtpt": _xyz(D50)}
        | {tag + b"XYZ": _xyz(column) for tag, column in zip((b"r", b"g", b"b"), columns.T, strict=True)}
        | {tag + b"TRC": curve for tag in (b"r", b"g", b"b")},
    )


def _primaries(chromaticities: Sequence[float]) -> NDArray[np.float64] | None:
    """X, Y and Z of red, green and blue under D50, in columns; None if they span no colours."""
    x, y = np.array(chromaticities, np.float64).reshape(4, 2).T
    if not np.isfinite(x).all() or (y <= 0).any():
        return None
    white, *colours = np.stack([x / y, np.ones(4), (1 - x - y) / y], axis=1)
    matrix = np.array(colours).T
    if abs(np.linalg.det(matrix)) < 1e-6:
        return None
    matrix = matrix * np.linalg.solve(matrix, white)
    scale = np.diag((BRADFORD @ D50) / (BRADFORD @ white))
    adapted: NDArray[np.float64] = np.linalg.inv(BRADFORD) @ scale @ BRADFORD @ matrix
    return adapted if np.abs(adapted).max() < 100 else None


def _fixed(*numbers: float) -> bytes:
    return struct.pack(f">{len(numbers)}i", *(round(number * 65536) for number in numbers))


def _xyz(values: NDArray[np.float64]) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(*values)


def _curve(exponent: float) -> bytes:
    return b"para" + bytes(8) + _fixed(exponent)


def _profile(elements: dict[bytes, bytes]) -> bytes:
    text = "PNG chunks".encode("utf-16-be")
    words = b"mluc" + bytes(4) + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(text), 28) + text
    tags = {b"desc": words, b"cprt": words} | elements
    start, table, data = 128 + 4 + 12 * len(tags), b"", b""
    for tag, element in tags.items():
        table += tag + struct.pack(">II", start + len(data), len(element))
        data += element + bytes(-len(element) % 4)
    size = start + len(data)
    header = struct.pack(
        ">I4xI4s4s4s12x4s28x", size, 0x04200000, b"mntr", b"RGB ", b"XYZ ", b"acsp"
    ) + _fixed(*D50)
    return header + bytes(128 - len(header)) + struct.pack(">I", len(tags)) + table + data
