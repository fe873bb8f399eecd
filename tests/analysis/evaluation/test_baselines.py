"""The baselines, on pictures whose description can be told by hand."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from steamdino.analysis.evaluation.baselines import colour_histogram, difference_hash, signs, thumbnail
from steamdino.analysis.evaluation.tasks import hamming


def _noise(seed: int, size: tuple[int, int] = (60, 90)) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 6, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


def test_a_histogram_holds_the_roots_of_the_colours_shares() -> None:
    pixels = np.zeros((10, 10, 3), np.uint8)
    pixels[:, :9] = (255, 0, 32)  # red 7, green 0, blue 1
    expected = np.zeros((8, 8, 8))
    expected[7, 0, 1], expected[0, 0, 0] = 0.9**0.5, 0.1**0.5
    np.testing.assert_allclose(colour_histogram(Image.fromarray(pixels)), expected.ravel(), atol=1e-6)


def test_a_histogram_agrees_with_numpys() -> None:
    image = _noise(3)
    counts, _ = np.histogramdd(np.asarray(image).reshape(-1, 3), bins=8, range=[(0, 256)] * 3)
    np.testing.assert_allclose(colour_histogram(image), np.sqrt(counts / counts.sum()).ravel(), atol=1e-6)


def test_two_thumbnails_multiply_to_their_correlation() -> None:
    one, other = _noise(1), _noise(2)
    small = [
        np.asarray(image.resize((16, 24), Image.Resampling.BICUBIC), float).ravel() for image in (one, other)
    ]
    assert thumbnail(one) @ thumbnail(other) == pytest.approx(np.corrcoef(*small)[0, 1], abs=1e-5)


@pytest.mark.parametrize("grey", [0, 77, 255])
def test_a_picture_of_one_grey_is_like_nothing(grey: int) -> None:
    assert not thumbnail(Image.new("RGB", (30, 40), (grey, grey, grey))).any()


def test_a_ramp_hashes_to_ones_and_its_mirror_to_zeros() -> None:
    ramp = Image.fromarray(np.tile(np.linspace(0, 255, 170).astype(np.uint8), (160, 1))).convert("RGB")
    assert difference_hash(ramp).tolist() == [255] * 32
    assert difference_hash(ramp.transpose(Image.Transpose.FLIP_LEFT_RIGHT)).tolist() == [0] * 32


def test_bits_are_packed_row_by_row() -> None:
    pixels = np.full((16, 17), 100, np.uint8)
    pixels[0, 1:] = 200  # brighter than its left neighbour in one place of the first row
    image = Image.fromarray(pixels).convert("RGB")
    assert difference_hash(image).tolist() == [128] + [0] * 31


def test_signs_multiply_to_the_share_of_equal_bits() -> None:
    one, other = difference_hash(_noise(1)), difference_hash(_noise(2))
    assert signs(one) @ signs(other) == pytest.approx(1 - hamming(one, other) / 128, abs=1e-6)


@pytest.mark.parametrize(
    "describe", [colour_histogram, thumbnail, lambda image: signs(difference_hash(image))]
)
def test_every_baseline_has_length_one(describe: object) -> None:
    assert np.linalg.norm(describe(_noise(5))) == pytest.approx(1, abs=1e-5)  # type: ignore[operator]
