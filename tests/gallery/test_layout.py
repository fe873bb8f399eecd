from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from steamdino.gallery.layout import absolute, located, portable

parts = st.lists(st.sampled_from(["a", "b", "ü", "with space", ".."]), max_size=6)


@given(parts, parts)
def test_a_stored_path_leads_back_to_the_same_file(place: list[str], root: list[str]) -> None:
    path, gallery = absolute(Path("/", *place)), absolute(Path("/", *root))
    assert located(portable(path, gallery), str(gallery)) == path


@given(st.lists(st.sampled_from("abc"), max_size=4))
def test_pictures_beside_or_below_a_gallery_move_with_it(place: list[str]) -> None:
    written = portable(Path("/old/place", *place), Path("/old/place/gallery"))
    assert not written.startswith("/")
    assert located(written, "/new/gallery") == Path("/new", *place)


def test_paths_elsewhere_are_stored_as_absolute() -> None:
    assert portable(Path("/elsewhere/a.jpg"), Path("/old/gallery")) == "/elsewhere/a.jpg"
