from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from steamdino.features.recipe_parser import named
from steamdino.features.transform import _crop_box, normalise, prepare, sufficient_size, turned
from steamdino.recipe import PILLOW, TRANSFORM_MODES, Transform

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


def _one_axis(pixels: np.ndarray, side: int, start: float, stop: float) -> np.ndarray:
    """Resize the first axis as Pillow does it: Keys' cubic with -0.5, whole levels, weights of 22 binary digits."""
    start, stop = np.float32(start), np.float32(stop)  # as Pillow takes a box
    scale = float(stop - start) / side
    stretch = max(scale, 1.0)
    made = np.empty((side, *pixels.shape[1:]), np.uint8)
    for n in range(side):
        centre = float(start) + (n + 0.5) * scale
        low, high = max(0, int(centre - 2 * stretch + 0.5)), min(len(pixels), int(centre + 2 * stretch + 0.5))
        x = abs((np.arange(low, high) - centre + 0.5) / stretch)
        near, far = (1.5 * x - 2.5) * x * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
        weights = np.where(x < 1, near, np.where(x < 2, far, 0))
        whole = np.trunc(weights / weights.sum() * 2**22 + np.copysign(0.5, weights)).astype(np.int64)
        sums = np.tensordot(whole, pixels[low:high].astype(np.int64), 1)
        made[n] = np.clip((sums + 2**21) >> 22, 0, 255)
    return made


@pytest.mark.parametrize(
    ("mode", "size", "to"),
    [
        ("squash", (300, 450), (224, 224)),
        ("squash", (200, 300), (224, 224)),
        ("squash", (600, 900), (518, 518)),
        ("squash", (460, 215), (160, 240)),
        ("squash", (33, 900), (32, 14)),
        ("squash", (300, 450), (300, 98)),
        ("squash", (300, 450), (96, 450)),
        ("fit", (200, 600), (112, 336)),
        ("crop", (300, 450), (224, 224)),
        ("crop", (231, 900), (224, 224)),
        ("crop", (600, 901), (518, 504)),
        ("crop", (460, 215), (98, 112)),
    ],
)
def test_the_width_is_resized_before_the_height_whatever_pillow_would_do(
    mode: str, size: tuple[int, int], to: tuple[int, int]
) -> None:
    rng = np.random.default_rng(to[0])
    pixels = rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    box = _crop_box(size, to) if mode == "crop" else (0, 0, *size)
    rows = _one_axis(pixels.swapaxes(0, 1), to[0], box[0], box[2]).swapaxes(0, 1)
    expected = _one_axis(rows, to[1], box[1], box[3])
    assert (prepare(Image.fromarray(pixels), _transform(mode, *to)) == expected).all()


def test_a_recipe_of_an_earlier_version_leaves_the_order_to_pillow() -> None:
    image = _photo(300, 450)
    earlier = replace(_transform("squash"), passes=PILLOW)
    expected = np.asarray(image.resize((224, 224), Image.Resampling.BICUBIC))
    assert (prepare(image, earlier) == expected).all()


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
