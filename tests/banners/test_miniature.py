"""Miniatures tell a picture that was encoded again from one that was changed, and animations by their frames."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance

from steamdino import Snapshot
from steamdino.analysis.re_encoded import MOST_DIFFERENT
from steamdino.banners.miniature import COLOURS, LENGTH, SIZE, difference, miniature
from steamdino.errors import PictureError

ART = ("neonoir", "jamberry", "hollow-avenue", "the-wet-precinct", "pelagia", "kazemori", "quiet-orbit")


def encoded(image: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def apart(first: bytes, second: bytes) -> int:
    one, other = (np.frombuffer(miniature(data), np.uint8)[None] for data in (first, second))
    return int(difference(one, other)[0])


@pytest.fixture(scope="module")
def pictures(built: Path) -> list[Image.Image]:
    snapshot = Snapshot.open(built)
    found = [snapshot.game(key).picture for key in ART]
    return [Image.open(path).convert("RGB") for path in found if path]


def banded(image: Image.Image) -> Image.Image:
    made = image.copy()
    ImageDraw.Draw(made).rectangle((0, image.height * 9 // 10, image.width, image.height), fill=(220, 40, 30))
    return made


def hue(image: Image.Image) -> Image.Image:
    turned, saturation, value = image.convert("HSV").split()
    turned = turned.point([(n + 28) % 256 for n in range(256)])
    return Image.merge("HSV", (turned, saturation, value)).convert("RGB")


SAME: dict[str, Callable[[Image.Image], bytes]] = {
    "JPEG 40": lambda image: encoded(image, "JPEG", quality=40),
    "WebP 60": lambda image: encoded(image, "WEBP", quality=60),
    "half": lambda image: encoded(image.resize((image.width // 2, image.height // 2)), "JPEG", quality=85),
    "double": lambda image: encoded(image.resize((image.width * 2, image.height * 2)), "JPEG", quality=85),
    "a single frame": lambda image: encoded(image, "WEBP", lossless=True, save_all=True),
}
OTHER: dict[str, Callable[[Image.Image], bytes]] = {
    "band": lambda image: encoded(banded(image)),
    "hue": lambda image: encoded(hue(image)),
    "lighter": lambda image: encoded(ImageEnhance.Brightness(image).enhance(1.3)),
}


@pytest.mark.parametrize("kind", SAME)
def test_encoding_and_scaling_change_little(kind: str, pictures: list[Image.Image]) -> None:
    assert max(apart(encoded(image), SAME[kind](image)) for image in pictures) <= MOST_DIFFERENT


@pytest.mark.parametrize("kind", OTHER)
def test_a_band_another_hue_or_light_changes_much(kind: str, pictures: list[Image.Image]) -> None:
    assert min(apart(encoded(image), OTHER[kind](image)) for image in pictures) > MOST_DIFFERENT


def test_a_miniature_is_what_pillow_makes_of_the_picture(pictures: list[Image.Image]) -> None:
    made = miniature(encoded(pictures[0]))
    expected = np.asarray(pictures[0].resize(SIZE, Image.Resampling.BILINEAR))
    assert len(made) == LENGTH
    assert made[:4] == (1).to_bytes(4, "little")
    assert made[4 : 4 + COLOURS] == made[4 + COLOURS :] == expected.tobytes()


@pytest.mark.parametrize(
    ("form", "options"), [("GIF", {}), ("PNG", {}), ("WEBP", {"lossless": True}), ("TIFF", {})]
)
def test_an_animation_differs_from_a_still_and_from_one_that_goes_on_otherwise(
    form: str, options: dict[str, Any], pictures: list[Image.Image]
) -> None:
    first, second, third = pictures[:3]
    still = encoded(first, form, **options)
    moving, same, longer, other = (
        encoded(first, form, save_all=True, append_images=[one.resize(first.size) for one in rest], **options)
        for rest in ([second], [second], [second, third], [third])
    )
    assert apart(still, still) == apart(moving, same) == 0
    assert apart(still, moving) == apart(moving, longer) == 256
    assert MOST_DIFFERENT < apart(moving, other) < 256


def test_what_is_no_picture_has_no_miniature() -> None:
    with pytest.raises(PictureError):
        miniature(b"no picture")
