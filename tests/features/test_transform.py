from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from steamdino.features.recipe_parser import named
from steamdino.features.transform import normalise, prepare, sufficient_size, turned
from steamdino.recipe import TRANSFORM_MODES, Transform

OWN = named("bundled").transform


def _transform(mode: str, width: int = 224, height: int = 224) -> Transform:
    return replace(OWN, mode=mode, width=width, height=height)


def _photo(width: int, height: int) -> Image.Image:
    rng = np.random.default_rng(width * 7919 + height)
    coarse = rng.integers(0, 256, (9, 6, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


sides = st.integers(8, 700)


@given(st.sampled_from(TRANSFORM_MODES), sides, sides, st.integers(1, 300), st.integers(1, 300))
def test_any_picture_fits_any_input(
    mode: str, width: int, height: int, to_width: int, to_height: int
) -> None:
    pixels = prepare(Image.new("RGB", (width, height), (9, 99, 199)), _transform(mode, to_width, to_height))
    assert pixels.shape == (to_height, to_width, 3)
    assert pixels.dtype == np.uint8
    if mode != "fit":
        assert (pixels == (9, 99, 199)).all()


@pytest.mark.parametrize("size", [(300, 450), (600, 900), (460, 215), (200, 300), (257, 311)])
def test_crop_equals_resizing_to_256_and_cutting_out_224(size: tuple[int, int]) -> None:
    image = _photo(*size)
    # As torchvision's Resize(256) and CenterCrop(224), which DINO's own evaluation uses, compute the sizes.
    large = tuple(256 if side == min(size) else int(256 * side / min(size)) for side in size)
    resized = image.resize(large, Image.Resampling.BICUBIC)
    left, top = (round((side - 224) / 2) for side in large)
    expected = np.asarray(resized.crop((left, top, left + 224, top + 224)), np.int16)
    difference = np.abs(prepare(image, _transform("crop")) - expected)
    assert difference.max() <= 2  # the roundings of two passes fall differently
    assert difference.mean() < 0.02


def test_squash_is_pillows_bicubic_resize() -> None:
    image = _photo(300, 450)
    expected = np.asarray(image.resize((160, 240), Image.Resampling.BICUBIC))
    assert (prepare(image, OWN) == expected).all()


def test_a_picture_of_the_right_size_is_unchanged() -> None:
    image = _photo(160, 240)
    assert (prepare(image, OWN) == np.asarray(image)).all()


@pytest.mark.parametrize(
    ("size", "inner"), [((300, 450), (149, 224)), ((460, 215), (224, 105)), ((9, 900), (2, 224))]
)
def test_fit_keeps_the_aspect_ratio_and_pads_with_the_mean(
    size: tuple[int, int], inner: tuple[int, int]
) -> None:
    pixels = prepare(Image.new("RGB", size, (255, 255, 255)), _transform("fit"))
    white = (pixels == 255).all(axis=2)
    rows, columns = np.flatnonzero(white.any(axis=1)), np.flatnonzero(white.any(axis=0))
    assert (len(columns), len(rows)) == inner
    assert abs((224 - 1 - columns[-1]) - columns[0]) <= 1
    assert abs((224 - 1 - rows[-1]) - rows[0]) <= 1
    assert (pixels[~white] == (124, 116, 104)).all()


def test_normalising_follows_its_formula() -> None:
    pixels = np.array([[[[0, 128, 255]]]], np.uint8)
    expected = [(0 - 0.485) / 0.229, (128 / 255 - 0.456) / 0.224, (1 - 0.406) / 0.225]
    result = normalise(pixels, OWN)
    assert result.shape == (1, 3, 1, 1)
    assert result.dtype == np.float32
    np.testing.assert_allclose(result.ravel(), expected, rtol=1e-6)


def test_turning_is_its_own_inverse_and_turns_the_right_way() -> None:
    image = _photo(30, 40)
    array = np.asarray(image)
    assert (np.asarray(turned(image, mirror=True, flip=False)) == array[:, ::-1]).all()
    assert (np.asarray(turned(image, mirror=False, flip=True)) == array[::-1]).all()
    both = turned(image, mirror=True, flip=True)
    assert (np.asarray(both) == array[::-1, ::-1]).all()
    assert turned(both, mirror=True, flip=True).tobytes() == image.tobytes()


def test_a_sufficient_picture_is_larger_than_the_input() -> None:
    for mode in TRANSFORM_MODES:
        width, height = sufficient_size(_transform(mode, 160, 240))
        assert width >= 160 * 1.4
        assert height >= 240 * 1.4
