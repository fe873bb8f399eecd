from __future__ import annotations

import json
import os
import shutil
import sqlite3
import tarfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

import steamdino
from steamdino.catalogue.table import Columns
from steamdino.errors import SourceError, UsageError
from steamdino.gallery import Gallery
from steamdino.pipeline import AddSummary, add, examine

Paint = Callable[..., Path]


def _counts(summary: AddSummary) -> tuple[int, int, int, int | None]:
    return summary.new, summary.changed, summary.unchanged, summary.gone


def _problems(gallery: Path) -> dict[str, str]:
    with Gallery.open(gallery) as opened:
        return {problem.where: problem.reason for _, _, problem in opened.problems.known()}


def test_adding_again_tells_new_changed_and_gone_apart(tmp_path: Path, paint: Paint) -> None:
    covers, gallery = tmp_path / "covers", tmp_path / "g"
    for n in range(4):
        paint(covers / f"{n}.jpg", n)
    assert _counts(add(gallery, covers)) == (4, 0, 0, 0)
    assert _counts(add(gallery, covers)) == (0, 0, 4, 0)
    paint(covers / "1.jpg", 11)
    (covers / "2.jpg").unlink()
    paint(covers / "sub/5.jpg", 5)
    assert _counts(add(gallery, covers)) == (1, 1, 2, 1)
    assert _counts(add(gallery, covers)) == (0, 0, 4, 0)
    paint(covers / "2.jpg", 2)
    assert _counts(add(gallery, covers)) == (0, 1, 4, 0)


def test_a_file_that_was_written_anew_with_the_same_content_is_unchanged(
    tmp_path: Path, paint: Paint
) -> None:
    path = paint(tmp_path / "covers/a.jpg")
    add(tmp_path / "g", tmp_path / "covers")
    with Gallery.open(tmp_path / "g") as gallery:
        before = gallery.games.revision
    os.utime(path, ns=(1, 1))
    assert _counts(add(tmp_path / "g", tmp_path / "covers")) == (0, 0, 1, 0)
    with Gallery.open(tmp_path / "g") as gallery:
        assert gallery.games.revision == before


def test_a_changed_name_or_column_is_a_change_and_a_bump_of_the_revision(tmp_path: Path) -> None:
    table = tmp_path / "t.jsonl"
    revisions = []
    without = Columns(path=None)
    for row, expected in (
        ({"id": "a", "name": "A", "year": 1}, (1, 0, 0, 0)),
        ({"id": "a", "name": "B", "year": 1}, (0, 1, 0, 0)),
        ({"id": "a", "name": "B", "year": 2}, (0, 1, 0, 0)),
        ({"id": "a", "name": "B", "year": 2}, (0, 0, 1, 0)),
    ):
        table.write_text(json.dumps(row))
        assert _counts(add(tmp_path / "g", table, columns=without)) == expected
        with Gallery.open(tmp_path / "g") as gallery:
            revisions.append(gallery.games.revision)
    assert revisions[0] < revisions[1] < revisions[2] == revisions[3]


def test_gone_is_judged_within_one_source_only(tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path / "one/a.jpg", 1)
    paint(tmp_path / "two/b.jpg", 2)
    add(tmp_path / "g", tmp_path / "one")
    assert _counts(add(tmp_path / "g", tmp_path / "two")) == (1, 0, 0, 0)
    with Gallery.open(tmp_path / "g") as gallery:
        assert [(s.name, s.games, s.gone) for s in gallery.report().sources] == [("one", 1, 0), ("two", 1, 0)]


def test_an_id_of_another_source_is_a_problem_and_the_first_is_kept(tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path / "one/a.jpg", 1)
    paint(tmp_path / "two/a.jpg", 2)
    add(tmp_path / "g", tmp_path / "one")
    (problem,) = add(tmp_path / "g", tmp_path / "two").problems
    assert problem.reason == "the id 'a' already belongs to the source 'one'; tell them apart with --prefix"
    assert _counts(add(tmp_path / "g", tmp_path / "two", prefix="two/")) == (1, 0, 0, 0)


def test_an_unreadable_picture_is_a_problem_and_its_game_is_kept_without_a_banner(
    tmp_path: Path, paint: Paint
) -> None:
    paint(tmp_path / "covers/good.jpg")
    (tmp_path / "covers/bad.jpg").write_text("<html>404</html>")
    summary = add(tmp_path / "g", tmp_path / "covers")
    assert (_counts(summary), summary.without_banner) == ((2, 0, 0, 0), 1)
    assert _problems(tmp_path / "g") == {"bad.jpg": "it is HTML or XML, not a picture"}


def test_a_picture_that_turned_bad_does_not_cost_its_game_the_old_banner(
    tmp_path: Path, paint: Paint
) -> None:
    path = paint(tmp_path / "covers/a.jpg")
    paint(tmp_path / "covers/b.jpg", 2)
    add(tmp_path / "g", tmp_path / "covers")
    steamdino.build(tmp_path / "g")
    path.write_bytes(b"")
    summary = add(tmp_path / "g", tmp_path / "covers")
    assert (len(summary.problems), summary.without_banner) == (1, 0)
    steamdino.build(tmp_path / "g")
    assert steamdino.Snapshot.open(tmp_path / "g").ids == ["a", "b"]


def test_where_a_row_cannot_be_read_nothing_is_said_to_have_gone(tmp_path: Path) -> None:
    table = tmp_path / "t.jsonl"
    table.write_text('{"id": "a", "path": ""}\n{"id": "b"}\n')
    add(tmp_path / "g", table)
    table.write_text('{"id": "a", "path": ""}\n{"id": "b"')
    summary = add(tmp_path / "g", table)
    assert (summary.gone, len(summary.problems)) == (None, 1)
    with Gallery.open(tmp_path / "g") as gallery:
        assert gallery.report().sources[0].gone == 0


def test_a_table_that_cannot_be_read_at_all_changes_nothing(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("id,name,path\na,A,\n")
    add(tmp_path / "g", table)
    table.write_text("appid,name,path\na,A,\n")
    with pytest.raises(SourceError):
        add(tmp_path / "g", table)
    with Gallery.open(tmp_path / "g") as gallery:
        assert gallery.report().sources[0].games == 1


def test_a_path_that_does_not_exist_makes_no_gallery(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="nowhere does not exist"):
        add(tmp_path / "g", tmp_path / "nowhere")
    assert not (tmp_path / "g").exists()


def test_a_copy_outlives_the_original(tmp_path: Path, paint: Paint) -> None:
    original = paint(tmp_path / "covers/a.jpg")
    paint(tmp_path / "covers/same-picture.jpg")
    data = original.read_bytes()
    add(tmp_path / "g", tmp_path / "covers", copy=True)
    shutil.rmtree(tmp_path / "covers")
    copies = [path for path in (tmp_path / "g/banners").rglob("*") if path.is_file()]
    assert [path.read_bytes() for path in copies] == [data]
    steamdino.build(tmp_path / "g")
    assert steamdino.Snapshot.open(tmp_path / "g").game("a").picture == copies[0]


def test_linked_pictures_can_be_copied_later(tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path / "covers/a.jpg")
    add(tmp_path / "g", tmp_path / "covers")
    assert _counts(add(tmp_path / "g", tmp_path / "covers", copy=True)) == (0, 0, 1, 0)
    assert len(list((tmp_path / "g/banners").rglob("*.jpg"))) == 1
    # A later plain update does not forget the copy.
    assert _counts(add(tmp_path / "g", tmp_path / "covers")) == (0, 0, 1, 0)
    steamdino.build(tmp_path / "g")
    picture = steamdino.Snapshot.open(tmp_path / "g").game("a").picture
    assert picture is not None
    assert picture.is_relative_to(tmp_path / "g/banners")


def test_a_copied_picture_that_was_touched_or_changed_stays_copied(tmp_path: Path, paint: Paint) -> None:
    path = paint(tmp_path / "covers/a.jpg")
    add(tmp_path / "g", tmp_path / "covers", copy=True)
    for change in (lambda: os.utime(path, ns=(1, 1)), lambda: paint(path, 2)):
        change()
        add(tmp_path / "g", tmp_path / "covers")
        steamdino.build(tmp_path / "g")
        picture = steamdino.Snapshot.open(tmp_path / "g").game("a").picture
        assert picture is not None
        assert picture.is_relative_to(tmp_path / "g/banners")
        assert picture.read_bytes() == path.read_bytes()


def test_the_gallery_inside_the_added_folder_is_passed_over(tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path / "covers/a.jpg")
    add(tmp_path / "covers/gallery", tmp_path / "covers", copy=True)
    assert _counts(add(tmp_path / "covers/gallery", tmp_path / "covers", copy=True)) == (0, 0, 1, 0)


def test_a_gallery_reached_by_a_detour_is_the_same_gallery(tmp_path: Path, paint: Paint) -> None:
    for n in range(3):
        paint(tmp_path / f"covers/{n}.jpg", n)
    gallery = tmp_path / "covers/g"
    (tmp_path / "covers/sub").mkdir()
    (tmp_path / "far/away").mkdir(parents=True)
    (tmp_path / "far/away/link").symlink_to(gallery)
    add(gallery, tmp_path / "covers", copy=True)
    for way in (
        tmp_path / "covers/sub/../g",
        tmp_path / "far/away/link/../g",  # the parent of what the link leads to
    ):
        for covers in (tmp_path / "covers", tmp_path / "covers/g/.."):
            assert _counts(add(way, covers)) == (0, 0, 3, 0)
    with Gallery.open(gallery) as opened:
        assert [source.name for source in opened.report().sources] == ["covers"]
    steamdino.build(tmp_path / "far/away/link/../g")
    for way in (gallery, tmp_path / "covers/sub/../g"):
        picture = steamdino.Snapshot.open(way).game("0").picture
        assert picture is not None
        assert picture.is_file()


@pytest.mark.parametrize("inside", [False, True], ids=["beside the folder", "inside the folder"])
def test_a_link_from_elsewhere_leads_to_the_same_gallery(tmp_path: Path, paint: Paint, inside: bool) -> None:
    for n in range(3):
        paint(tmp_path / f"project/covers/{n}.jpg", n)
    gallery = tmp_path / ("project/covers/g" if inside else "project/g")
    add(gallery, tmp_path / "project/covers")
    steamdino.build(gallery)
    (tmp_path / "link").symlink_to(gallery)
    assert examine(tmp_path / "link", deep=True) == []
    assert _counts(add(tmp_path / "link", tmp_path / "project/covers")) == (0, 0, 3, 0)
    assert steamdino.Snapshot.open(tmp_path / "link").game("0").picture == tmp_path / "project/covers/0.jpg"
    with Gallery.open(gallery) as opened:
        assert [source.name for source in opened.report().sources] == ["covers"]


def test_a_gallery_that_was_moved_with_a_link_left_in_its_place_finds_its_pictures(
    tmp_path: Path, paint: Paint
) -> None:
    paint(tmp_path / "home/covers/a.jpg")
    add(tmp_path / "home/g", tmp_path / "home/covers")
    steamdino.build(tmp_path / "home/g")
    (tmp_path / "disk").mkdir()
    shutil.move(tmp_path / "home/g", tmp_path / "disk/g")
    (tmp_path / "home/g").symlink_to(tmp_path / "disk/g")
    assert examine(tmp_path / "home/g", deep=True) == []
    assert _counts(add(tmp_path / "home/g", tmp_path / "home/covers")) == (0, 0, 1, 0)
    assert steamdino.Snapshot.open(tmp_path / "home/g").game("a").picture == tmp_path / "home/covers/a.jpg"


def test_what_a_gallery_keeps_for_itself_is_no_source(tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path / "covers/a.jpg")
    add(tmp_path / "g", tmp_path / "covers", copy=True)
    for place in ("g/banners", "g/snapshots/x", "covers/../g/banners"):
        with pytest.raises(UsageError, match=r"holds what the gallery .*g keeps for itself"):
            add(tmp_path / "g", tmp_path / place)


def test_what_lies_beside_a_link_to_a_gallery_is_found_from_the_gallery_itself(
    tmp_path: Path, paint: Paint
) -> None:
    paint(tmp_path / "here/covers/a.jpg")
    (tmp_path / "there/deep/g").mkdir(parents=True)
    (tmp_path / "here/g").symlink_to(tmp_path / "there/deep/g")
    add(tmp_path / "here/g", tmp_path / "here/covers")
    steamdino.build(tmp_path / "there/deep/g")
    picture = steamdino.Snapshot.open(tmp_path / "there/deep/g").game("a").picture
    assert picture == tmp_path / "here/covers/a.jpg"


@pytest.mark.parametrize("name", ["covers.tar", "covers.jsonl", "covers"])
def test_a_source_that_lost_most_of_its_games_is_refused_until_it_is_allowed(
    tmp_path: Path, paint: Paint, name: str
) -> None:
    def offer(count: int) -> None:
        shutil.rmtree(tmp_path / "covers", ignore_errors=True)
        (tmp_path / "covers").mkdir()
        for n in range(count):
            paint(tmp_path / f"covers/{n}.jpg", n)
        rows = [json.dumps({"id": str(n), "path": f"covers/{n}.jpg"}) for n in range(count)]
        (tmp_path / "covers.jsonl").write_text("\n".join(rows))
        shutil.make_archive(str(tmp_path / "covers"), "tar", tmp_path, "covers")

    offer(10)
    add(tmp_path / "g", tmp_path / name)
    steamdino.build(tmp_path / "g")
    for left in (0, 1, 4):
        offer(left)
        with pytest.raises(
            SourceError, match=rf"{name} has {left} of the 10 games .*mounted.*--allow-missing"
        ):
            add(tmp_path / "g", tmp_path / name)
        with Gallery.open(tmp_path / "g") as gallery:
            assert [(s.games, s.gone) for s in gallery.report().sources] == [(10, 0)]
    assert not steamdino.build(tmp_path / "g").swapped
    offer(5)
    assert _counts(add(tmp_path / "g", tmp_path / name)) == (0, 0, 5, 5)
    offer(0)
    assert _counts(add(tmp_path / "g", tmp_path / name, allow_missing=True)) == (0, 0, 0, 5)
    assert _counts(add(tmp_path / "g", tmp_path / name)) == (0, 0, 0, 0)  # there is nothing left to lose


def test_a_table_that_lost_most_of_its_pictures_is_refused_until_it_is_allowed(
    tmp_path: Path, paint: Paint
) -> None:
    table = tmp_path / "t.jsonl"

    def offer(shown: int) -> None:
        rows = [{"id": str(n), "path": f"{n}.jpg" if n < shown else None} for n in range(4)]
        table.write_text("\n".join(map(json.dumps, rows)))

    for n in range(4):
        paint(tmp_path / f"{n}.jpg", n)
    offer(4)
    add(tmp_path / "g", table)
    steamdino.build(tmp_path / "g")
    for left in (0, 1):
        offer(left)
        with pytest.raises(SourceError, match=f"has {left} of the 4 pictures .*--allow-missing"):
            add(tmp_path / "g", table)
    assert not steamdino.build(tmp_path / "g").swapped
    offer(2)
    assert add(tmp_path / "g", table).without_banner == 2
    offer(0)
    assert add(tmp_path / "g", table, allow_missing=True).without_banner == 4


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such file names")
def test_a_name_that_cannot_be_an_id_does_not_hide_what_is_missing(tmp_path: Path, paint: Paint) -> None:
    for name in ("a", "b", "c", "cover ", "line\nbreak"):
        paint(tmp_path / f"covers/{name}.jpg")
    add(tmp_path / "g", tmp_path / "covers")
    (tmp_path / "covers/b.jpg").unlink()
    summary = add(tmp_path / "g", tmp_path / "covers")
    assert (summary.gone, len(summary.problems)) == (1, 2)


def test_a_row_or_a_member_with_an_impossible_id_does_not_hide_what_is_missing(
    tmp_path: Path, paint: Paint
) -> None:
    table = tmp_path / "t.jsonl"
    for name in ("a", "b", " c", "../d"):
        paint(tmp_path / f"in/{name}.jpg" if "/" not in name else tmp_path / "in/d.jpg")
    for ids in (("a", "b", " c"), ("a", " c")):
        table.write_text("\n".join(json.dumps({"id": key, "path": ""}) for key in ids))
        with tarfile.open(tmp_path / "t.tar", "w") as archive:
            for key in (*ids, "../d"):
                archive.add(tmp_path / "in" / f"{key.removeprefix('../')}.jpg", f"{key}.jpg")
        by_table = add(tmp_path / "g", table)
        by_archive = add(tmp_path / "g", tmp_path / "t.tar", prefix="t/")
    assert (by_table.gone, by_archive.gone) == (1, 1)


def test_a_picture_replaced_by_one_of_the_same_size_and_time_is_a_change(
    tmp_path: Path, paint: Paint
) -> None:
    path = paint(tmp_path / "covers/a.bmp", 1)
    add(tmp_path / "g", tmp_path / "covers")
    before = path.stat()
    paint(path, 2)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert _counts(add(tmp_path / "g", tmp_path / "covers")) == (0, 1, 0, 0)
    assert _counts(add(tmp_path / "g", tmp_path / "covers")) == (0, 0, 1, 0)


def test_a_gallery_that_knows_no_status_times_learns_them(tmp_path: Path, paint: Paint) -> None:
    path = paint(tmp_path / "covers/a.bmp", 1)
    add(tmp_path / "g", tmp_path / "covers")
    with closing(sqlite3.connect(tmp_path / "g/gallery.sqlite")) as db:
        db.execute("UPDATE banners SET ctime_ns = 0")  # as the migration of an older gallery leaves it
        db.commit()
    assert _counts(add(tmp_path / "g", tmp_path / "covers")) == (0, 0, 1, 0)
    before = path.stat()
    paint(path, 2)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert _counts(add(tmp_path / "g", tmp_path / "covers")) == (0, 1, 0, 0)


@pytest.mark.parametrize("source", ["covers", "covers.zip"])
def test_lost_copies_come_back_when_their_source_is_added_again(
    tmp_path: Path, paint: Paint, source: str
) -> None:
    paint(tmp_path / "covers/a.jpg")
    shutil.make_archive(str(tmp_path / "covers"), "zip", tmp_path / "covers")
    add(tmp_path / "g", tmp_path / source, copy=True)
    shutil.rmtree(tmp_path / "g/banners")
    assert _counts(add(tmp_path / "g", tmp_path / source)) == (0, 0, 1, 0)
    with Gallery.open(tmp_path / "g") as gallery:
        (banner,) = gallery.banners.known()
    assert banner.location.read().data == (tmp_path / "covers/a.jpg").read_bytes()


def test_app_ids_lead_to_steam_and_nothing_else_is_taken_for_one(tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path / "covers/730.jpg", 1)
    paint(tmp_path / "covers/draft.jpg", 2)
    summary = add(tmp_path / "g", tmp_path / "covers", steam=True)
    assert [problem.where for problem in summary.problems] == ["draft.jpg"]
    steamdino.build(tmp_path / "g")
    assert steamdino.Snapshot.open(tmp_path / "g").game(730).url == "https://store.steampowered.com/app/730"


def test_an_id_that_looks_like_a_number_is_no_app_id(tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path / "covers/730.jpg", 1)
    add(tmp_path / "g", tmp_path / "covers")
    steamdino.build(tmp_path / "g")
    assert steamdino.Snapshot.open(tmp_path / "g").game("730").url is None


def test_columns_are_kept_and_shown(tmp_path: Path, paint: Paint) -> None:
    paint(tmp_path / "a.jpg")
    (tmp_path / "t.jsonl").write_text('{"file": "a.jpg", "title": "A", "year": 1999, "tags": ["x", "y"]}')
    add(tmp_path / "g", tmp_path / "t.jsonl", columns=Columns("file", "title", "file"))
    steamdino.build(tmp_path / "g")
    game = steamdino.Snapshot.open(tmp_path / "g").game("a.jpg")
    assert (game.name, game.columns) == ("A", {"year": 1999, "tags": ["x", "y"]})


def test_progress_counts_every_entry(tmp_path: Path, paint: Paint) -> None:
    for n in range(3):
        paint(tmp_path / f"covers/{n}.jpg", n)
    calls: list[tuple[int, int]] = []
    add(tmp_path / "g", tmp_path / "covers", progress=lambda done, total: calls.append((done, total)))
    assert calls == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize("name", ["covers.tar", "covers.tar.gz", "covers.zip"])
def test_an_archive_is_copied_and_updated_like_any_source(tmp_path: Path, paint: Paint, name: str) -> None:
    for n in (10, 730):
        paint(tmp_path / f"resized/{n}.jpg", n)
    (tmp_path / "resized/440.jpg").write_text("<html>")
    kind = {"covers.tar": "tar", "covers.tar.gz": "gztar", "covers.zip": "zip"}[name]

    def pack() -> None:
        shutil.make_archive(str(tmp_path / "covers"), kind, tmp_path, "resized")

    pack()
    summary = add(tmp_path / "g", tmp_path / name, steam=True)
    assert (_counts(summary), summary.without_banner) == ((3, 0, 0, 0), 1)
    assert [(p.where, p.reason) for p in summary.problems] == [
        ("resized/440.jpg", "it is HTML or XML, not a picture")
    ]
    assert _counts(add(tmp_path / "g", tmp_path / name, steam=True)) == (0, 0, 3, 0)
    paint(tmp_path / "resized/10.jpg", 11)
    (tmp_path / "resized/440.jpg").unlink()
    pack()
    assert _counts(add(tmp_path / "g", tmp_path / name, steam=True)) == (0, 1, 1, 1)
    (tmp_path / name).unlink()
    assert steamdino.build(tmp_path / "g").games == 2
    assert steamdino.Snapshot.open(tmp_path / "g").game(10).url == "https://store.steampowered.com/app/10"


def test_a_broken_archive_makes_no_gallery(tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(b"nonsense" * 1000)
    with pytest.raises(SourceError, match="not a readable tar"):
        add(tmp_path / "g", tmp_path / "a.tar")
    assert not (tmp_path / "g").exists()
