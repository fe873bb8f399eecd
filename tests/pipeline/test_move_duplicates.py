"""Files of removable pictures are moved, moved back and linked; nothing is lost, whenever this is cut off."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from PIL import Image

import steamdino
from steamdino.errors import UsageError
from steamdino.gallery import Gallery
from steamdino.pipeline import link_duplicates, move_duplicates
from steamdino.pipeline.duplicate_search import duplicates
from steamdino.pipeline.link_duplicates import link_file, linkable_files
from steamdino.pipeline.move_duplicates import JOURNAL, Moved, move_back, move_files, planned_moves
from steamdino.pipeline.removable_files import RemovableFile, removable_files
from steamdino.storage import moved_files
from steamdino.storage.atomic import NEW
from steamdino.storage.moved_files import Move, file_sha256, move

FILES = ("a.png", "b.png", "sub/c.png", "sub/deep/d.png")
"""Of the source; a copy of each is in another folder."""


class Killed(BaseException):
    """Stands for the end of the process."""


@contextmanager
def killed_after(steps: int) -> Iterator[None]:
    """End the program at one of the calls that change files."""
    left = [steps]

    def counting(call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **options: Any) -> Any:
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            return call(*arguments, **options)

        return counted

    with pytest.MonkeyPatch.context() as patch:
        for owner, name in (
            (os, "link"),
            (Path, "unlink"),
            (Path, "replace"),
            (shutil, "copy2"),
            (Path, "mkdir"),
        ):
            patch.setattr(owner, name, counting(getattr(owner, name)))
        yield


def seed_of(name: str) -> int:
    return FILES.index(name)


def painted(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 12), (seed * 40, 255 - seed, 7)).save(path)


def unreported(one: Move, reason: str) -> None:
    pass


class Moving(RuleBasedStateMachine):
    """Files are moved and moved back, some at a time; any of it may be cut off at any step."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.source, self.target, self.gallery = (self.folder / name for name in ("source", "target", "g"))
        for name in FILES:
            painted(self.source / name, seed_of(name))
        steamdino.add(self.gallery, self.source)
        self.hashes = {name: file_sha256(self.source / name) for name in FILES}
        self.moved: set[str] | None = set()  # None after a kill: then it is unknown

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    def planned(self, names: set[str]) -> list[Move]:
        there = [name for name in sorted(names) if (self.source / name).exists()]
        return [
            Move(self.source / name, self.target / name, str(self.hashes[name]))
            for name in there
            if not (self.target / name).exists()
        ]

    @rule(names=st.sets(st.sampled_from(FILES)))
    def move(self, names: set[str]) -> None:
        unfinished = {one.source for one in move_duplicates.unfinished(self.target)}
        done = move_files(self.gallery, self.planned(names), self.target, unreported)
        assert done.failed == 0
        assert not any(path.exists() for path in unfinished)
        self.moved = {name for name in FILES if not (self.source / name).exists()}
        assert names <= self.moved

    @rule(names=st.sets(st.sampled_from(FILES)), steps=st.integers(0, 12))
    def move_and_die(self, names: set[str], steps: int) -> None:
        self.moved = None
        with suppress(Killed), killed_after(steps):
            move_files(self.gallery, self.planned(names), self.target, unreported)

    @precondition(lambda self: (self.target / JOURNAL).exists())
    @rule()
    def move_back(self) -> None:
        assert move_back(self.gallery, self.target, unreported).failed == 0
        assert all((self.source / name).exists() for name in FILES)
        left = [path.name for path in self.target.rglob("*") if path.is_file()]
        assert [name for name in left if not name.startswith(NEW)] == []  # a journal that was not finished
        self.moved = set()

    @precondition(lambda self: (self.target / JOURNAL).exists())
    @rule(steps=st.integers(0, 12))
    def move_back_and_die(self, steps: int) -> None:
        self.moved = None
        with suppress(Killed), killed_after(steps):
            move_back(self.gallery, self.target, unreported)

    @precondition(lambda self: self.moved is not None)
    @rule()
    def add_again(self) -> None:
        if self.moved is not None and len(self.moved) < len(FILES):
            summary = steamdino.add(self.gallery, self.source)
            assert (summary.gone, summary.problems) == (0, ())
            assert summary.new + summary.changed == 0

    @invariant()
    def no_content_is_lost(self) -> None:
        for name, sha256 in self.hashes.items():
            assert sha256 in {file_sha256(folder / name) for folder in (self.source, self.target)}

    @invariant()
    def the_gallery_knows_what_is_missing(self) -> None:
        if self.moved is None:
            return
        with Gallery.open(self.gallery) as opened:
            present = {Path(one.path).name for one in opened.curation.shown("vertical")}
        assert present == {Path(name).name for name in set(FILES) - self.moved}


Moving.TestCase.settings = settings(max_examples=15, stateful_step_count=10, deadline=None)
TestMoving = Moving.TestCase


@pytest.fixture
def gallery(tmp_path: Path, paint: Any) -> Path:
    """Six pictures; 1 has the bytes of 0, and 2 is a small copy of it."""
    covers = tmp_path / "covers"
    for seed in range(6):
        paint(covers / "sub" / f"{seed}.png", seed)
    shutil.copy2(covers / "sub/0.png", covers / "1.png")
    (covers / "sub/1.png").unlink()
    Image.open(covers / "sub/0.png").resize((45, 68)).save(covers / "sub/2.png")
    steamdino.add(tmp_path / "g", covers)
    steamdino.build(tmp_path / "g", "bundled/64x64")
    return tmp_path / "g"


def removable(gallery: Path) -> tuple[list[RemovableFile], list[str]]:
    with Gallery.open(gallery) as opened:
        files, skipped = removable_files(opened, duplicates(gallery, tiers=("identical", "re-encoded")))
    return files, [one.reason for one in skipped]


def below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_files_keep_their_place_below_the_source(gallery: Path, tmp_path: Path) -> None:
    files, skipped = removable(gallery)
    target = tmp_path / "moved"
    assert skipped == []
    assert move_files(gallery, planned_moves(files, target), target, unreported) == Moved(2, 0, 2)
    assert below(target) == {
        JOURNAL,
        *below(tmp_path / "covers") ^ {"sub/0.png", *below(tmp_path / "covers")},
    } | {one.path.relative_to(tmp_path / "covers").as_posix() for one in files}
    summary = steamdino.add(gallery, tmp_path / "covers")
    assert (summary.unchanged, summary.gone) == (4, 0)
    assert move_back(gallery, target, unreported) == Moved(2, 0, 2)
    assert below(target) == set()
    assert steamdino.add(gallery, tmp_path / "covers").unchanged == 6


def test_nothing_is_overwritten(gallery: Path, tmp_path: Path) -> None:
    files, _ = removable(gallery)
    target = tmp_path / "moved" / files[0].path.relative_to(tmp_path / "covers")
    target.parent.mkdir(parents=True)
    target.write_text("mine")
    with pytest.raises(UsageError, match="exists already, so nothing was moved"):
        planned_moves(files, tmp_path / "moved")
    one = Move(files[0].path, target, files[0].sha256)
    assert move(one) == f"{target} exists already"
    assert target.read_text() == "mine"
    assert files[0].path.exists()


def test_files_of_several_sources_go_to_folders_of_their_names(gallery: Path, tmp_path: Path) -> None:
    shutil.copytree(tmp_path / "covers", tmp_path / "more")
    steamdino.add(gallery, tmp_path / "more", prefix="more-")
    steamdino.build(gallery, "bundled/64x64")
    files, _ = removable(gallery)
    places = {
        one.target.relative_to(tmp_path / "moved").parts[0]
        for one in planned_moves(files, tmp_path / "moved")
    }
    assert places == {"covers", "more"}


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("covers/moved", "lies in the source"),
        ("g/moved", "belongs to the gallery"),
        ("covers/1.png", "not a folder"),
    ],
)
def test_some_folders_are_refused(gallery: Path, tmp_path: Path, place: str, reason: str) -> None:
    files, _ = removable(gallery)
    before = below(tmp_path / "covers")
    with pytest.raises(UsageError, match=reason):
        move_files(gallery, planned_moves(files, tmp_path / place), tmp_path / place, unreported)
    assert below(tmp_path / "covers") == before


def test_a_file_stays_if_the_one_to_keep_is_missing_or_another_one(
    gallery: Path, tmp_path: Path, paint: Any
) -> None:
    (one, *_), _ = removable(gallery)
    assert one.kept is not None
    one.kept.rename(tmp_path / "elsewhere.png")
    assert removable(gallery) == (
        [],
        ["the picture to keep is missing, or has changed since it was added"] * 2,
    )
    paint(one.kept, 77)
    assert removable(gallery)[0] == []


def test_a_file_that_changed_stays(gallery: Path, tmp_path: Path, paint: Any) -> None:
    files, _ = removable(gallery)
    paint(files[0].path, 77)
    assert removable(gallery)[0] == files[1:]
    target = tmp_path / "moved"
    done = move_files(gallery, planned_moves(files, target), target, unreported)
    assert (done.moved, done.failed) == (1, 1)
    assert files[0].path.exists()


def test_a_link_stays(tmp_path: Path, paint: Any) -> None:
    paint(tmp_path / "elsewhere/0.png", 0)
    for seed in range(4):
        paint(tmp_path / "covers" / f"{seed}.png", seed)
    (tmp_path / "covers/long-name.png").symlink_to(tmp_path / "elsewhere/0.png")
    steamdino.add(tmp_path / "g", tmp_path / "covers")
    steamdino.build(tmp_path / "g", "bundled/64x64")
    with Gallery.open(tmp_path / "g") as opened:
        groups = duplicates(tmp_path / "g", tiers=("identical",), keep=("path:*/covers/0.png",))
        assert [one.game_id for group in groups for one in group.others] == ["long-name"]
        files, skipped = removable_files(opened, groups)
    assert files == []
    assert [one.reason for one in skipped] == ["it is a link, or belongs to a gallery"]


def test_pictures_of_tables_and_archives_stay(tmp_path: Path, paint: Any) -> None:
    for seed in range(4):
        paint(tmp_path / "covers" / f"{seed}.png", seed % 3)
    lines = [f"{seed},game {seed},covers/{seed}.png" for seed in range(4)]
    (tmp_path / "games.csv").write_text("id,name,path\n" + "\n".join(lines))
    steamdino.add(tmp_path / "g", tmp_path / "games.csv")
    steamdino.build(tmp_path / "g", "bundled/64x64")
    assert removable(tmp_path / "g") == (
        [],
        ["a table or an archive names it; only files of folders are moved or linked"],
    )


def test_a_file_is_copied_to_another_file_system(
    gallery: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_link(*_: object) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(os, "link", no_link)
    files, _ = removable(gallery)
    times = [one.path.stat().st_mtime_ns for one in files]
    moves = planned_moves(files, tmp_path / "moved")
    assert move_files(gallery, moves, tmp_path / "moved", unreported).moved == 2
    assert [one.target.stat().st_mtime_ns for one in moves] == times
    assert [file_sha256(one.target) for one in moves] == [one.sha256 for one in moves]


def test_a_copy_that_was_cut_off_is_made_again(gallery: Path, tmp_path: Path) -> None:
    files, _ = removable(gallery)
    one = planned_moves(files, tmp_path / "moved")[0]
    one.target.parent.mkdir(parents=True)
    one.target.with_name(one.target.name + moved_files.PART).write_bytes(b"half")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError(errno.EPERM, "no")))
        assert move(one) == ""
    assert file_sha256(one.target) == one.sha256
    assert not one.source.exists()


def test_identical_files_become_hard_links(gallery: Path, tmp_path: Path) -> None:
    files, _ = removable(gallery)
    can, others = linkable_files(files)
    assert len(can) == 1
    assert [one.reason for one in others] == ["the picture to keep is not a file with the same bytes"]
    (one,) = can
    before = one.path.read_bytes()
    assert link_file(one) == ""
    assert one.kept is not None
    assert one.path.samefile(one.kept)
    assert one.path.read_bytes() == before
    summary = steamdino.add(gallery, tmp_path / "covers")
    assert (summary.unchanged, summary.gone) == (6, 0)
    assert duplicates(gallery, tiers=("identical",)) == []  # two names of one file


@pytest.mark.parametrize("steps", range(4))
def test_both_names_have_their_content_whenever_linking_is_cut_off(gallery: Path, steps: int) -> None:
    (one,), _ = linkable_files(removable(gallery)[0])
    assert one.kept is not None
    with killed_after(steps):
        try:
            link_file(one)
        except Killed:
            assert steps < 3
    assert file_sha256(one.path) == file_sha256(one.kept) == one.sha256
    assert link_file(one) == ""
    assert one.path.samefile(one.kept)
    assert not one.path.with_name(one.path.name + link_duplicates.LINK).exists()


def test_a_file_that_changed_is_not_linked(gallery: Path, paint: Any) -> None:
    (one,), _ = linkable_files(removable(gallery)[0])
    paint(one.path, 55)
    assert link_file(one) == "it has changed since it was added"
    assert not one.path.samefile(str(one.kept))
