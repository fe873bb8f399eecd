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
from steamdino.banners.miniature import COLOURS, GREYS, LENGTH, SIZE, difference, miniature, spot_difference
from steamdino.errors import PictureError
from steamdino.thresholds import USUAL

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


@pytest.mark.slow
@pytest.mark.parametrize("kind", SAME)
def test_encoding_and_scaling_change_little(kind: str, pictures: list[Image.Image]) -> None:
    assert max(apart(encoded(image), SAME[kind](image)) for image in pictures) <= USUAL.colour


@pytest.mark.parametrize("kind", OTHER)
def test_a_band_another_hue_or_light_changes_much(kind: str, pictures: list[Image.Image]) -> None:
    assert min(apart(encoded(image), OTHER[kind](image)) for image in pictures) > USUAL.colour


def test_a_miniature_is_what_pillow_makes_of_the_picture(pictures: list[Image.Image]) -> None:
    made = miniature(encoded(pictures[0]))
    expected = np.asarray(pictures[0].resize(SIZE, Image.Resampling.BILINEAR))
    assert len(made) == LENGTH
    assert made[:4] == (1).to_bytes(4, "little")
    assert made[4 : 4 + COLOURS] == made[4 + COLOURS : 4 + 2 * COLOURS] == expected.tobytes()
    greys = pictures[0].convert("L").resize((48, 72), Image.Resampling.BILINEAR)
    assert made[4 + 2 * COLOURS :] == greys.tobytes()


@pytest.mark.quick_cases(1)
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
    assert USUAL.colour < apart(moving, other) < 256


def test_what_is_no_picture_has_no_miniature() -> None:
    with pytest.raises(PictureError):
        miniature(b"no picture")


def drawn(*, text: str = "", size: tuple[int, int] = (200, 300)) -> Image.Image:
    """A dark picture with a bright figure, and a small line of text."""
    picture = Image.new("RGB", (600, 900), (24, 26, 32))
    draw = ImageDraw.Draw(picture)
    draw.ellipse((150, 350, 450, 850), fill=(190, 170, 160))
    draw.text((300, 200), text, fill=(150, 150, 150), font_size=36, anchor="mm")
    return picture.resize(size)


def spots_apart(one: Image.Image, other: Image.Image, form: str = "PNG", **options: Any) -> float:
    first, second = (
        np.frombuffer(miniature(data), np.uint8)[None]
        for data in (encoded(one), encoded(other, form, **options))
    )
    (found,) = spot_difference(first, second)
    assert spot_difference(second, first)[0] == found
    return float(found)


@pytest.mark.parametrize(
    "other", [{"size": (100, 150)}, {"size": (66, 100)}, {"size": (400, 600)}, {"size": (200, 267)}]
)
def test_other_sizes_of_a_picture_differ_little_in_any_spot(other: dict[str, Any]) -> None:
    assert spots_apart(drawn(text="CHAPTER ONE"), drawn(text="CHAPTER ONE", **other)) < USUAL.spot / 2


@pytest.mark.parametrize("quality", [20, 60, 95])
def test_other_qualities_of_a_picture_differ_little_in_any_spot(quality: int) -> None:
    one = drawn(text="CHAPTER ONE")
    assert spots_apart(one, one, "JPEG", quality=quality) < USUAL.spot / 2


@pytest.mark.parametrize("text", ["", "CHAPTER TWO XII"])
def test_a_small_line_of_text_makes_a_spot_differ_but_not_the_colours(text: str) -> None:
    one, other = drawn(text="VR EDITION"), drawn(text=text)
    assert spots_apart(one, other) > USUAL.spot
    first, second = (np.frombuffer(miniature(encoded(it)), np.uint8)[None] for it in (one, other))
    assert difference(first, second)[0] <= USUAL.colour


def test_a_spot_is_the_largest_mean_of_what_lies_outside_the_range_around_it() -> None:
    first = np.full((1, LENGTH), 100, np.uint8)
    second = first.copy()
    greys = second[0, LENGTH - GREYS :].reshape(72, 48)
    greys[10:14, 20:24] = 132  # a whole spot
    greys[40, 20] = 250  # a pixel
    assert spot_difference(first, second)[0] == 32
    shifted = second.copy()
    shifted[0, LENGTH - GREYS :] = np.roll(greys, 1, axis=1).ravel()
    assert spot_difference(second, shifted)[0] == 0
