"""`check` and `duplicates` store difference hashes, so that no picture is decoded twice."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import steamdino
from steamdino.analysis.duplicate_detection import DuplicatePairs
from steamdino.analysis.evaluation.baselines import HASH_VERSION, difference_hash
from steamdino.banners.read import read_picture
from steamdino.errors import NotComputedError
from steamdino.gallery import Gallery
from steamdino.gallery.curation import Decision
from steamdino.pipeline import duplicate_search, stored_descriptions
from steamdino.pipeline.check import check
from steamdino.pipeline.decisions import decide
from steamdino.pipeline.duplicate_groups import Duplicates
from steamdino.pipeline.duplicate_search import duplicates
from steamdino.records import Filter

PICTURES = 6


def hashes_of(gallery: Path) -> dict[str, bytes]:
    with closing(sqlite3.connect(gallery / "gallery.sqlite")) as db:
        rows = db.execute(
            "SELECT game_id, hash FROM banners JOIN difference_hashes USING (sha256) WHERE version = ?",
            (HASH_VERSION,),
        )
        return dict(rows.fetchall())


def ids(groups: list[Duplicates]) -> list[tuple[str, list[str]]]:
    return [(group.tier, [one.game_id for one in group.members]) for group in groups]


@pytest.fixture
def gallery(tmp_path: Path, paint: Any) -> Path:
    """Six pictures, of which the second and the third are the first one, encoded again and in another size."""
    covers = tmp_path / "covers"
    for seed in range(PICTURES):
        paint(covers / f"{seed}.png", seed)
    Image.open(covers / "0.png").save(covers / "1.png", compress_level=1)
    Image.open(covers / "0.png").resize((90, 135)).save(covers / "2.png")
    steamdino.add(tmp_path / "g", covers)
    steamdino.build(tmp_path / "g", "bundled/64x64")
    with closing(sqlite3.connect(tmp_path / "g" / "gallery.sqlite")) as db:
        # `build` measures the pictures that may be on the first page, which are all of so few.
        db.execute("DELETE FROM measures")
        db.execute("DELETE FROM difference_hashes")
        db.commit()
    return tmp_path / "g"


@pytest.fixture
def without_pictures(gallery: Path) -> Iterator[Path]:
    (gallery.parent / "covers").rename(gallery.parent / "elsewhere")
    yield gallery
    (gallery.parent / "elsewhere").rename(gallery.parent / "covers")


def test_check_stores_the_hash_of_each_picture_that_it_decodes(gallery: Path) -> None:
    check(gallery)
    covers = gallery.parent / "covers"
    assert hashes_of(gallery) == {
        str(seed): difference_hash(read_picture(covers / f"{seed}.png")).tobytes() for seed in range(PICTURES)
    }


def test_stored_hashes_are_used_even_if_the_pictures_are_missing(gallery: Path) -> None:
    check(gallery)
    (gallery.parent / "covers").rename(gallery.parent / "elsewhere")
    found = ids(duplicates(gallery, tiers=("re-encoded",)))
    assert [(tier, set(members)) for tier, members in found] == [("re-encoded", {"0", "1", "2"})]


def test_without_hashes_and_pictures_nothing_is_called_re_encoded(without_pictures: Path) -> None:
    assert duplicates(without_pictures, tiers=("re-encoded",)) == []
    assert hashes_of(without_pictures) == {}


def test_duplicates_stores_what_it_computes(gallery: Path) -> None:
    first = duplicates(gallery, tiers=("re-encoded",))
    assert set(hashes_of(gallery)) >= {"0", "1", "2"}
    (gallery.parent / "covers").rename(gallery.parent / "elsewhere")
    assert duplicates(gallery, tiers=("re-encoded",)) == first


def test_measures_that_an_older_program_stored_get_their_hashes(gallery: Path) -> None:
    before = check(gallery)
    with closing(sqlite3.connect(gallery / "gallery.sqlite")) as db:
        db.execute("DELETE FROM difference_hashes")
        db.commit()
    after = check(gallery)
    assert (after.measured, after.findings) == (PICTURES, before.findings)
    assert len(hashes_of(gallery)) == PICTURES
    assert check(gallery).measured == 0


def test_measures_outlive_a_picture_that_lacks_its_hash(gallery: Path) -> None:
    before = check(gallery)
    with closing(sqlite3.connect(gallery / "gallery.sqlite")) as db:
        db.execute(
            "DELETE FROM difference_hashes WHERE sha256 IN (SELECT sha256 FROM banners WHERE game_id = '5')"
        )
        db.commit()
    (gallery.parent / "covers/5.png").unlink()
    assert check(gallery).findings == before.findings


def test_a_picture_that_changed_gets_a_new_hash(gallery: Path, paint: Any) -> None:
    check(gallery)
    old = hashes_of(gallery)
    covers = gallery.parent / "covers"
    paint(covers / "1.png", 99)
    steamdino.add(gallery, covers)
    steamdino.build(gallery, "bundled/64x64")
    check(gallery)
    new = hashes_of(gallery)
    assert new["1"] == difference_hash(read_picture(covers / "1.png")).tobytes() != old["1"]
    assert [(tier, set(members)) for tier, members in ids(duplicates(gallery, tiers=("re-encoded",)))] == [
        ("re-encoded", {"0", "2"})
    ]


def test_nothing_is_stored_under_the_name_of_a_picture_that_changed_behind_the_gallerys_back(
    gallery: Path, paint: Any
) -> None:
    paint(gallery.parent / "covers/1.png", 99)
    found = [one for one in check(gallery).findings if one.flaw == "unreadable"]
    assert [(one.game_id, one.detail) for one in found] == [
        ("1", "its picture has changed since it was added; add its source again")
    ]
    assert "1" not in hashes_of(gallery)
    duplicates(gallery)
    assert "1" not in hashes_of(gallery)


def test_another_copy_is_read_where_the_first_is_missing(tmp_path: Path, paint: Any) -> None:
    paint(tmp_path / "covers/a.png", 1)
    (tmp_path / "covers/b.png").write_bytes((tmp_path / "covers/a.png").read_bytes())
    steamdino.add(tmp_path / "g", tmp_path / "covers")
    (tmp_path / "covers/b.png").unlink()
    assert not [one for one in check(tmp_path / "g").findings if one.flaw == "unreadable"]
    assert len(hashes_of(tmp_path / "g")) == 2


def test_beside_a_writer_duplicates_are_found_and_nothing_is_stored(gallery: Path) -> None:
    with Gallery.write(gallery, "test"):
        found = duplicates(gallery, tiers=("re-encoded",))
        assert hashes_of(gallery) == {}
    assert [(tier, set(members)) for tier, members in ids(found)] == [("re-encoded", {"0", "1", "2"})]


def test_in_a_read_only_gallery_duplicates_are_found(gallery: Path) -> None:
    command = [sys.executable, "-m", "steamdino", "duplicates", "--format", "json", "-g", str(gallery)]
    if (
        os.name == "posix" and os.geteuid() == 0
    ):  # root keeps its id, and loses what lets it pass permissions by
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner", *command]
    places = [gallery, *gallery.rglob("*")]
    for place in places:
        place.chmod(place.stat().st_mode & ~0o222)
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    finally:
        for place in places:
            place.chmod(place.stat().st_mode | 0o200)
    assert done.returncode == 0, done.stderr
    (group,) = json.loads(done.stdout)
    assert (group["tier"], {one["game_id"] for one in (group["representative"], *group["others"])}) == (
        "re-encoded",
        {"0", "1", "2"},
    )
    assert hashes_of(gallery) == {}


def test_only_stored_hashes_are_used_where_that_is_asked_for(
    gallery: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = duplicates(gallery, tiers=("re-encoded",), stored_only=True)
    assert len(few) == 1
    assert hashes_of(gallery) == {}  # a server never writes
    monkeypatch.setattr(stored_descriptions, "FEW", 2)
    with pytest.raises(NotComputedError, match=r"^3 pictures .*run: steam-dino check$"):
        duplicates(gallery, tiers=("re-encoded",), stored_only=True)
    check(gallery)
    assert duplicates(gallery, tiers=("re-encoded",), stored_only=True) == few


def test_copies_that_are_too_small_for_their_vectors_are_found_by_their_hashes(
    gallery: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    covers = gallery.parent / "covers"
    original = Image.open(covers / "3.png")
    original.resize((original.width // 6, original.height // 6)).save(covers / "small.png")
    original.save(covers / "poor.jpg", quality=10)
    steamdino.add(gallery, covers)
    steamdino.build(gallery, "bundled/64x64")

    def copies() -> set[str]:
        return {
            one.game_id
            for group in duplicates(gallery, tiers=("identical", "re-encoded", "near"))
            if group.representative.game_id == "3"
            for one in group.others
        }

    assert copies() == {"small", "poor"}
    assert set(hashes_of(gallery)) == {*map(str, range(PICTURES)), "small", "poor"}
    monkeypatch.setattr(duplicate_search, "hashed_pairs", none_by_hash)
    assert "poor" not in copies()


def none_by_hash(*_: object, **__: object) -> DuplicatePairs:
    return DuplicatePairs(*(np.empty(0, np.intp),) * 2, np.empty(0, np.uint8))


def test_hashes_of_an_interrupted_comparison_are_stored(
    gallery: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(duplicate_search, "find_pairs", interrupted)
    with pytest.raises(KeyboardInterrupt):
        duplicates(gallery)
    assert len(hashes_of(gallery)) == PICTURES


def test_only_pictures_that_a_filter_allows_are_hashed(gallery: Path) -> None:
    duplicates(gallery, only=Filter(free=True))
    assert hashes_of(gallery) == {}


def test_pairs_have_their_scores_under_a_persons_decisions(gallery: Path) -> None:
    found = steamdino.duplicate_pairs(gallery, tiers=("identical", "re-encoded"))
    assert {(one.first, one.second, one.tier) for one in found} == {
        ("0", "1", "re-encoded"),
        ("0", "2", "re-encoded"),
        ("1", "2", "re-encoded"),
    }
    hashes = hashes_of(gallery)
    for one in found:
        differing = int.from_bytes(hashes[one.first]) ^ int.from_bytes(hashes[one.second])
        assert one.hash_bits == differing.bit_count()
        assert one.similarity == pytest.approx(1, abs=0.2)
    decide(gallery, [Decision("0", "2", "different")])
    assert {(one.first, one.second) for one in steamdino.duplicate_pairs(gallery)} == {("0", "1"), ("1", "2")}
