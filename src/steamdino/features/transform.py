"""Transform a picture into a model's input: one pure function with three named modes.

============  =====================================================================================
``crop``      the shorter side is resized to 8/7 of the input's, then the centre is cut out (256 and
              224, as in DINO's own evaluation): keeps the aspect ratio, loses the borders
``squash``    the whole picture is resized to the input's width and height: loses the aspect ratio
``fit``       the whole picture with its own aspect ratio, centred; the rest has the model's mean colour
============  =====================================================================================

All three resize once, bicubically with antialiasing (Pillow's), directly from the source's pixels: first all rows to
the new width, then all columns to the new height, with values rounded to whole levels between the two.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from steamdino.recipe import PILLOW, Transform

CROP_MARGIN = 256 / 224
"""For `crop`: size of the resized picture relative to the input, before the centre is cut out."""

DRAFT_MARGIN = 3.0
"""Minimum side of a picture decoded at reduced size, relative to the input's side.

Measured by `benchmarks/draft.py`: from 3 on the least cosine to a full decoding is 0.998 or more; at 1 it is 0.965.
"""

BICUBIC_REACH = 2
"""How many pixels on each side of its place a resized pixel is computed from, at scale 1."""

Pixels = NDArray[np.uint8]


def prepare(image: Image.Image, transform: Transform) -> Pixels:
    """Resize a picture for a model.

    Args:
        image: RGB, upright.
        transform: the recipe's transform.

    Returns:
        uint8, shape (height, width, 3), red first.
    """
    size = (transform.width, transform.height)
    if transform.mode == "fit":
        inner = _fitted(image.size, size)
        canvas = Image.new("RGB", size, tuple(round(255 * mean) for mean in transform.mean))
        canvas.paste(
            _resized(image, inner, transform.passes),
            ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2),
        )
        return np.asarray(canvas)
    box = _crop_box(image.size, size) if transform.mode == "crop" else None
    if image.size == size and box is None:
        return np.asarray(image)
    return np.asarray(_resized(image, size, transform.passes, box))


def normalise(pixels: Pixels, transform: Transform) -> NDArray[np.float32]:
    """Return the normalised input of the model: ``(x / 255 - mean) / std`` per channel.

    Args:
        pixels: uint8, shape (batch, height, width, 3).
        transform: the recipe's transform.

    Returns:
        float32, shape (batch, 3, height, width).
    """
    mean, std = (np.array(values, np.float32) for values in (transform.mean, transform.std))
    scaled = (pixels.astype(np.float32) / np.float32(255) - mean) / std
    return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))


def sufficient_size(transform: Transform) -> tuple[int, int]:
    """Return the (width, height) beyond which a picture has more pixels than `prepare` can use."""
    margin = DRAFT_MARGIN * (CROP_MARGIN if transform.mode == "crop" else 1)
    return round(transform.width * margin), round(transform.height * margin)


def content_box(size: tuple[int, int], transform: Transform) -> tuple[int, int, int, int]:
    """Return the part of a model's input that shows the picture and no padding: left, top, right, bottom in pixels.

    Args:
        size: (width, height) of the picture.
        transform: the recipe's transform.
    """
    width, height = transform.width, transform.height
    if transform.mode != "fit":
        return 0, 0, width, height
    inner = _fitted(size, (width, height))
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    return left, top, left + inner[0], top + inner[1]


def turned(image: Image.Image, *, mirror: bool, flip: bool) -> Image.Image:
    """Return the picture mirrored left-right, flipped top-bottom, or both."""
    if mirror:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if flip:
        image = image.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    return image


def _resized(
    image: Image.Image,
    size: tuple[int, int],
    passes: str,
    box: tuple[float, float, float, float] | None = None,
) -> Image.Image:
    """Resize the part of a picture that lies in a box; all of it if there is none."""
    if passes == PILLOW:
        return image.resize(size, Image.Resampling.BICUBIC, box=box)
    # One call would leave the order to Pillow: the width first up to Pillow 12; from 13 on the height first if it
    # shrinks by more than twice as many pixels. A call that changes one side only has no choice.
    left, top, right, bottom = box or (0, 0, *image.size)
    if box is not None:
        # Only the rows that the second call uses. Pillow takes boxes in single precision: rounded before the shift, the
        # box stays the same to the last bit.
        top, bottom = float(np.float32(top)), float(np.float32(bottom))
        reach = BICUBIC_REACH * max(1.0, (bottom - top) / size[1]) + 1
        first, last = max(0, int(top - reach)), min(image.height, int(bottom + reach) + 1)
        image = image.crop((0, first, image.width, last))
        top, bottom = top - first, bottom - first
    across = (left, 0, right, image.height)
    rows = image.resize((size[0], image.height), Image.Resampling.BICUBIC, box=across)
    return rows.resize(size, Image.Resampling.BICUBIC, box=(0, top, size[0], bottom))


def _fitted(source: tuple[int, int], size: tuple[int, int]) -> tuple[int, int]:
    scale = min(size[0] / source[0], size[1] / source[1])
    return max(1, round(source[0] * scale)), max(1, round(source[1] * scale))


def _crop_box(source: tuple[int, int], size: tuple[int, int]) -> tuple[float, float, float, float]:
    """Return the part of the source that the input shows, so that resizing and cropping are one step."""
    scale = max(side * CROP_MARGIN / whole for side, whole in zip(size, source, strict=True))
    resized = [max(side, int(whole * scale + 1e-6)) for side, whole in zip(size, source, strict=True)]
    offsets = [round((whole - side) / 2) for side, whole in zip(size, resized, strict=True)]
    step = [whole / large for whole, large in zip(source, resized, strict=True)]
    left, top = (offset * ratio for offset, ratio in zip(offsets, step, strict=True))
    right, bottom = (
        min(start + side * ratio, whole)
        for start, side, ratio, whole in zip((left, top), size, step, source, strict=True)
    )
    return left, top, right, bottom
