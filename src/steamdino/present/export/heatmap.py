"""Heat maps over pictures."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

RAMP = np.array([(0, 0, 8), (72, 12, 108), (176, 42, 92), (238, 108, 40), (252, 206, 70), (255, 255, 224)])
"""From nothing to most, dark to light, so that it also reads in grey and by the colour-blind."""

OPACITY = 0.65
"""Of the colours over the picture: high enough to read them, low enough to see what lies below."""


def heat(values: NDArray[np.float32], size: tuple[int, int]) -> Image.Image:
    """A map of numbers, scaled from its least to its largest, as a picture.

    Args:
        values: shape (rows, columns).
        size: (width, height) of the picture; cells become smooth.
    """
    low, high = float(values.min()), float(values.max())
    scaled = (values - low) / max(high - low, 1e-30)
    smooth = Image.fromarray(scaled.astype(np.float32)).resize(size, Image.Resampling.BICUBIC)
    level = np.clip(np.asarray(smooth), 0, 1) * (len(RAMP) - 1)
    channels = [np.interp(level, np.arange(len(RAMP)), RAMP[:, channel]) for channel in range(3)]
    return Image.fromarray(np.stack(channels, axis=-1).astype(np.uint8))


def over(picture: Image.Image, values: NDArray[np.float32]) -> Image.Image:
    """A map of numbers as colours over the picture that it belongs to."""
    return Image.blend(picture, heat(values, picture.size), OPACITY)
