"""Pictures that are in no local file: a table names their addresses, and everything works with them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from steamdino import Snapshot, add, build
from steamdino.errors import PictureError
from steamdino.pipeline.doctor import examine
from steamdino.storage.location import SCHEMES, Content, PictureStatus

SHELF: dict[str, bytes] = {}


@dataclass(frozen=True)
class OnShelf:
    """A picture in a store of objects, which knows a version of each and no file."""

    address: str

    @property
    def path(self) -> None:
        return None

    @property
    def name(self) -> str:
        return self.address.rpartition("/")[2]

    def status(self) -> PictureStatus:
        if self.address not in SHELF:
            raise PictureError("the object does not exist")
        data = SHELF[self.address]
        return PictureStatus(len(data), 0, hash(data) & 0xFFFFFFFF)

    def read(self) -> Content:
        status = self.status()
        return Content(SHELF[self.address], status.mtime_ns, status.ctime_ns)


def banner(number: int) -> bytes:
    image = Image.new("RGB", (60, 90), (20 * number, 60, 120))
    ImageDraw.Draw(image).ellipse((5 * number, 10, 5 * number + 25, 60), fill=(240, 220, 30 * number))
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setitem(SCHEMES, "shelf", OnShelf)
    rows = ["id,name,path"]
    for number in range(4):
        SHELF[f"shelf://covers/{number}.png"] = banner(number)
        rows.append(f"{number},Game {number},shelf://covers/{number}.png")
    path = tmp_path / "games.csv"
    path.write_text("\n".join(rows) + "\n", "utf-8")
    yield path
    SHELF.clear()


def test_a_table_may_name_objects_which_are_searched_like_files(table: Path, tmp_path: Path) -> None:
    gallery = tmp_path / "gallery"
    assert add(gallery, table).new == 4
    assert build(gallery).games == 4
    assert add(gallery, table).unchanged == 4
    snapshot = Snapshot.open(gallery)
    assert snapshot.game("2").picture is None
    mirrored = snapshot.similar("2", 3, mirror=True)  # the object is read and encoded
    assert len(mirrored) == 3
    assert examine(gallery, deep=True) == []


def test_an_object_that_changes_is_encoded_again_and_one_that_vanishes_is_reported(
    table: Path, tmp_path: Path
) -> None:
    gallery = tmp_path / "gallery"
    add(gallery, table)
    build(gallery)
    SHELF["shelf://covers/1.png"] = banner(6)
    del SHELF["shelf://covers/3.png"]
    found = {finding.text: finding.harmless for finding in examine(gallery)}
    assert len(found) == 2, found
    again = add(gallery, table)
    assert (again.changed, again.unchanged) == (1, 3)
    assert [problem.id for problem in again.problems] == ["3"]
    assert build(gallery).encoded == 1


def test_copies_of_objects_are_kept_in_the_gallery(table: Path, tmp_path: Path) -> None:
    gallery = tmp_path / "gallery"
    add(gallery, table, copy=True)
    expected = dict(SHELF)
    SHELF.clear()
    assert build(gallery).games == 4
    picture = Snapshot.open(gallery).game("1").picture
    assert picture is not None
    assert picture.read_bytes() == expected["shelf://covers/1.png"]
    assert picture.suffix == ".png"
