from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from steamdino.banners.quality import THRESHOLDS, content_box, measure


def scene(seed: int = 0, size: tuple[int, int] = (300, 450)) -> Image.Image:
    """A busy picture with edges, all tones and no border."""
    rng = np.random.default_rng(seed)
    image = Image.fromarray(rng.integers(0, 256, (9, 6, 3), dtype=np.uint8)).resize(
        size, Image.Resampling.NEAREST
    )
    draw = ImageDraw.Draw(image)
    for _ in range(60):
        x, y = rng.integers(0, size[0]), rng.integers(0, size[1])
        draw.ellipse((x, y, x + 30, y + 30), fill=tuple(rng.integers(0, 256, 3).tolist()))
    draw.point([(0, 0)], fill=(0, 0, 0))
    draw.point([(1, 0), (0, 1), (size[0] - 1, size[1] - 1)], fill=(255, 255, 255))
    return image


def flaws(image: Image.Image) -> set[str]:
    return {name for name, value in measure(image).items() if value < THRESHOLDS[name]}


def test_brightness_is_that_of_the_grey_picture_at_the_stated_percentiles() -> None:
    """A green ramp: its greys are 0.587 times its levels (ITU-R 601-2), and every percentile has a level of its own."""
    ramp = np.zeros((300, 256, 3), np.uint8)
    ramp[:, :, 1] = np.arange(256)
    greys = np.sort(np.tile(np.round(np.arange(256) * 0.587), 300))
    low, dark, bright, high = (greys[round(share * (len(greys) - 1))] for share in (0.005, 0.05, 0.99, 0.995))
    assert len({low, greys[round(0.015 * len(greys))], dark, greys[round(0.06 * len(greys))]}) == 4
    found = measure(Image.fromarray(ramp))
    assert found["blank"] == pytest.approx((high - low) / 255, abs=6e-5)
    assert found["dark"] == pytest.approx(bright / 255, abs=6e-5)
    assert found["light"] == pytest.approx(1 - dark / 255, abs=6e-5)


@pytest.mark.parametrize("seed", range(3))
def test_each_number_is_what_its_definition_says(seed: int) -> None:
    """At the height at which pictures are measured, so that nothing is scaled before."""
    rng = np.random.default_rng(seed)
    levels = (rng.integers(40, 200) + 20 * rng.standard_normal((300, 200))).clip(0, 255).astype(np.uint8)
    levels[:, :20] = levels[:20] = 7
    image = Image.fromarray(levels).convert("RGB")
    values = np.sort(levels.ravel())

    def percentile(share: float) -> float:
        place = share / 100 * (len(values) - 1)
        low = int(place)
        return float(
            values[low] + (place - low) * (float(values[min(low + 1, len(values) - 1)]) - values[low])
        )

    around = [np.roll(levels.astype(float), step, axis)[1:-1, 1:-1] for axis in (0, 1) for step in (1, -1)]
    laplacian = sum(around) - 4 * levels[1:-1, 1:-1].astype(float)
    expected = {
        "blank": (percentile(99.5) - percentile(0.5)) / 255,
        "dark": percentile(99) / 255,
        "light": 1 - percentile(5) / 255,
        "low-information": image.convert("L").entropy() / 8,
        "blurry": 1 - np.exp(-laplacian.var() / 300),
        "border": 180 * 280 / (200 * 300),
    }
    for name, value in measure(image).items():
        assert value == pytest.approx(expected[name], abs=6e-5), name


def test_a_border_may_vary_by_ten_levels_and_not_by_eleven() -> None:
    image = Image.new("RGB", (40, 60), (100, 100, 100))
    image.putpixel((20, 30), (200, 200, 200))
    image.putpixel((5, 50), (110, 90, 100))
    assert content_box(image) == (20, 30, 1, 1)
    image.putpixel((5, 50), (100, 100, 111))
    assert content_box(image) == (5, 30, 16, 21)
    assert content_box(scene()) == (0, 0, 300, 450)


def test_a_busy_picture_has_no_flaw() -> None:
    assert flaws(scene()) == set()


@pytest.mark.parametrize("grey", [0, 255, 128])
def test_a_picture_of_one_colour_is_blank(grey: int) -> None:
    picture = Image.new("RGB", (300, 450), (grey, grey, grey))
    assert "blank" in flaws(picture)
    assert {str(measure(picture)[name]) for name in ("blank", "low-information", "blurry", "border")} == {
        "0.0"
    }


def test_noise_as_jpeg_leaves_it_does_not_hide_that_a_picture_is_blank() -> None:
    noise = np.random.default_rng(0).integers(126, 130, (450, 300, 3), dtype=np.uint8)
    assert "blank" in flaws(Image.fromarray(noise))


def test_dark_and_pale_pictures_are_told_apart() -> None:
    assert "dark" in flaws(scene().point([n // 5 for n in range(256)] * 3))
    assert "light" in flaws(scene().point([200 + n // 5 for n in range(256)] * 3))
    assert not {"dark", "light"} & flaws(scene())


@pytest.mark.parametrize(
    ("colour", "lightness"),
    [
        ((0, 0, 255), 32.30),
        ((230, 0, 0), 48.04),
        ((0, 0, 128), 12.98),
        ((80, 80, 80), 34.03),
        ((3, 3, 3), 0.82),
    ],
)
def test_what_is_dark_in_grey_is_judged_by_lightness_and_the_brightest_channel(
    colour: tuple[int, int, int], lightness: float
) -> None:
    """L* as in CIE 15, of sRGB's colours under D65."""
    found = measure(Image.new("RGB", (300, 450), colour))["dark"]
    assert found == pytest.approx((lightness / 100 + max(colour) / 255) / 2, abs=1e-4)


def test_vivid_colours_are_not_dark_and_dim_ones_are() -> None:
    for vivid in ((0, 0, 255), (230, 0, 0), (90, 0, 255), (0, 120, 0)):
        assert "dark" not in flaws(Image.new("RGB", (300, 450), vivid)), vivid
    for dim in ((0, 0, 90), (60, 0, 0), (0, 50, 0), (70, 70, 70)):
        assert "dark" in flaws(Image.new("RGB", (300, 450), dim)), dim


def test_a_blurred_picture_is_blurry() -> None:
    assert "blurry" in flaws(scene().filter(ImageFilter.GaussianBlur(12)))


def test_a_picture_of_few_tones_has_little_information() -> None:
    plain = Image.new("RGB", (300, 450), (20, 20, 60))
    ImageDraw.Draw(plain).text((20, 20), "Logo", fill="white", font_size=40)
    assert "low-information" in flaws(plain)


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (30, 90, 200)])
def test_a_border_of_any_colour_is_measured_exactly(colour: tuple[int, int, int]) -> None:
    framed = Image.new("RGB", (300, 450), colour)
    inner = Image.new("RGB", (200, 300), tuple(255 - c for c in colour))
    framed.paste(inner, (40, 60))
    assert content_box(framed) == (40, 60, 200, 300)
    assert measure(framed)["border"] == pytest.approx(200 * 300 / (300 * 450), abs=1e-4)


def test_what_jpeg_does_to_a_border_is_not_content() -> None:
    framed = Image.new("RGB", (300, 450), (10, 10, 10))
    framed.paste(scene(size=(160, 240)), (72, 104))  # at whole blocks of 8 x 8 pixels
    file = io.BytesIO()
    framed.save(file, "JPEG", quality=90, subsampling=0)
    left, top, width, height = content_box(Image.open(file).convert("RGB"))
    assert abs(left - 72) <= 8 >= abs(top - 104)
    assert abs(width - 160) <= 16 >= abs(height - 240)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(3, 40),
    st.integers(3, 40),
    st.lists(st.tuples(st.integers(0, 39), st.integers(0, 39)), max_size=6),
)
def test_the_box_is_that_of_all_pixels_that_differ_from_the_corner(
    width: int, height: int, spots: list[tuple[int, int]]
) -> None:
    image = Image.new("RGB", (width, height), (100, 100, 100))
    inside = [(x % width, y % height) for x, y in spots if (x % width, y % height) != (0, 0)]
    ImageDraw.Draw(image).point(inside, fill=(200, 100, 100)) if inside else None
    box = ImageChops.difference(image, Image.new("RGB", image.size, (100, 100, 100))).getbbox()
    expected = (0, 0, 0, 0) if box is None else (box[0], box[1], box[2] - box[0], box[3] - box[1])
    if expected[2:] == (width, height):
        expected = (0, 0, width, height)
    assert content_box(image) == expected


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_every_number_is_from_0_to_1_for_pictures_of_any_size(width: int, height: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    found = measure(Image.fromarray(pixels))
    assert set(found) == set(THRESHOLDS)
    assert all(0 <= value <= 1 for value in found.values())
    assert all(value == round(value, 4) for value in found.values())


def test_the_numbers_hardly_depend_on_the_size_of_the_picture() -> None:
    large = measure(scene(size=(600, 900)))
    small = measure(scene(size=(600, 900)).resize((300, 450), Image.Resampling.LANCZOS))
    for name, value in large.items():
        assert small[name] == pytest.approx(value, abs=0.06), name
