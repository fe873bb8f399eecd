"""Perturbations of a banner, each of a stated strength, that a good descriptor should tolerate.

Random choices (the place of a crop, the direction of a rotation) are seeded by the banner's sha256 and a seed, so that
every descriptor sees the very same copies.
"""

from __future__ import annotations

import colorsys
import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from PIL import Image, ImageDraw, ImageFont

Random = np.random.Generator


@dataclass(frozen=True, slots=True)
class Perturbation:
    """One way to change a picture.

    Attributes:
        name: for tables.
        strength: what exactly is done.
        apply: the function; RGB to RGB.
    """

    name: str
    strength: str
    apply: Callable[[Image.Image, Random], Image.Image]


def perturbed(image: Image.Image, sha256: str, seed: int) -> list[Image.Image]:
    """Apply each of `PERTURBATIONS` to a picture.

    Args:
        image: RGB.
        sha256: of its file.
        seed: of the random choices.
    """
    return [
        way.apply(image, np.random.default_rng([seed, number, int(sha256[:16], 16)]))
        for number, way in enumerate(PERTURBATIONS)
    ]


def crop(image: Image.Image, rng: Random, share: float) -> Image.Image:
    """Cut off a share of the width and of the height, at a random place."""
    width, height = (max(8, round(side * (1 - share))) for side in image.size)
    left = int(rng.integers(0, max(0, image.width - width) + 1))
    top = int(rng.integers(0, max(0, image.height - height) + 1))
    return image.crop((left, top, left + width, top + height))


def mirror(image: Image.Image, _: Random) -> Image.Image:
    """Swap left and right."""
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def recolour(image: Image.Image, rng: Random, degrees: float, saturation: float) -> Image.Image:
    """Turns the hue one way or the other, and multiplies the saturation."""
    turn = round(degrees / 360 * 256) * (1 if rng.random() < 0.5 else -1)
    hue, chroma, value = image.convert("HSV").split()
    hue = hue.point([(level + turn) % 256 for level in range(256)])
    chroma = chroma.point([min(255, round(level * saturation)) for level in range(256)])
    return Image.merge("HSV", (hue, chroma, value)).convert("RGB")


def greyscale(image: Image.Image, _: Random) -> Image.Image:
    """Takes the colour away."""
    return image.convert("L").convert("RGB")


def reencode(image: Image.Image, _: Random, quality: int) -> Image.Image:
    """Writes a JPEG and reads it."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    with Image.open(buffer) as read:
        return read.convert("RGB")


def shrink(image: Image.Image, _: Random, share: float) -> Image.Image:
    """Makes it smaller."""
    width, height = (max(8, round(side * share)) for side in image.size)
    return image.resize((width, height), Image.Resampling.BICUBIC)


def overlay(image: Image.Image, rng: Random, share: float) -> Image.Image:
    """Lays a band with words over it, across the whole width, at any height."""
    image = image.copy()
    height = max(1, round(image.height * share))
    top = int(rng.integers(0, image.height - height + 1))
    red, green, blue = colorsys.hsv_to_rgb(rng.random(), 0.8, 0.5)
    pen = ImageDraw.Draw(image)
    pen.rectangle(
        (0, top, image.width - 1, top + height - 1), (round(red * 255), round(green * 255), round(blue * 255))
    )
    text = _WORDS[int(rng.integers(len(_WORDS)))]
    font = ImageFont.load_default(max(6, height * 0.6))
    pen.text((image.width / 2, top + height / 2), text, "white", font, anchor="mm")
    return image


def rotate(image: Image.Image, rng: Random, degrees: float) -> Image.Image:
    """Rotate it about its centre in a random direction, with black corners."""
    return image.rotate(degrees * (1 if rng.random() < 0.5 else -1), Image.Resampling.BICUBIC)


_WORDS = ("NEW UPDATE", "FREE WEEKEND", "50% OFF", "OUT NOW", "PLAY FREE", "COMING SOON")

PERTURBATIONS = (
    Perturbation(
        "crop 10 %", "10 % of the width and of the height cut off, anywhere", partial(crop, share=0.10)
    ),
    Perturbation(
        "crop 25 %", "25 % of the width and of the height cut off, anywhere", partial(crop, share=0.25)
    ),
    Perturbation("mirror", "left and right exchanged", mirror),
    Perturbation(
        "recolour",
        "hue turned by 60 degrees, saturation times 0.7",
        partial(recolour, degrees=60, saturation=0.7),
    ),
    Perturbation("greyscale", "without colour", greyscale),
    Perturbation("JPEG 30", "written as JPEG of quality 30", partial(reencode, quality=30)),
    Perturbation("JPEG 10", "written as JPEG of quality 10", partial(reencode, quality=10)),
    Perturbation("half size", "half the width and height", partial(shrink, share=0.5)),
    Perturbation("quarter size", "a quarter of the width and height", partial(shrink, share=0.25)),
    Perturbation("text 15 %", "a band with words over 15 % of the height", partial(overlay, share=0.15)),
    Perturbation("text 30 %", "a band with words over 30 % of the height", partial(overlay, share=0.30)),
    Perturbation("rotate 3°", "turned by 3 degrees, black corners", partial(rotate, degrees=3)),
)
"""All ways, in the order in which `perturbed` gives them."""
