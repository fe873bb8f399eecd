from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from steamdino import Snapshot
from steamdino.errors import QueryError, UsageError
from steamdino.gallery import Gallery
from steamdino.pipeline import add, build, examine, prune, remove

Paint = Callable[..., Path]


@pytest.fixture
def small(tmp_path: Path, paint: Paint) -> Path:
    """A built gallery of two sources: a linked folder of six, a copied one of three."""
    for n in range(6):
        paint(tmp_path / f"linked/{n}.jpg", n)
    for n in range(3):
        paint(tmp_path / f"copied/c{n}.jpg", 100 + n)
    add(tmp_path / "g", tmp_path / "linked")
    add(tmp_path / "g", tmp_path / "copied", copy=True)
    build(tmp_path / "g")
    return tmp_path / "g"


def _copies(gallery: Path) -> int:
    return len(list((gallery / "banners").glob("*/*")))


def test_removed_games_leave_the_next_snapshot_and_their_pictures_stay(small: Path) -> None:
    assert remove(small, ["0", "c1"]) == 2
    build(small)
    assert Snapshot.open(small).ids == ["1", "2", "3", "4", "5", "c0", "c2"]
    with pytest.raises(QueryError, match="no game matches"):
        Snapshot.open(small).similar("c1")
    assert (small.parent / "linked/0.jpg").exists()
    (finding,) = examine(small)
    assert finding.text == "2 stored vectors belong to pictures that no game shows"
    assert finding.harmless


def test_a_whole_source_leaves_by_its_name(small: Path) -> None:
    assert remove(small, source="linked") == 6
    build(small)
    assert Snapshot.open(small).ids == ["c0", "c1", "c2"]
    with Gallery.open(small) as gallery:
        assert [source.name for source in gallery.report().sources] == ["copied"]


@pytest.mark.parametrize(
    ("ids", "source", "message"),
    [
        (["1", "nope"], None, "there is no game 'nope'; nothing was removed"),
        (["1"], "nope", "there is no source 'nope'; there are: linked, copied"),
        ([], None, "nothing to remove"),
    ],
)
def test_what_is_not_there_changes_nothing(
    small: Path, ids: list[str], source: str | None, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        remove(small, ids, source=source)
    assert build(small).swapped is False
    assert len(Snapshot.open(small)) == 9


def test_pruning_gives_the_space_back_and_keeps_what_is_used(small: Path) -> None:
    remove(small, ["0", "c1"])
    build(small)
    assert len(list(small.glob("snapshots/*/*"))) == 2
    before = Snapshot.open(small).vectors.copy()
    summary = prune(small)
    assert (summary.vectors, summary.copies) == (2, 1)
    assert summary.freed > 0
    assert _copies(small) == 2
    assert len(list(small.glob("snapshots/*/*"))) == 1
    assert (Snapshot.open(small).vectors == before).all()
    assert build(small).swapped is False
    assert prune(small).vectors == 0
    assert examine(small, deep=True) == []


def test_a_removed_game_that_is_added_again_is_encoded_again(small: Path) -> None:
    remove(small, ["0"])
    prune(small)
    assert add(small, small.parent / "linked").new == 1
    assert build(small).encoded == 1


def test_gone_games_are_deleted_only_when_asked_for(small: Path) -> None:
    (small.parent / "linked/0.jpg").unlink()
    add(small, small.parent / "linked")
    assert prune(small).games == 0
    summary = prune(small, gone=True)
    assert (summary.games, summary.vectors) == (1, 1)


def test_pruning_does_not_disturb_who_reads_an_old_snapshot(small: Path) -> None:
    old = Snapshot.open(small)
    remove(small, ["0"])
    build(small)
    prune(small)
    assert len(old.similar("0")) == 8
    assert old.vectors.shape == (9, 512)


def test_a_gallery_that_is_reached_by_a_detour_keeps_its_copies(small: Path) -> None:
    (small.parent / "sub").mkdir()
    detour = small.parent / "sub" / ".." / "g"
    assert prune(detour).copies == 0
    assert _copies(small) == 3
    assert examine(detour, deep=True) == []


def test_a_recipe_leaves_with_its_vectors_and_snapshots_and_no_other(small: Path) -> None:
    build(small, "bundled/64x96")
    with Gallery.open(small) as gallery:
        sizes = {recipe.name: recipe.size for recipe in gallery.report().recipes}
    first, second = sizes
    assert all(size > 9 * 512 for size in sizes.values())
    before = Snapshot.open(small, first).vectors.copy()
    reading = Snapshot.open(small, second)
    assert prune(small, recipes=[second]).vectors == 9
    with Gallery.open(small) as gallery:
        report = gallery.report()
    assert {recipe.name: recipe.size for recipe in report.recipes} == {first: sizes[first]}
    assert len(list(small.glob("snapshots/*"))) == 1
    assert (Snapshot.open(small).vectors == before).all()
    assert len(reading.similar("0")) == 8  # whoever has it open is not disturbed
    assert build(small, "bundled/64x96").encoded == 9
    assert prune(small, recipes=[Snapshot.open(small, second).recipe.hash]).vectors == 9


def test_a_recipe_that_is_unknown_or_ambiguous_is_refused_and_nothing_is_deleted(small: Path) -> None:
    build(small, "bundled/64x96")
    with Gallery.write(small, "test") as gallery, gallery.transaction():
        first, second = gallery.vectors.recipes()
        gallery.vectors.put_recipe(replace(second, name=first.name))
    with pytest.raises(UsageError, match=f"2 recipes are called 'bundled', .*: {first.hash}, {second.hash}"):
        prune(small, recipes=["bundled"])
    with pytest.raises(UsageError, match=f"there is no recipe 'nope'; there are: bundled .{first.hash}"):
        prune(small, recipes=[second.hash, "nope"])
    with Gallery.open(small) as gallery:
        assert len(gallery.vectors.recipes()) == 2
    assert prune(small, recipes=[first.hash]).vectors == 9


def test_the_doctor_finds_nothing_in_a_sound_gallery(small: Path) -> None:
    assert examine(small, deep=True) == []


def test_the_doctor_finds_missing_and_changed_pictures(small: Path, paint: Paint) -> None:
    (small.parent / "linked/0.jpg").unlink()
    paint(small.parent / "linked/1.jpg", 77)
    next(iter((small / "banners").glob("*/*"))).write_bytes(b"altered")
    missing, changed = examine(small)
    assert missing.text == "1 pictures are missing: 0"
    assert "add their source again" in missing.remedy
    assert changed.text.startswith("2 pictures are not what they were: 1, c")


def _replace(path: Path) -> None:
    """Replaces a picture by another one of the same size and time of modification, as some tools do."""
    status, data = path.stat(), path.read_bytes()
    path.write_bytes(data[:-20] + bytes([data[-20] ^ 1]) + data[-19:])
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (status.st_size, status.st_mtime_ns)


def test_a_picture_replaced_by_one_of_the_same_size_and_time_is_found(small: Path) -> None:
    _replace(small.parent / "linked/2.jpg")
    (finding,) = examine(small)
    assert finding.text == "1 pictures are not what they were: 2"


def test_a_replaced_picture_is_read_again_by_a_repair_and_encoded_by_the_next_build(small: Path) -> None:
    _replace(small.parent / "linked/2.jpg")
    (replaced,) = examine(small, repair=True)
    assert replaced.fixed
    assert build(small).encoded == 1
    assert (
        examine(small, deep=True) == []
    )  # the vector of the picture that was there before is part of the history


def test_a_copy_that_decayed_is_found_by_a_deep_examination_and_copied_again(small: Path) -> None:
    copy = next(iter((small / "banners").glob("*/*")))
    data = copy.read_bytes()
    copy.write_bytes(data[:-1] + b"!")
    assert examine(small) == []
    (finding,) = examine(small, deep=True)
    assert finding.text.startswith("1 pictures are not what they were: c")
    assert [finding.fixed for finding in examine(small, deep=True, repair=True)] == [True]
    assert copy.read_bytes() == data
    assert examine(small, deep=True) == []


def test_lost_copies_are_copied_again_by_a_repair_or_by_adding_their_source_again(small: Path) -> None:
    for bring_back in (
        lambda: examine(small, repair=True),
        lambda: add(small, small.parent / "copied"),
    ):
        shutil.rmtree(small / "banners")
        (finding,) = examine(small)
        assert finding.text == "3 pictures are missing: c0, c1, c2"
        bring_back()
        assert _copies(small) == 3
        assert examine(small, deep=True) == []


def test_what_cannot_be_repaired_is_left_as_it_was_with_advice(small: Path) -> None:
    shutil.rmtree(small / "banners")
    shutil.rmtree(small.parent / "copied")
    (small.parent / "linked/1.jpg").write_text("<html>")
    findings = {finding.text: finding for finding in examine(small, repair=True)}
    assert {finding.fixed for finding in findings.values()} == {False}
    assert "add their source again" in findings["3 pictures are missing: c0, c1, c2"].remedy
    assert len(Snapshot.open(small)) == 9


@pytest.mark.parametrize("name", ["vectors.npy", "games.sqlite", "manifest.json"])
@pytest.mark.parametrize("damage", ["altered", "truncated", "removed"])
def test_a_damaged_snapshot_is_found_and_written_anew(small: Path, name: str, damage: str) -> None:
    snapshot = Snapshot.open(small)
    before, ids = snapshot.vectors.copy(), snapshot.ids
    path = next(small.glob(f"snapshots/*/1/{name}"))
    data = path.read_bytes()
    if damage == "altered":
        path.write_bytes(data[: len(data) // 2] + b"\x00\xff\x13" + data[len(data) // 2 + 3 :])
    elif damage == "truncated":
        path.write_bytes(data[: len(data) // 2])
    else:
        path.unlink()
    (finding,) = examine(small)
    assert "snapshot 1 of bundled is damaged" in finding.text
    assert "--repair" in finding.remedy
    assert [finding.fixed for finding in examine(small, repair=True)] == [True]
    assert examine(small, deep=True) == []
    fixed = Snapshot.open(small)
    assert fixed.ids == ids
    assert (fixed.vectors == before).all()


def test_a_vector_of_the_wrong_length_is_dropped_and_made_again(small: Path) -> None:
    import sqlite3

    connection = sqlite3.connect(small / "gallery.sqlite")
    connection.execute("UPDATE vectors SET vector = x'00' WHERE sha256 = (SELECT min(sha256) FROM vectors)")
    connection.commit()
    connection.close()
    (finding,) = examine(small)
    assert finding.text == "1 stored vectors have the wrong length"
    assert examine(small, repair=True)[0].fixed
    assert build(small).encoded == 1
    assert examine(small) == []


def test_what_a_killed_writer_left_is_no_damage_and_goes_with_the_next_pruning(small: Path) -> None:
    folder = next(small.glob("snapshots/*"))
    (folder / "new-abc").mkdir()
    assert examine(small) == []
    prune(small)
    assert not (folder / "new-abc").exists()


def test_a_corrupt_database_is_told_and_nothing_is_touched(small: Path) -> None:
    path = small / "gallery.sqlite"
    data = bytearray(path.read_bytes())
    for place in range(8192, len(data), 4096):  # every page but the first two
        data[place : place + 64] = b"\xff" * 64
    path.write_bytes(data)
    try:
        findings = examine(small)
    except Exception as error:
        assert "restore it from a backup" in str(error)
    else:
        assert "the database is damaged" in findings[0].text
    assert path.read_bytes() == bytes(data)
    assert len(Snapshot.open(small).similar("0")) == 8  # searches do not need it


def test_a_copied_gallery_works_elsewhere(small: Path, tmp_path: Path) -> None:
    moved = shutil.copytree(small, tmp_path / "elsewhere/deep/gallery")
    shutil.rmtree(small)
    snapshot = Snapshot.open(moved)
    assert len(snapshot.similar("0")) == 8
    assert len(snapshot.similar("c0", mirror=True)) == 8  # its copy moved with it
    assert build(moved).swapped is False
