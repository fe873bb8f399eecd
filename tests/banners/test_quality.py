from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from steamdino.banners.quality import measure
from steamdino.thresholds import ADJUSTABLE, Thresholds


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


def jpeg(image: Image.Image, quality: int = 75) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def logo(seed: int) -> Image.Image:
    """Crisp flat art: a word on one colour, drawn large and scaled down as a browser does."""
    ground, ink = (((208, 24, 24), "black"), ((20, 20, 20), "brown"), ((10, 42, 106), "orange"))[seed % 3]
    image = Image.new("RGB", (600, 900), ground)
    ImageDraw.Draw(image).text((300, 450), "ZIPPER", fill=ink, font_size=120, anchor="mm")
    return image.resize((200, 300), Image.Resampling.LANCZOS)


VERSIONS = {
    "as it is": lambda image: image,
    "dark": lambda image: image.point([int(n * 0.3) for n in range(256)] * 3),
    "pale": lambda image: image.point([int(180 + n * 0.25) for n in range(256)] * 3),
    "JPEG": jpeg,
}


def flaws(image: Image.Image) -> set[str]:
    return set(Thresholds().below(measure(image)))


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
    levels[:3] = levels[-3:] = 7
    levels[:, :3] = levels[:, -3:] = 7
    image = Image.fromarray(levels).convert("RGB")
    values = np.sort(levels.ravel())

    def percentile(share: float) -> float:
        place = share / 100 * (len(values) - 1)
        low = int(place)
        return float(
            values[low] + (place - low) * (float(values[min(low + 1, len(values) - 1)]) - values[low])
        )

    def steps(reach: int) -> float:
        wide = levels.astype(float)
        return sum(
            ((wide - np.roll(wide, reach, axis)) ** 4).take(range(reach, wide.shape[axis]), axis).mean()
            for axis in (0, 1)
        )

    expected = {
        "blank": (percentile(99.5) - percentile(0.5)) / 255,
        "dark": percentile(99) / 255,
        "light": 1 - percentile(5) / 255,
        "low-information": image.convert("L").entropy() / 8,
        "blurry": (steps(1) / steps(8)) ** 0.25,
        "border": 194 * 294 / (200 * 300),
        "grey": 0,
    }
    for name, value in measure(image).items():
        assert value == pytest.approx(expected[name], abs=6e-5), name


def test_a_busy_picture_has_no_flaw() -> None:
    assert flaws(scene()) == set()


@pytest.mark.parametrize("grey", [0, 255, 128])
def test_a_picture_of_one_colour_is_blank(grey: int) -> None:
    picture = Image.new("RGB", (300, 450), (grey, grey, grey))
    assert "blank" in flaws(picture)
    assert {str(measure(picture)[name]) for name in ("blank", "low-information", "blurry", "grey")} == {"0.0"}


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


@pytest.mark.parametrize("radius", [2, 3, 4, 12])
@pytest.mark.parametrize("version", ["as it is", "dark", "pale", "JPEG"])
def test_a_blurred_picture_is_blurry_in_any_light(radius: int, version: str) -> None:
    for seed in range(3):
        blurred = scene(seed, (200, 300)).filter(ImageFilter.GaussianBlur(radius))
        assert "blurry" in flaws(VERSIONS[version](blurred)), seed


@pytest.mark.parametrize("version", ["as it is", "dark", "pale", "JPEG"])
def test_a_crisp_picture_is_not_blurry_in_any_light(version: str) -> None:
    for seed in range(3):
        assert "blurry" not in flaws(VERSIONS[version](scene(seed, (200, 300)))), seed
        assert "blurry" not in flaws(VERSIONS[version](logo(seed))), seed


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.2, 1), st.sampled_from([0.0, 1.0, 3.0]))
def test_sharpness_hardly_follows_brightness(seed: int, factor: float, radius: float) -> None:
    picture = scene(seed, (200, 300)).filter(ImageFilter.GaussianBlur(radius))
    darker = ImageEnhance.Brightness(picture).enhance(factor)
    assert measure(darker)["blurry"] == pytest.approx(measure(picture)["blurry"], abs=0.02)


def test_an_edge_is_as_steep_as_the_share_of_it_that_one_step_takes() -> None:
    """An edge in one step counts once across one pixel and 8 times across 8, in fourth powers under a root."""
    edge = Image.new("RGB", (200, 300), "black")
    edge.paste("white", (100, 0, 200, 300))
    assert measure(edge)["blurry"] == pytest.approx((1 / 199 / (8 / 192)) ** 0.25, abs=1e-4)


def test_a_picture_without_colour_is_grey_however_it_is_stored() -> None:
    grey = scene().convert("L")
    assert measure(grey.convert("RGB"))["grey"] == 0
    noise = np.random.default_rng(0).integers(-12, 13, (450, 300, 3))
    noisy = Image.fromarray((np.asarray(grey.convert("RGB")) + noise).clip(0, 255).astype(np.uint8))
    assert "grey" in flaws(noisy)
    assert "grey" in flaws(VERSIONS["JPEG"](noisy))


def test_a_tinted_picture_and_a_grey_one_with_a_red_sign_are_not_grey() -> None:
    grey = scene().convert("L")
    sepia = Image.merge(
        "RGB", [grey.point([int(n * share) for n in range(256)]) for share in (1, 0.85, 0.65)]
    )
    assert "grey" not in flaws(sepia)
    signed = grey.convert("RGB")
    signed.paste("red", (100, 100, 130, 130))
    assert "grey" not in flaws(signed)
    assert "grey" not in flaws(scene())


def test_a_picture_of_few_tones_has_little_information() -> None:
    plain = Image.new("RGB", (300, 450), (20, 20, 60))
    ImageDraw.Draw(plain).text((20, 20), "Logo", fill="white", font_size=40)
    assert "low-information" in flaws(plain)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_every_number_is_from_0_to_1_for_pictures_of_any_size(width: int, height: int, seed: int) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    found = measure(Image.fromarray(pixels))
    assert set(found) == set(ADJUSTABLE) - {"odd-aspect"}
    assert all(0 <= value <= 1 for value in found.values())
    assert all(value == round(value, 4) for value in found.values())


def test_the_numbers_hardly_depend_on_the_size_of_the_picture() -> None:
    large = measure(scene(size=(600, 900)))
    small = measure(scene(size=(600, 900)).resize((300, 450), Image.Resampling.LANCZOS))
    for name, value in large.items():
        assert small[name] == pytest.approx(value, abs=0.06), name
