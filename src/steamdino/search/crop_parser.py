"""Parses rectangles of pictures as people write them, and applies them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from steamdino.errors import UsageError
from steamdino.records import Crop

if TYPE_CHECKING:
    from PIL import Image

SMALLEST_SIDE = 8
"""Pixels; smaller parts have nothing to recognise, as smaller pictures have not."""

_TOLERANCE = 1e-6
"""By which fractions may exceed 1 when they are added up."""


def crop_of(written: str) -> Crop | None:
    """Parse a rectangle: "x,y,width,height".

    Four numbers of at most 1 are fractions of the picture's width and height; otherwise all are pixels.

    Args:
        written: the text. Without any number in it, there is no rectangle.

    Raises:
        UsageError: it is not a rectangle, is empty, or reaches beyond the picture.
    """
    parts = [part.strip() for part in written.split(",")]
    if not any(parts):
        return None
    try:
        values = [float(part) for part in parts]
    except ValueError:
        values = []
    if len(values) != 4 or not all(math.isfinite(value) and value >= 0 for value in values):
        raise UsageError(
            f"the crop is {written[:80]!r}; write x,y,width,height as fractions like 0.25,0,0.5,0.4, or in pixels"
        )
    x, y, width, height = values
    found = Crop(x, y, width, height, pixels=max(values) > 1)
    if not (found.width and found.height):
        raise UsageError(f"the crop {str(found)!r} is empty; its width and height must be above 0")
    if not found.pixels and max(found.x + found.width, found.y + found.height) > 1 + _TOLERANCE:
        raise UsageError(
            f"the crop {str(found)!r} reaches beyond the picture; x + width and y + height are at most 1"
        )
    return found


def cropped(image: Image.Image, crop: Crop) -> Image.Image:
    """Cut a rectangle out of a picture.

    Raises:
        UsageError: it reaches beyond the picture, or has a side of less than `SMALLEST_SIDE` pixels.
    """
    left, top, right, bottom = box(crop, image.size)
    if right > image.width or bottom > image.height:
        raise UsageError(
            f"the crop {str(crop)!r} reaches beyond the picture, which has {image.width} x {image.height} pixels"
        )
    if min(right - left, bottom - top) < SMALLEST_SIDE:
        raise UsageError(
            f"the crop {str(crop)!r} has {right - left} x {bottom - top} pixels;"
            f" each side must have at least {SMALLEST_SIDE}"
        )
    return image.crop((left, top, right, bottom))


def box(crop: Crop, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the rectangle in pixels of a picture of a size: left, top, right, bottom."""
    width, height = (1, 1) if crop.pixels else size
    return (
        round(crop.x * width),
        round(crop.y * height),
        round((crop.x + crop.width) * width),
        round((crop.y + crop.height) * height),
    )
