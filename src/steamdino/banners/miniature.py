"""A picture in 16 x 24 colours: enough to see a band, a badge or another hue, which a hash of its edges does not."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from steamdino.banners.decode import decode, frame

VERSION = 1
"""Of the computation; another one is not comparable."""

SIZE = (16, 24)
"""Width and height. Whatever the picture's shape is, it is squeezed into these."""

COLOURS = 3 * SIZE[0] * SIZE[1]
"""Bytes of one frame: RGB, row by row."""

FAINT = 1.0
"""Length of the grey values, less their mean, below which a miniature shows nothing but rounding errors."""

_LUMA = (0.299, 0.587, 0.114)

_FRAMES = struct.Struct("<I")
LENGTH = _FRAMES.size + 2 * COLOURS
"""Bytes of a miniature: the number of frames, the first frame, and the one in the middle."""


def miniature(data: bytes) -> bytes:
    """Compute the miniature of a picture's file: `LENGTH` bytes.

    Raises:
        PictureError: it cannot be decoded.
    """
    first = _small(decode(data))
    count, middle = frame(data)
    return _FRAMES.pack(count) + first + (first if middle is None else _small(middle))


def difference(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Compute the largest difference of two miniatures in any colour of any place; 256 if they differ in their frames.

    Args:
        first: uint8, shape (m, LENGTH).
        second: the same.

    Returns:
        int16, shape (m,).
    """
    colours = slice(_FRAMES.size, None)
    high = np.maximum(first[:, colours], second[:, colours])
    low = np.minimum(first[:, colours], second[:, colours])
    found: NDArray[np.int16] = (high - low).max(axis=1).astype(np.int16)
    found[(first[:, : _FRAMES.size] != second[:, : _FRAMES.size]).any(axis=1)] = 256
    return found


def correlation(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Correlate the grey values of two miniatures, whatever their contrast; -1 if they differ in their frames.

    Args:
        first: uint8, shape (m, LENGTH).
        second: the same.

    Returns:
        float32, shape (m,); 0 for a miniature of one grey.
    """
    found: NDArray[np.float32] = np.einsum("ij,ij->i", _greys(first), _greys(second))
    found[(first[:, : _FRAMES.size] != second[:, : _FRAMES.size]).any(axis=1)] = -1
    return found


def _greys(made: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The grey values of miniatures, with a mean of 0 and length 1."""
    colours = made[:, _FRAMES.size :].reshape(len(made), -1, 3)
    greys: NDArray[np.float32] = np.matmul(colours, np.array(_LUMA, np.float32), dtype=np.float32)
    greys -= greys.mean(axis=1, keepdims=True)
    greys /= np.maximum(np.linalg.norm(greys, axis=1, keepdims=True), FAINT)
    return greys


def _small(image: Image.Image) -> bytes:
    # Its windows overlap, so that pictures of other sizes, whose pixels lie elsewhere, get nearly the same colours.
    return image.resize(SIZE, Image.Resampling.BILINEAR).tobytes()
