"""The pictures on which a model is calibrated and compared."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import steamdino
from steamdino.errors import UsageError
from steamdino.pipeline.calibration_pictures import FEWEST, fewest, pictures_of


def test_a_gallerys_banners_come_in_an_order_that_does_not_depend_on_when_they_were_added(
    tmp_path: Path, paint: Callable[..., Path]
) -> None:
    for gallery, numbers in (("one", range(8)), ("two", range(7, -1, -1))):
        for n in numbers:
            folder = tmp_path / gallery / f"covers{n}"
            paint(folder / f"{n}.png", n)
            steamdino.add(tmp_path / gallery / "g", folder)
    one, two = (pictures_of(tmp_path / gallery / "g") for gallery in ("one", "two"))
    keys = [picture.key for picture in one]
    assert keys == [picture.key for picture in two] != sorted(keys)
    assert len(set(keys)) == 8


def test_a_picture_that_is_gone_is_none(tmp_path: Path, paint: Callable[..., Path]) -> None:
    path = paint(tmp_path / "covers/1.png", 1)
    steamdino.add(tmp_path / "g", tmp_path / "covers")
    (picture,) = pictures_of(tmp_path / "g")
    image = picture.load()
    assert image is not None and image.size == (60, 90)
    path.write_bytes(b"changed")
    assert picture.load() is None


def test_without_a_gallery_they_are_drawn() -> None:
    drawn = pictures_of(None)
    image = drawn[0].load()
    assert len(drawn) > 300
    assert image is not None and min(image.size) >= 200


def test_too_few_are_refused_with_the_number() -> None:
    fewest(FEWEST)
    with pytest.raises(
        UsageError, match=f"{FEWEST - 1} readable pictures are left .* takes at least {FEWEST}"
    ):
        fewest(FEWEST - 1)
