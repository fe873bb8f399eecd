"""Each way to change a picture does what its name says, the same way each time."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from steamdino.analysis.evaluation.perturbations import PERTURBATIONS, perturbed

SHA256 = "3f" * 32


@pytest.fixture
def image() -> Image.Image:
    coarse = np.random.default_rng(0).integers(0, 256, (9, 6, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((200, 300), Image.Resampling.BICUBIC)


@pytest.fixture
def made(image: Image.Image) -> dict[str, Image.Image]:
    return {way.name: copy for way, copy in zip(PERTURBATIONS, perturbed(image, SHA256, 0), strict=True)}


def _pixels(image: Image.Image) -> np.ndarray:
    return np.asarray(image).astype(int)


def test_each_copy_differs_from_the_original_and_from_the_others(
    image: Image.Image, made: dict[str, Image.Image]
) -> None:
    contents = {copy.tobytes() for copy in made.values()}
    assert len(contents) == len(PERTURBATIONS) == len({way.name for way in PERTURBATIONS})
    assert image.tobytes() not in contents
    assert all(copy.mode == "RGB" for copy in made.values())


def test_chance_follows_the_picture_and_the_seed(image: Image.Image) -> None:
    def contents(sha256: str, seed: int) -> list[bytes]:
        return [copy.tobytes() for copy in perturbed(image, sha256, seed)]

    assert contents(SHA256, 1) == contents(SHA256, 1)
    assert contents(SHA256, 1) != contents(SHA256, 2)
    assert contents(SHA256, 1) != contents("4e" * 32, 1)


def test_crops_are_parts_of_the_picture(image: Image.Image, made: dict[str, Image.Image]) -> None:
    for name, size in (("crop 10 %", (180, 270)), ("crop 25 %", (150, 225))):
        copy = made[name]
        assert copy.size == size
        windows = np.lib.stride_tricks.sliding_window_view(_pixels(image)[:, :, 0], size[::-1])
        assert (windows == _pixels(copy)[:, :, 0]).all(axis=(2, 3)).any()


def test_the_mirror_is_exact(image: Image.Image, made: dict[str, Image.Image]) -> None:
    assert (_pixels(made["mirror"]) == _pixels(image)[:, ::-1]).all()


def test_grey_has_no_colour_and_recolouring_keeps_the_light(
    image: Image.Image, made: dict[str, Image.Image]
) -> None:
    grey = _pixels(made["greyscale"])
    assert (grey == grey[:, :, :1]).all()
    values, changed = (_pixels(one).max(axis=2) for one in (image, made["recolour"]))
    assert np.abs(values - changed).max() <= 2
    assert np.abs(_pixels(image) - _pixels(made["recolour"])).mean() > 10


def test_sizes_are_the_stated_ones(made: dict[str, Image.Image]) -> None:
    assert made["half size"].size == (100, 150)
    assert made["quarter size"].size == (50, 75)
    kept = ("mirror", "recolour", "greyscale", "JPEG 30", "JPEG 10", "text 15 %", "text 30 %", "rotate 3°")
    assert {made[name].size for name in kept} == {(200, 300)}


def test_the_lower_quality_loses_more(image: Image.Image, made: dict[str, Image.Image]) -> None:
    losses = [np.abs(_pixels(image) - _pixels(made[name])).mean() for name in ("JPEG 30", "JPEG 10")]
    assert 0 < losses[0] < losses[1] < 20


@pytest.mark.parametrize(("name", "lines"), [("text 15 %", 45), ("text 30 %", 90)])
def test_a_band_covers_the_stated_share_and_has_letters(
    image: Image.Image, made: dict[str, Image.Image], name: str, lines: int
) -> None:
    changed = (_pixels(image) != _pixels(made[name])).any(axis=2)
    (touched,) = np.nonzero(changed.any(axis=1))
    assert touched[-1] - touched[0] + 1 == lines
    band = _pixels(made[name])[touched[0] : touched[-1] + 1].reshape(-1, 3)
    assert (band == 255).all(axis=1).sum() > 50  # the letters' white


def test_a_turn_leaves_black_corners_and_the_centre_in_place(
    image: Image.Image, made: dict[str, Image.Image]
) -> None:
    turned = _pixels(made["rotate 3°"])
    assert sum((turned[y, x] == 0).all() for y in (0, -1) for x in (0, -1)) >= 2
    assert np.abs(turned[145:155, 95:105] - _pixels(image)[145:155, 95:105]).max() < 30


@pytest.mark.parametrize("size", [(8, 8), (9, 400), (400, 9)])
def test_even_the_smallest_pictures_can_be_copied(size: tuple[int, int]) -> None:
    copies = perturbed(Image.new("RGB", size, (200, 10, 30)), SHA256, 0)
    assert all(min(copy.size) >= 8 for copy in copies)
