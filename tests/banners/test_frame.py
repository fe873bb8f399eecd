from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFilter

from steamdino.banners.frame import Box, inside_frame
from steamdino.banners.quality import measure
from steamdino.thresholds import Thresholds

SIZE = WIDTH, HEIGHT = 300, 450


def art(seed: int = 0, size: tuple[int, int] = SIZE) -> Image.Image:
    """Art that differs from black, white and dark red everywhere, with edges."""
    tiles = np.random.default_rng(seed).integers(100, 200, (12, 8, 3), dtype=np.uint8)
    return Image.fromarray(tiles).resize(size, Image.Resampling.NEAREST).filter(ImageFilter.GaussianBlur(1))


def framed(depth: int, colour: str, sides: str = "tblr", seed: int = 0) -> Image.Image:
    image = art(seed)
    draw = ImageDraw.Draw(image)
    for side, box in (
        ("t", (0, 0, WIDTH, depth - 1)),
        ("b", (0, HEIGHT - depth, WIDTH, HEIGHT)),
        ("l", (0, 0, depth - 1, HEIGHT)),
        ("r", (WIDTH - depth, 0, WIDTH, HEIGHT)),
    ):
        if side in sides:
            draw.rectangle(box, fill=colour)
    return image


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def found(image: Image.Image) -> Box:
    return inside_frame(np.asarray(image.convert("L")))


def has_border(image: Image.Image) -> bool:
    return "border" in Thresholds().below(measure(image))


@settings(max_examples=60, deadline=None)
@given(
    st.integers(2, 60),
    st.sampled_from(["black", "white", "#c01010"]),
    st.sampled_from(["tblr", "tb", "lr"]),
    st.integers(0, 2**32 - 1),
)
def test_a_frame_and_a_letterbox_are_found_to_the_pixel(
    depth: int, colour: str, sides: str, seed: int
) -> None:
    across, down = depth * ("l" in sides), depth * ("t" in sides)
    image = framed(depth, colour, sides, seed)
    assert found(image) == (across, down, WIDTH - 2 * across, HEIGHT - 2 * down)


@pytest.mark.parametrize("depth", [3, 5, 10, 20, 40])
@pytest.mark.parametrize("colour", ["black", "white", "#c01010"])
@pytest.mark.parametrize("sides", ["tblr", "tb", "lr"])
def test_borders_are_found_after_jpeg(depth: int, colour: str, sides: str) -> None:
    hits = [has_border(jpeg(framed(depth, colour, sides, seed), 75)) for seed in range(5)]
    assert all(hits), hits


def test_bars_may_differ_by_one_line_and_not_threefold() -> None:
    image = art()
    ImageDraw.Draw(image).rectangle((0, 0, WIDTH, 29), fill="black")
    ImageDraw.Draw(image).rectangle((0, HEIGHT - 31, WIDTH, HEIGHT), fill="black")
    assert found(image) == (0, 30, WIDTH, HEIGHT - 61)
    ImageDraw.Draw(image).rectangle((0, HEIGHT - 95, WIDTH, HEIGHT), fill="black")
    assert found(image) == (0, 0, *SIZE)


def test_bars_of_two_colours_or_at_one_side_are_no_frame() -> None:
    for colours in (("black", "white"), ("black", None), (None, "white")):
        image = art()
        for colour, top in zip(colours, (0, HEIGHT - 20), strict=True):
            if colour:
                image.paste(colour, (0, top, WIDTH, top + 20))
        assert found(image) == (0, 0, *SIZE)


def test_art_that_fades_into_a_dark_edge_has_no_border() -> None:
    """As far from the edge as a letterbox would be, but in a ramp, or along a ragged line."""
    levels = np.asarray(art()).astype(float)
    ramp = np.clip((np.minimum(np.arange(HEIGHT), np.arange(HEIGHT)[::-1]) - 20) / 120, 0, 1)
    assert not has_border(Image.fromarray((levels * ramp[:, None, None]).astype(np.uint8)))
    ragged = np.minimum(np.arange(HEIGHT), np.arange(HEIGHT)[::-1])[:, None] > (
        20 + 60 * np.abs(np.sin(np.arange(WIDTH) / 20))
    )
    assert not has_border(Image.fromarray((levels * ragged[:, :, None]).astype(np.uint8)))


def test_a_logo_on_a_plain_ground_has_no_border() -> None:
    for ground, ink in (("black", "white"), ("white", "black"), ("#e03020", "black")):
        image = Image.new("RGB", SIZE, ground)
        draw = ImageDraw.Draw(image)
        draw.text((150, 150), "ZIPPER", fill=ink, font_size=70, anchor="mm")
        draw.text((150, 320), "ADVENTURES", fill=ink, font_size=40, anchor="mm")
        assert not has_border(image), ground


def test_a_plate_in_the_middle_of_a_plain_ground_has_no_border() -> None:
    image = Image.new("RGB", SIZE, "#300000")
    image.paste(art(size=(200, 190)), (50, 130))
    assert not has_border(image)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_what_is_inside_is_a_part_of_any_picture(width: int, height: int, seed: int, kinds: int) -> None:
    levels = np.random.default_rng(seed).integers(0, kinds, (height, width), dtype=np.uint8) * 100
    box = inside_frame(levels)
    assert 0 <= box.left < box.left + box.width <= width
    assert 0 <= box.top < box.top + box.height <= height
