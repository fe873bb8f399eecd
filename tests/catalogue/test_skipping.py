"""Junk, excluded files and formats that are not read are skipped and counted, in folders and archives."""

from __future__ import annotations

import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import steamdino
from steamdino.catalogue import archive, folder
from steamdino.catalogue.skipping import IGNORE_FILE, Patterns, Skipped
from steamdino.errors import UsageError
from steamdino.records import Entry

Run = Callable[..., "CompletedProcess[str]"]
Paint = Callable[..., Any]
JUNK = (
    "@eaDir/cover.jpg/SYNOPHOTO_THUMB_XL.jpg",
    "inner/@eaDir/x.jpg",
    "$RECYCLE.BIN/$R1.jpg",
    "System Volume Information/x.jpg",
    "lost+found/y.jpg",
    "__MACOSX/z.jpg",
    ".Trash/t.jpg",
    "._cover.jpg",
    "Thumbs.db",
    "thumbs.DB",
)


def touch(root: Path, *places: str) -> None:
    for place in places:
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).write_bytes(b"a picture")


def ids(found: Any) -> list[str]:
    found = list(found)
    assert all(isinstance(one, Entry) for one in found), found
    return [one.id for one in found]


def packed(root: Path, form: str) -> Path:
    """Pack a folder into an archive beside it."""
    target = root.parent / f"pack.{form}"
    files = sorted(path for path in root.rglob("*") if path.is_file())
    if form == "zip":
        with zipfile.ZipFile(target, "w") as packing:
            for path in files:
                packing.write(path, path.relative_to(root))
    else:
        with tarfile.open(target, "w") as packing:
            for path in files:
                packing.add(path, path.relative_to(root))
    return target


@pytest.mark.parametrize("form", ["folder", "zip", "tar"])
def test_junk_is_no_game_and_is_counted(tmp_path: Path, form: str) -> None:
    root = tmp_path / "p"
    touch(root, "a.jpg", "inner/b.jpg", "eaDir/c.jpg", *JUNK)
    skipped = Skipped()
    found = (
        folder.scan(root, skipped=skipped)
        if form == "folder"
        else archive.read(packed(root, form), skipped=skipped)
    )
    assert sorted(ids(found)) == ["a", "eaDir/c", "inner/b"]
    assert set(skipped.junk) == {
        "@eaDir",
        "$RECYCLE.BIN",
        "System Volume Information",
        "lost+found",
        "__MACOSX",
        "Thumbs.db",
        "thumbs.DB",
    }
    assert skipped.junk["@eaDir"] == 2


@pytest.mark.parametrize("form", ["folder", "zip", "tar"])
def test_formats_that_are_not_read_are_counted_by_kind(tmp_path: Path, form: str) -> None:
    root = tmp_path / "p"
    touch(root, "a.jpg", "b.EXR", "d.xcf", "e.cr2", "f.NEF", "g.svg", "h.psd", "i.jp2", "j.txt")
    skipped = Skipped()
    found = (
        folder.scan(root, skipped=skipped)
        if form == "folder"
        else archive.read(packed(root, form), skipped=skipped)
    )
    assert ids(found) == ["a"]
    assert skipped.unread == {"OpenEXR": 1, "XCF": 1, "RAW": 2, "SVG": 1, "PSD": 1, "JPEG 2000": 1}


@pytest.mark.parametrize("form", ["folder", "zip", "tar"])
def test_patterns_exclude_files_and_folders(tmp_path: Path, form: str) -> None:
    root = tmp_path / "p"
    touch(root, "a.jpg", "old/b.jpg", "new/old/c.jpg", "new/d_back.jpg", "new/e_back.png", "f_back.jpg")
    patterns = ["/old/", "*_back.jpg", "!f_back.jpg"]
    skipped = Skipped()
    found = (
        folder.scan(root, exclude=patterns, skipped=skipped)
        if form == "folder"
        else archive.read(packed(root, form), exclude=patterns, skipped=skipped)
    )
    assert sorted(ids(found)) == ["a", "f_back", "new/e_back", "new/old/c"]
    assert skipped.excluded == 2


@pytest.mark.slow
@given(
    st.lists(
        st.sampled_from(
            ["*.png", "!keep.png", "sub/", "/a.png", "sub/*.jpg", "**/deep/*", "!sub", "# comment", "", "a?"]
        ),
        max_size=5,
    ),
    st.lists(st.sampled_from(["*.jpg", "!a.png", "/keep.png", "deep/"]), max_size=3),
)
def test_ignore_files_mean_what_git_understands(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], inner: list[str]
) -> None:
    root = tmp_path_factory.mktemp("git")
    subprocess.run(["git", "init", "-q", root], check=True)
    places = [
        f"{place}{name}"
        for place in ("", "sub/", "sub/deep/", "other/")
        for name in ("a.png", "keep.png", "ab.jpg")
    ]
    touch(root, *places)
    for place, content in (("", lines), ("sub/", inner)):
        for name in (".gitignore", IGNORE_FILE):
            (root / place / name).write_text("\n".join(content) + "\n", "utf-8")
    listed = subprocess.run(
        ["git", "-C", root, "ls-files", "-o", "--exclude-standard", "-z", "*.png", "*.jpg"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert {one.where for one in folder.scan(root)} == set(listed.split("\0")) - {""}


def test_a_pattern_that_cannot_be_understood_is_an_error(tmp_path: Path) -> None:
    touch(tmp_path, "a.jpg")
    with pytest.raises(UsageError, match="--exclude has a pattern"):
        list(folder.scan(tmp_path, exclude=["!"]))
    (tmp_path / IGNORE_FILE).write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"\.steamdinoignore cannot be read"):
        list(folder.scan(tmp_path))
    assert not Patterns().exclude(tmp_path / "a.jpg", is_folder=False)


def test_the_command_tells_what_it_skipped(tmp_path: Path, run: Run, paint: Paint) -> None:
    covers = tmp_path / "covers"
    for seed, name in enumerate(("a", "b", "c")):
        paint(covers / f"{name}.png", seed)
    touch(covers, "@eaDir/a.png", "x.nef", "y.cr2", "z.svg")
    (covers / IGNORE_FILE).write_text("b.*\n", "utf-8")
    done = run("add", covers, "-g", tmp_path / "g", "--exclude", "c.png")
    assert (done.returncode, done.stdout.partition(",")[0]) == (0, "covers: 1 new")
    assert "Skipped junk of other programs: 1 @eaDir" in done.stderr
    assert "Excluded by patterns: 2 pictures and folders" in done.stderr
    assert "Not read: 2 RAW, 1 SVG. Convert them to PNG, WebP or JPEG to add them." in done.stderr
    (tmp_path / "t.csv").write_text("id,name,path\n1,One,covers/a.png\n", "utf-8")
    refused = run("add", tmp_path / "t.csv", "-g", tmp_path / "g", "--exclude", "x")
    assert (refused.returncode, "leave it out" in refused.stderr) == (2, True)


def test_games_that_are_excluded_later_are_missing_then(tmp_path: Path, paint: Paint) -> None:
    covers = tmp_path / "covers"
    for seed in range(5):
        paint(covers / f"{seed}.png", seed)
    steamdino.add(tmp_path / "g", covers)
    again = steamdino.add(tmp_path / "g", covers, exclude=["4.png"])
    assert (again.unchanged, again.gone, again.skipped.excluded) == (4, 1, 1)
