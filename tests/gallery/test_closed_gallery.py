from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from steamdino.errors import GalleryError
from steamdino.gallery import Gallery
from steamdino.records import Entry


def uses(gallery: Gallery) -> list[Callable[[], Any]]:
    return [
        gallery.report,
        gallery.complaints,
        gallery.compact,
        lambda: gallery.games.revision,
        lambda: gallery.games.remove_gone(),
        lambda: gallery.games.mark_gone(["x"]),  # many at once
        lambda: list(gallery.banners.known()),
        lambda: list(gallery.problems.known()),
        gallery.vectors.recipes,
        gallery.steam_apps.count,
        lambda: list(gallery.steam_assets.due("vertical")),
        lambda: gallery.transaction().__enter__(),
    ]


def made(path: Path) -> Path:
    with Gallery.write(path, "test", create=True) as opened, opened.transaction():
        source = opened.games.put_source("folder", path.parent / "covers", steam=False)
        opened.games.put_game(source, Entry("a", "A", None, "a.jpg"))
    return path


def test_a_closed_gallery_says_so_whatever_it_is_used_for(tmp_path: Path) -> None:
    made(tmp_path / "g")
    opened = Gallery.open(tmp_path / "g")
    opened.close()
    opened.close()  # does nothing
    with Gallery.write(tmp_path / "g", "test") as written:
        pass
    for gallery in (opened, written):
        for use in uses(gallery):
            with pytest.raises(GalleryError, match=r"the gallery .*/g was closed; open it again with"):
                use()


def test_a_gallery_that_is_closed_too_early_is_not_called_damaged(tmp_path: Path) -> None:
    made(tmp_path / "g")
    with pytest.raises(GalleryError) as error, Gallery.open(tmp_path / "g") as opened:
        opened.close()
        opened.report()
    assert "was closed" in str(error.value) and "backup" not in str(error.value)
