"""Limits hold for what is decoded: a large JPEG is decoded at a part of its size."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from steamdino.banners.decode import decode, frame, header
from steamdino.errors import PictureError
from steamdino.storage import picture_limits
from steamdino.storage.picture_limits import PictureLimits

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def art(size: tuple[int, int], seed: int = 1) -> Image.Image:
    coarse = np.random.default_rng(seed).integers(0, 256, (9, 6, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)


def encoded(image: Image.Image, form: str = "JPEG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_limits, "_limits", PictureLimits(pixels=10_000))


@pytest.mark.parametrize(
    ("size", "decoded"),
    [
        ((80, 120), (80, 120)),
        ((80, 125), (80, 125)),
        ((80, 126), (40, 63)),
        ((160, 240), (80, 120)),
        ((200, 300), (50, 75)),
        ((320, 480), (80, 120)),
        ((400, 400), (100, 100)),
    ],
)
def test_a_jpeg_is_decoded_at_the_largest_part_of_its_size_that_is_allowed(
    size: tuple[int, int], decoded: tuple[int, int], small_limits: None
) -> None:
    data = encoded(art(size), quality=95)
    assert (header(data).width, header(data).height) == size
    found = decode(data)
    assert found.size == decoded
    difference = np.asarray(found, np.int16) - np.asarray(
        art(size).resize(decoded, Image.Resampling.BOX), np.int16
    )
    assert np.abs(difference).mean() < 3
    assert decode(data, (20, 30)).size <= decoded


def test_a_turned_one_is_reduced_and_upright(small_limits: None) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(art((240, 160)), quality=95, exif=exif)
    assert (header(data).width, header(data).height) == (160, 240)
    assert decode(data).size == (80, 120)
    assert decode(data, (30, 200)).size == (80, 120)


def test_what_cannot_be_decoded_in_part_says_which_setting_helps(small_limits: None) -> None:
    for data in (
        encoded(art((101, 100)), "PNG"),
        encoded(art((101, 100)), "WEBP"),
        encoded(art((401, 400))),  # more than 16 times as many
        encoded(art((110, 100)), subsampling=0, progressive=True),
        encoded(art((160, 150)), subsampling=2, progressive=True),
    ):
        for read in (header, decode, frame):
            with pytest.raises(
                PictureError, match=r"pixels; at most 10,000 are decoded; scale it down, or raise"
            ):
                read(data)
    # Of a progressive one all coefficients are held, which take as much memory as twice the pixels.
    assert decode(encoded(art((100, 200)), subsampling=2, progressive=True)).size == (50, 100)


def test_several_pictures_in_one_file_are_each_within_the_limits(small_limits: None) -> None:
    small, large = art((80, 120)), art((160, 240))
    data = encoded(small, "MPO", save_all=True, append_images=[small], quality=95)
    count, middle = frame(data)
    assert (count, middle and middle.size) == (2, (80, 120))
    with pytest.raises(PictureError, match="at most 10,000 are decoded"):
        frame(encoded(small, "MPO", save_all=True, append_images=[large], quality=95))


def test_a_broken_jpeg_is_told_from_what_is_no_picture() -> None:
    data = encoded(art((80, 120)))
    for broken in (data[:3], data[:20], data[: len(data) // 2]):
        with pytest.raises(PictureError, match=r"not a picture of a known format|cannot be decoded"):
            decode(broken)


@pytest.mark.slow
def test_a_scan_of_65_megapixels_is_added_built_searched_and_shown(tmp_path: Path, run: Run) -> None:
    covers = tmp_path / "covers"
    covers.mkdir()
    for n in range(3):
        art((200, 300), n).save(covers / f"small{n}.png")
    art((200, 300), 1).resize((6600, 9900)).save(covers / "poster.jpg", quality=60)
    added = run("add", covers, "-g", tmp_path / "g")
    assert "4 new, " in added.stdout
    assert "0 problems" in added.stdout
    assert run("build", "-g", tmp_path / "g").returncode == 0
    found = run("similar", "poster", "-k", 1, "-g", tmp_path / "g")
    assert re.search(r"0\.99\d|1\.000", found.stdout)
    assert "small1" in found.stdout
    assert run("duplicates", "-g", tmp_path / "g").returncode == 0
    assert run("check", "-g", tmp_path / "g").returncode == 0
    pixels, shares = (
        run("similar", covers / "poster.jpg", "--crop", crop, "-k", 3, "-g", tmp_path / "g")
        for crop in ("1650,2475,3300,4950", "0.25,0.25,0.5,0.5")
    )
    assert pixels.returncode == 0, pixels.stderr
    assert pixels.stdout.splitlines()[1:] == shares.stdout.splitlines()[1:]


def test_the_limits_are_settings_also_of_each_process_that_encodes(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    covers = tmp_path / "covers"
    covers.mkdir()
    art((200, 300)).save(covers / "a.png")
    monkeypatch.setenv("STEAMDINO_LARGEST_PICTURE", "50000")
    refused = run("add", covers, "-g", tmp_path / "g")
    assert "200 x 300 pixels; at most 50,000 are decoded" in refused.stdout + refused.stderr
    monkeypatch.setenv("STEAMDINO_LARGEST_FILE", "100")
    refused = run("add", covers, "-g", tmp_path / "g2")
    assert "at most 100 are read (setting largest_file)" in refused.stdout + refused.stderr
    monkeypatch.delenv("STEAMDINO_LARGEST_FILE")
    monkeypatch.setenv("STEAMDINO_LARGEST_PICTURE", "60000")
    assert "0 problems" in run("add", covers, "-g", tmp_path / "g").stdout
    monkeypatch.setenv("STEAMDINO_LARGEST_PICTURE", "1")
    assert run("add", covers, "-g", tmp_path / "g").returncode == 2


def test_a_higher_limit_is_not_refused_by_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a process of its own, since Pillow's limit is one for all of its users."""
    code = """
import io
from PIL import Image
from steamdino.banners.decode import decode
from steamdino.storage.picture_limits import PictureLimits, set_picture_limits
Image.MAX_IMAGE_PIXELS = 1000
file = io.BytesIO()
Image.new("RGB", (100, 100)).save(file, "PNG")
set_picture_limits(PictureLimits(pixels=20_000))
print(decode(file.getvalue()).size)
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )
    assert done.stdout == "(100, 100)\n", done.stderr
