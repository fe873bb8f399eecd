"""Measures the flaws of a picture from its pixels, each as a number from 0 (bad) to 1 (fine).

A picture is converted to grey and scaled to a height of `HEIGHT` pixels, so that the numbers do not depend on its size.
The idea and the names of most measures follow cleanvision (https://github.com/cleanlab/cleanvision), which looks for
the same flaws.

=================  ==========================================================================================
``blank``          the span of brightness between the 0.5th and 99.5th percentile, as a share of 255
``dark``           the brightness of the 99th percentile: if low, everything is dark
``light``          1 - the brightness of the 5th percentile: a picture whose darkest parts are bright is pale
``low-information``  the entropy of 256 levels of grey, in bits, divided by 8
``blurry``         1 - exp(-v / 300), v the variance of the Laplacian (in squared levels of grey)
``border``         the share of the picture inside the smallest box outside of which all is one colour
=================  ==========================================================================================
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

VERSION = 1
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
    greys = np.asarray(small, np.float32)
    low, dark, bright, high = np.percentile(greys, (0.5, 5, 99, 99.5))
    found = {
        "blank": (high - low) / 255,
        "dark": bright / 255,
        "light": 1 - dark / 255,
        "low-information": _entropy(np.asarray(small)) / 8,
        "blurry": 1 - np.exp(-_laplacian(greys).var() / BLUR_SCALE),
        "border": box[2] * box[3] / (image.width * image.height),
    }
    return {name: round(float(np.clip(value, 0, 1)), 4) + 0.0 for name, value in found.items()}


def content_box(image: Image.Image) -> tuple[int, int, int, int]:
    """Find the smallest box outside of which an RGB picture has one colour: (left, top, width, height) in pixels.

    It is the whole picture if there is no such border, and (0, 0, 0, 0) if the whole picture has one colour.
    """
    pixels = np.asarray(image)
    height, width = pixels.shape[:2]
    corner = pixels[0, 0].astype(np.int16)
    other = (np.abs(pixels.astype(np.int16) - corner) > TOLERANCE).any(axis=2)
    rows, columns = np.flatnonzero(other.any(axis=1)), np.flatnonzero(other.any(axis=0))
    if not len(rows):
        return 0, 0, 0, 0
    top, left = int(rows[0]), int(columns[0])
    inner_height, inner_width = int(rows[-1]) - top + 1, int(columns[-1]) - left + 1
    if inner_height == height and inner_width == width:
        return 0, 0, width, height
    return left, top, inner_width, inner_height


def _entropy(levels: NDArray[np.uint8]) -> float:
    shares = np.bincount(levels.ravel(), minlength=256) / levels.size
    shares = shares[shares > 0]
    return float(-(shares * np.log2(shares)).sum())


def _laplacian(greys: Greys) -> Greys:
    inner = greys[1:-1, 1:-1]
    around: Greys = greys[:-2, 1:-1] + greys[2:, 1:-1] + greys[1:-1, :-2] + greys[1:-1, 2:]
    edges: Greys = around - 4 * inner
    return edges
