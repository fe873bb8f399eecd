"""Measures the flaws of a picture from its pixels, each as a number from 0 (bad) to 1 (fine).

A picture is converted to grey and scaled to a height of `HEIGHT` pixels, so that the numbers do not depend on its size.
It is decoded in full before: a reduced JPEG would be less blurry.
The idea and the names of most measures follow cleanvision (https://github.com/cleanlab/cleanvision), which looks for
the same flaws.

=================  ==========================================================================================
``blank``          the span of brightness between the 0.5th and 99.5th percentile, as a share of 255
``dark``           the brightness of the 99th percentile: if low, everything is dark. What seems dark in grey is
                   judged by its colours: the mean of lightness (CIE L*, as a share of 100) and of the brightest
                   channel (as a share of 255), since blue is dark in grey however vivid it is
``light``          1 - the brightness of the 5th percentile: a picture whose darkest parts are bright is pale
``low-information``  the entropy of 256 levels of grey, in bits, divided by 8
``blurry``         1 - exp(-v / 300), v the variance of the Laplacian (in squared levels of grey)
``border``         the share of the picture inside the smallest box outside of which all is one colour
=================  ==========================================================================================
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

VERSION = 2
"""Of the measures: pictures are measured again when it rises."""

HEIGHT = 300
BLUR_SCALE = 300.0
TOLERANCE = 10
"""Levels by which the pixels of a border may differ, as JPEG makes one colour uneven."""

THRESHOLDS = {
    "blank": 0.04,
    "dark": 0.35,
    "light": 0.4,
    "low-information": 0.45,
    "blurry": 0.3,
    "border": 0.75,
}
"""A picture whose measure is below has the flaw."""

Greys = NDArray[np.float32]


def measure(image: Image.Image) -> dict[str, float]:
    """Measure an RGB picture: each flaw's number, 0 to 1, rounded to four digits."""
    box = content_box(image)
    scale = HEIGHT / image.height
    small = image.convert("L").resize((max(round(image.width * scale), 3), HEIGHT), Image.Resampling.BICUBIC)
    counts = np.array(small.histogram())
    low, dark, bright, high = _percentiles(counts, (0.5, 5, 99, 99.5))
    found = {
        "blank": (high - low) / 255,
        "dark": bright / 255 if bright / 255 >= THRESHOLDS["dark"] else _brightness(image, small.size),
        "light": 1 - dark / 255,
        "low-information": _entropy(counts) / 8,
        "blurry": 1 - np.exp(-_laplacian(np.asarray(small)).var() / BLUR_SCALE),
        "border": box[2] * box[3] / (image.width * image.height),
    }
    return {name: round(min(max(float(value), 0.0), 1.0), 4) + 0.0 for name, value in found.items()}


def _brightness(image: Image.Image, size: tuple[int, int]) -> float:
    """Compute the 99th percentile of the mean of lightness and of the brightest channel, 0 to 1."""
    levels = np.asarray(image.resize(size, Image.Resampling.BICUBIC), np.float32) / 255
    # IEC 61966-2-1 (sRGB) and CIE 15 (L*).
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    luminance = linear @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    flat = luminance <= (6 / 29) ** 3
    lightness = np.where(flat, (29 / 3) ** 3 / 100 * luminance, 1.16 * np.cbrt(luminance) - 0.16)
    return float(np.percentile((lightness + levels.max(axis=2)) / 2, 99))


def content_box(image: Image.Image) -> tuple[int, int, int, int]:
    """Find the smallest box outside of which an RGB picture has one colour: (left, top, width, height) in pixels.

    It is the whole picture if there is no such border, and (0, 0, 0, 0) if the whole picture has one colour.
    """
    width, height = image.size
    corner = np.array(image.getpixel((0, 0)), np.int16)
    sides = (0, 0, width, 1), (0, height - 1, width, height), (0, 0, 1, height), (width - 1, 0, width, height)
    # Most pictures have no border, which their four sides show.
    if all(_others(image.crop(side), corner).any() for side in sides):
        return 0, 0, width, height
    other = _others(image, corner)
    rows = np.flatnonzero(other.any(axis=1))
    columns = np.flatnonzero(other.any(axis=0).reshape(width, 3).any(axis=1))
    if not len(rows):
        return 0, 0, 0, 0
    top, left = int(rows[0]), int(columns[0])
    return left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1


def _others(image: Image.Image, colour: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Which levels of red, green and blue differ from those of a colour: bool, shape (height, 3 * width)."""
    pixels = np.asarray(image)
    levels = pixels.reshape(len(pixels), -1)  # NumPy is slow along an axis of three
    low, high = ((colour + by).clip(0, 255).astype(np.uint8) for by in (-TOLERANCE, TOLERANCE))
    return (levels < np.tile(low, image.width)) | (levels > np.tile(high, image.width))


def _percentiles(counts: NDArray[np.int_], percents: Sequence[float]) -> list[float]:
    """Percentiles of levels of which it is known how often each occurs, interpolated as `numpy.percentile` does."""
    upto = np.cumsum(counts)
    places = [(int(upto[-1]) - 1) * percent / 100 for percent in percents]
    below, above = ([int(np.searchsorted(upto, int(p) + n, "right")) for p in places] for n in (0, 1))
    return [
        low + (min(high, 255) - low) * (place - int(place))
        for low, high, place in zip(below, above, places, strict=True)
    ]


def _entropy(counts: NDArray[np.int_]) -> float:
    shares = counts / counts.sum()
    shares = shares[shares > 0]
    return float(-(shares * np.log2(shares)).sum())


def _laplacian(levels: NDArray[np.uint8]) -> Greys:
    wide = levels.astype(np.int16)
    edges = wide[:-2, 1:-1] + wide[2:, 1:-1]
    edges += wide[1:-1, :-2]
    edges += wide[1:-1, 2:]
    edges -= wide[1:-1, 1:-1] << 2
    return edges.astype(np.float32)
