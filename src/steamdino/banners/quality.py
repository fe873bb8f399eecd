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
``blurry``         how steep the steepest edges are: steps between neighbouring pixels divided by steps across `REACH`
                   pixels, each as the fourth root of the mean of fourth powers. It depends neither on contrast nor
                   on the number of edges
``border``         the share of the picture inside its frame or letterbox; see `banners.frame`
``grey``           the 99.8th percentile of the largest difference between red, green and blue, as a share of 255, after
                   scaling to a height of about `CHROMA_HEIGHT`, which evens out the noise of JPEG
=================  ==========================================================================================
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from steamdino.banners.frame import inside_frame

VERSION = 3
"""Of the measures: pictures are measured again when it rises."""

HEIGHT = 300
REACH = 8
"""Pixels across which an edge is compared with its steepest step. Blur of a radius of 2 spreads an edge over them."""

CHROMA_HEIGHT = 75

DIM = 0.35
"""Brightness in grey from which on a picture is not judged by its colours."""

Greys = NDArray[np.float32]


def measure(image: Image.Image) -> dict[str, float]:
    """Measure an RGB picture: each flaw's number, 0 to 1, rounded to four digits."""
    grey = image.convert("L")
    frame = inside_frame(np.asarray(grey))
    scale = HEIGHT / image.height
    small = grey.resize((max(round(image.width * scale), 3), HEIGHT), Image.Resampling.BICUBIC)
    counts = np.array(small.histogram())
    low, dark, bright, high = _percentiles(counts, (0.5, 5, 99, 99.5))
    found = {
        "blank": (high - low) / 255,
        "dark": bright / 255 if bright / 255 >= DIM else _brightness(image, small.size),
        "light": 1 - dark / 255,
        "low-information": _entropy(counts) / 8,
        "blurry": _steepness(np.asarray(small, np.float32)),
        "border": frame.width * frame.height / (image.width * image.height),
        "grey": _chroma(image),
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


def _chroma(image: Image.Image) -> float:
    """Compute the 99.8th percentile of the largest difference of red, green and blue, 0 to 1."""
    small = np.asarray(image.reduce(max(image.height // CHROMA_HEIGHT, 1)))
    red, green, blue = (small[:, :, n] for n in range(3))  # NumPy is slow along an axis of three
    largest = np.maximum(np.maximum(red, green), blue)
    differences = np.sort(largest - np.minimum(np.minimum(red, green), blue), axis=None)
    return float(differences[len(differences) * 998 // 1000]) / 255


def _steepness(levels: Greys) -> float:
    """Compute the size of steps across one pixel relative to that of steps across `REACH` pixels."""
    across = _steps(levels, REACH)
    return float((_steps(levels, 1) / across) ** 0.25) if across else 0.0


def _steps(levels: Greys, reach: int) -> float:
    """Compute the mean of fourth powers of differences across some pixels, down and to the right, added."""
    found = 0.0
    for steps in (levels[reach:] - levels[:-reach], levels[:, reach:] - levels[:, :-reach]):
        steps *= steps
        squares = steps.ravel()
        found += float(squares @ squares) / max(squares.size, 1)
    return found


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
