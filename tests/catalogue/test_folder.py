from __future__ import annotations

import os
from pathlib import Path

import pytest

from steamdino.catalogue.folder import scan
from steamdino.catalogue.picture_ids import settled
from steamdino.errors import UsageError
from steamdino.records import Entry, Problem
from steamdino.storage.location import LocalFile


def _touch(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def _ids(root: Path, **options: object) -> list[str]:
    return [found.id for found in scan(root, **options) if isinstance(found, Entry)]  # type: ignore[arg-type]


def test_ids_are_paths_below_the_folder_without_suffix_in_order(tmp_path: Path) -> None:
    _touch(tmp_path, "b.PNG", "a/cover.jpg", "a/b/c.webp", "Z.jpeg", "half.life.2.jpg")
    assert _ids(tmp_path) == ["Z", "a/b/c", "a/cover", "b", "half.life.2"]


def test_a_game_is_named_by_its_file(tmp_path: Path) -> None:
    _touch(tmp_path, "space/Ember Hollow.jpg")
    (entry,) = scan(tmp_path)
    assert isinstance(entry, Entry)
    assert (entry.name, entry.where) == ("Ember Hollow", "space/Ember Hollow.jpg")
    assert entry.location == LocalFile(tmp_path / "space/Ember Hollow.jpg")


def test_hidden_files_other_files_and_galleries_are_skipped(tmp_path: Path) -> None:
    _touch(tmp_path, ".hidden.jpg", ".git/x.jpg", "notes.txt", "a.jpg")
    _touch(tmp_path, "one/gallery.sqlite", "one/banners/x.jpg", "sub/two/gallery.sqlite", "sub/two/sheet.png")
    assert _ids(tmp_path) == ["a"]


def test_a_scan_of_a_gallery_folder_skips_only_the_gallerys_own_files(tmp_path: Path) -> None:
    _touch(tmp_path, "gallery.sqlite", "banners/ab/x.jpg", "snapshots/y.jpg", "a.jpg", "sub/banners/b.jpg")
    assert _ids(tmp_path) == ["a", "sub/banners/b"]
    (tmp_path / "gallery.sqlite").unlink()
    assert _ids(tmp_path) == ["a", "banners/ab/x", "snapshots/y", "sub/banners/b"]


def test_two_files_of_one_name_are_a_problem_and_the_first_is_kept(tmp_path: Path) -> None:
    _touch(tmp_path, "a.jpg", "sub/a.png")
    first, second = settled(list(scan(tmp_path, by_name=True)), {}, lambda _: {}, by_name=True)
    assert isinstance(first, Entry)
    assert isinstance(second, Problem)
    assert (second.where, second.id) == ("sub/a.png", "a")
    assert "already used by a.jpg" in second.reason


def test_a_folder_with_a_pictures_suffix_is_a_problem_and_is_still_searched(tmp_path: Path) -> None:
    _touch(tmp_path, "x.jpg/inner.jpg")
    problem, entry = scan(tmp_path)
    assert isinstance(problem, Problem)
    assert problem.reason == "it is a folder with a picture's suffix"
    assert isinstance(entry, Entry)
    assert entry.id == "x.jpg/inner"


def test_a_prefix_stands_before_each_id(tmp_path: Path) -> None:
    _touch(tmp_path, "a.jpg")
    assert _ids(tmp_path, prefix="gog/") == ["gog/a"]


def test_a_missing_folder_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a folder"):
        list(scan(tmp_path / "nowhere"))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such file names")
def test_names_that_cannot_be_an_id_are_reported_by_name(tmp_path: Path) -> None:
    _touch(tmp_path, "line\nbreak.jpg", "space .jpg")
    (tmp_path / os.fsdecode(b"latin\xe9.jpg")).touch()
    found = list(scan(tmp_path))
    assert all(isinstance(problem, Problem) for problem in found)
    # Named, since nothing else can be hidden behind them; as text that can be stored.
    assert {problem.id for problem in found} == {"line\nbreak", "space ", "latin\\udce9"}


def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    _touch(tmp_path, "a/cover.jpg")
    (tmp_path / "a" / "again").symlink_to(tmp_path / "a", target_is_directory=True)
    assert _ids(tmp_path) == ["a/cover"]


def test_a_folder_that_cannot_be_listed_is_a_problem_and_the_rest_is_read(tmp_path: Path) -> None:
    _touch(tmp_path, "a.jpg", "lost/b.jpg", "z.jpg")
    found = scan(tmp_path)
    first = next(found)  # by now, its siblings are listed
    (tmp_path / "lost/b.jpg").unlink()
    (tmp_path / "lost").rmdir()
    problem, last = found
    assert (first.id, last.id) == ("a", "z")
    assert problem == Problem("lost", "the folder cannot be listed: No such file or directory")
