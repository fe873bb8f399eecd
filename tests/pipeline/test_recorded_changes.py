"""What is recorded when sources of every kind change, and what housekeeping keeps of it."""

from __future__ import annotations

import shutil
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.steam import Store, serving

from steamdino.gallery import Gallery
from steamdino.gallery.history import ART, BACK, LEFT, NEW
from steamdino.pipeline import add, build, examine, prune, remove
from steamdino.pipeline.sync import SyncRequest, sync
from steamdino.settings import SteamSettings

Paint = Callable[..., Path]
EVER = ("0001-01-01", "9999-12-31")


def _folder(covers: Path) -> Path:
    return covers


def _table(covers: Path) -> Path:
    table = covers / "games.csv"
    pictures = sorted(covers.glob("*.jpg"))
    table.write_text("id,name,path\n" + "".join(f"{one.stem},{one.stem},{one.name}\n" for one in pictures))
    return table


def _archive(covers: Path) -> Path:
    path = covers.parent / "covers.tar"
    with tarfile.open(path, "w") as file:
        for one in sorted(covers.glob("*.jpg")):
            file.add(one, one.name)
    return path


def _whats(gallery: Path) -> list[tuple[str, str]]:
    with Gallery.open(gallery) as opened:
        return sorted((one.game_id, one.what) for one in opened.history.events(*EVER, "vertical"))


def _copies(gallery: Path) -> int:
    return len(list((gallery / "banners").glob("*/*")))


@pytest.mark.parametrize("source", [_folder, _table, _archive])
def test_every_kind_of_source_records_what_changes(
    source: Callable[[Path], Path], tmp_path: Path, paint: Paint
) -> None:
    gallery, covers = tmp_path / "g", tmp_path / "covers"
    for number, key in enumerate("abcdef"):
        paint(covers / f"{key}.jpg", number)
    add(gallery, source(covers))
    paint(covers / "a.jpg", 77)
    (covers / "b.jpg").rename(tmp_path / "b.jpg")
    add(gallery, source(covers))
    (tmp_path / "b.jpg").rename(covers / "b.jpg")
    for _ in range(2):  # the second time nothing is new
        add(gallery, source(covers))
        assert [one for one in _whats(gallery) if one[1] != NEW] == [("a", ART), ("b", BACK), ("b", LEFT)]


def test_a_sync_records_what_changes_and_keeps_old_pictures_if_asked_to(tmp_path: Path) -> None:
    gallery = tmp_path / "g"
    with serving(Store.of(7)) as store:
        steam = replace(
            SteamSettings(rate=0, banner_rate=0, backoff=0.05, timeout=1.0),
            key=store.key,
            api_url=store.address,
            assets_url=f"{store.address}/assets",
        )
        sync(gallery, SyncRequest(full=True), steam)
        for appid, keep in ((10, True), (20, False)):
            store.games[appid].art += 1
            store.games[appid].stamp = store.games[appid].modified = 1_900_000_000 + appid
            sync(gallery, SyncRequest(full=True, keep_old=keep), steam)
        gone = store.games.pop(30)
        sync(gallery, SyncRequest(full=True), steam)
        store.games[30] = gone
        sync(gallery, SyncRequest(full=True), steam)
    assert [one for one in _whats(gallery) if one[1] != NEW] == [
        ("10", ART),
        ("20", ART),
        ("30", BACK),
        ("30", LEFT),
    ]
    assert _copies(gallery) == 9
    assert prune(gallery).copies == 1  # of the picture that nobody wanted to keep
    with Gallery.open(gallery) as opened:
        (kept,) = opened.history.kept()
    assert kept.path is not None
    assert kept.path.is_file()


@pytest.fixture
def changed(tmp_path: Path, paint: Paint) -> Path:
    """A built gallery with copies, in which a banner changed, was built, and the old one was kept."""
    gallery, covers = tmp_path / "g", tmp_path / "covers"
    for number, key in enumerate("abc"):
        paint(covers / f"{key}.jpg", number)
    add(gallery, covers, copy=True)
    build(gallery)
    paint(covers / "a.jpg", 77)
    add(gallery, covers, keep_old=True)
    build(gallery)
    return gallery


def test_housekeeping_leaves_earlier_banners_alone(changed: Path) -> None:
    assert examine(changed, deep=True) == []
    summary = prune(changed)
    assert (summary.vectors, summary.copies) == (0, 0)
    assert _copies(changed) == 4
    assert examine(changed, deep=True) == []


def test_history_that_is_forgotten_takes_its_vectors_and_pictures_along(changed: Path) -> None:
    assert prune(changed, forget_before="2020-01-01").changes == 0
    summary = prune(changed, forget_before="9999-01-01")
    assert (summary.changes, summary.vectors, summary.copies) == (1, 1, 1)
    assert {what for _, what in _whats(changed)} == {NEW}
    assert examine(changed, deep=True) == []


def test_a_removed_game_takes_its_history_along(changed: Path) -> None:
    remove(changed, ["a"])
    assert [key for key, _ in _whats(changed)] == ["b", "c"]
    summary = prune(changed)
    assert (summary.vectors, summary.copies) == (2, 2)


def test_the_doctor_reports_a_lost_picture_of_an_earlier_banner(changed: Path) -> None:
    with Gallery.open(changed) as opened:
        (kept,) = opened.history.kept()
    assert kept.path is not None
    kept.path.unlink()
    (finding,) = examine(changed)
    assert finding.text == "1 pictures of earlier banners are missing"
    assert [one.fixed for one in examine(changed, repair=True)] == [True]
    assert examine(changed) == []
    assert ("a", ART) in _whats(changed)


def test_a_gallery_can_be_moved_with_its_earlier_banners(changed: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    moved = shutil.move(changed, tmp_path / "elsewhere" / "g")
    with Gallery.open(moved) as opened:
        (kept,) = opened.history.kept()
    assert kept.path is not None
    assert kept.path.is_file()
    assert prune(moved).copies == 0
