from __future__ import annotations

from pathlib import Path

import pytest

from steamdino.errors import GalleryError
from steamdino.gallery import Gallery
from steamdino.present.export.banner_urls import steam_pictures


def test_where_there_is_no_gallery_no_address_is_known(tmp_path: Path) -> None:
    assert steam_pictures(tmp_path / "none", "vertical").urls == {}


def test_a_gallery_that_cannot_be_read_is_not_taken_for_one_without_addresses(tmp_path: Path) -> None:
    with Gallery.write(tmp_path / "g", "test", create=True):
        pass
    assert steam_pictures(tmp_path / "g", "vertical").urls == {}
    (tmp_path / "g/gallery.sqlite").write_bytes(b"this is no database" * 100)
    with pytest.raises(GalleryError, match="restore it from a backup"):
        steam_pictures(tmp_path / "g", "vertical")
