from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from steamdino.banners.read import inspect, read_picture
from steamdino.errors import PictureError
from steamdino.storage.location import Content, LocalFile, PictureStatus

Paint = Callable[..., Path]


class Remote:
    """A picture that is in no file."""

    path = None
    address = "shop://a.jpg"
    name = "a.jpg"

    def __init__(self, data: bytes) -> None:
        self._data = data

    def status(self) -> PictureStatus:
        return PictureStatus(len(self._data), 0)

    def read(self) -> Content:
        return Content(self._data, 0)


def test_a_file_is_read_once_and_identified_by_its_bytes(tmp_path: Path, paint: Paint) -> None:
    path = paint(tmp_path / "a.jpg")
    content = LocalFile(path).read()
    banner = inspect(LocalFile(path), content)
    assert banner.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (banner.size, banner.width, banner.height, banner.mode, banner.format) == (
        path.stat().st_size,
        60,
        90,
        "RGB",
        "JPEG",
    )
    assert (banner.mtime_ns, banner.ctime_ns) == (path.stat().st_mtime_ns, path.stat().st_ctime_ns)


def test_a_picture_is_the_same_wherever_it_is(tmp_path: Path, paint: Paint) -> None:
    path = paint(tmp_path / "a.jpg", size=(600, 900))
    image = read_picture(path)
    assert (image.mode, image.size) == ("RGB", (600, 900))
    for place in (LocalFile(path), Remote(path.read_bytes())):
        assert read_picture(place).tobytes() == image.tobytes()


def test_a_large_jpeg_may_be_decoded_smaller(tmp_path: Path, paint: Paint) -> None:
    path = paint(tmp_path / "a.jpg", size=(600, 900))
    assert read_picture(path, (150, 225)).size == (150, 225)


def test_a_picture_that_cannot_be_decoded_is_a_picture_error(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"<html>")
    with pytest.raises(PictureError, match="it is HTML or XML") as caught:
        read_picture(tmp_path / "a.jpg")
    assert str(tmp_path) not in str(caught.value)
