"""A picture in 16 x 24 colours and 48 x 72 greys.

The colours show a band, a badge or another hue, which a hash of its edges does not. The greys show a small line of
text, which is lost among the colours.
"""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from steamdino.banners.decode import decode, frame

VERSION = 2
"""Of the computation; another one is not comparable."""

SIZE = (16, 24)
"""Width and height. Whatever the picture's shape is, it is squeezed into these."""

COLOURS = 3 * SIZE[0] * SIZE[1]
"""Bytes of one frame: RGB, row by row."""

GREY_SIZE = (48, 72)
"""Width and height of the grey picture. Copies of a third of the size still have so many pixels."""

GREYS = GREY_SIZE[0] * GREY_SIZE[1]
"""Bytes of the grey picture, row by row."""

SPOT = 4
"""Width and height, in greys, of the spots that are compared."""

FAINT = 1.0
"""Length of the grey values, less their mean, below which a miniature shows nothing but rounding errors."""

_LUMA = (0.299, 0.587, 0.114)

_FRAMES = struct.Struct("<I")
_COLOURS = slice(_FRAMES.size, _FRAMES.size + 2 * COLOURS)
LENGTH = _COLOURS.stop + GREYS
"""Bytes of a miniature: the number of frames, the first frame and the one in the middle, and the first in greys."""


def miniature(data: bytes) -> bytes:
    """Compute the miniature of a picture's file: `LENGTH` bytes.

    Raises:
        PictureError: it cannot be decoded.
    """
    whole = decode(data)
    first = _small(whole)
    count, middle = frame(data)
    greys = whole.convert("L").resize(GREY_SIZE, Image.Resampling.BILINEAR).tobytes()
    return _FRAMES.pack(count) + first + (first if middle is None else _small(middle)) + greys


def difference(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.int16]:
    """Compute the largest difference of two miniatures in any colour of any place; 256 if they differ in their frames.

    Args:
        first: uint8, shape (m, LENGTH).
        second: the same.

    Returns:
        int16, shape (m,).
    """
    high = np.maximum(first[:, _COLOURS], second[:, _COLOURS])
    low = np.minimum(first[:, _COLOURS], second[:, _COLOURS])
    found: NDArray[np.int16] = (high - low).max(axis=1).astype(np.int16)
    found[(first[:, : _FRAMES.size] != second[:, : _FRAMES.size]).any(axis=1)] = 256
    return found


def spot_difference(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Compute the largest difference of two miniatures in any spot of greys.

    A grey counts as different by as much as it lies outside the range of the other picture's greys around it. So
    pictures may be shifted by a pixel, or be less sharp.

    Args:
        first: uint8, shape (m, LENGTH).
        second: the same.

    Returns:
        float32, shape (m,): the mean difference in a spot, of 255.
    """
    one, other = (
        np.ascontiguousarray(made[:, _COLOURS.stop :]).reshape(-1, *GREY_SIZE[::-1])
        for made in (first, second)
    )
    outside = np.maximum(_outside(one, other), _outside(other, one)).astype(np.uint16)
    spots = _sums(_sums(outside, SPOT).swapaxes(1, 2), SPOT)
    found: NDArray[np.float32] = (spots.max(axis=(1, 2)) / SPOT**2).astype(np.float32)
    return found


def _sums(values: NDArray[np.uint16], length: int) -> NDArray[np.uint16]:
    """Sum so many rows of matrices from each row on."""
    last = values.shape[1] - length + 1
    total = values[:, :last].copy()
    for start in range(1, length):
        total += values[:, start : start + last]
    return total


def _outside(greys: NDArray[np.uint8], others: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """By how much greys lie outside the range of the other picture's greys around them."""
    low, high = others.copy(), others.copy()
    for extreme, bound in ((np.minimum, low), (np.maximum, high)):
        across = bound.copy()
        extreme(across[:, :, 1:], bound[:, :, :-1], out=across[:, :, 1:])
        extreme(across[:, :, :-1], bound[:, :, 1:], out=across[:, :, :-1])
        bound[:] = across
        extreme(bound[:, 1:], across[:, :-1], out=bound[:, 1:])
        extreme(bound[:, :-1], across[:, 1:], out=bound[:, :-1])
    # In bytes, which are fast: one of the two differences is 0.
    found: NDArray[np.uint8] = np.maximum(greys, high) - high
    found += low - np.minimum(greys, low)
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
    colours = made[:, _COLOURS].reshape(len(made), -1, 3)
    greys: NDArray[np.float32] = np.matmul(colours, np.array(_LUMA, np.float32), dtype=np.float32)
    greys -= greys.mean(axis=1, keepdims=True)
    greys /= np.maximum(np.linalg.norm(greys, axis=1, keepdims=True), FAINT)
    return greys


def _small(image: Image.Image) -> bytes:
    # Its windows overlap, so that pictures of other sizes, whose pixels lie elsewhere, get nearly the same colours.
    return image.resize(SIZE, Image.Resampling.BILINEAR).tobytes()
