"""What a power cut could undo: the order of flushes and renames, recorded from the real calls.

A name is safe when the content behind it was flushed before the name was given, and the folder that holds the name was
flushed afterwards.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import steamdino
from steamdino.features import model_files
from steamdino.features.model_registry import models
from steamdino.gallery import Gallery
from steamdino.index.snapshot_removal import prune
from steamdino.pipeline import examine
from steamdino.storage.atomic import replacing
from steamdino.storage.output import writing, writing_folder

Paint = Callable[..., Path]
Inode = tuple[int, int]


@dataclass
class Calls:
    """The calls that reached the operating system, in order: ("flush", inode, None) or ("move", from, to)."""

    events: list[tuple[str, object, object]] = field(default_factory=list)

    def flushes(self, path: Path) -> list[int]:
        """Return when something was flushed, by its current inode."""
        inode = _inode(path.stat())
        return [n for n, (kind, one, _) in enumerate(self.events) if kind == "flush" and one == inode]

    def names(self, folder: Path) -> list[int]:
        """Return when a folder's names changed."""
        return [
            n
            for n, (kind, *paths) in enumerate(self.events)
            if kind == "move" and any(isinstance(one, Path) and one.parent == folder for one in paths)
        ]

    def check(self, root: Path, skip: tuple[str, ...] = ()) -> int:
        """Check that a folder and everything in it was flushed; return the number of files."""
        seen = 0
        for path in (root, *root.rglob("*")):
            if any(part in path.name for part in skip):
                continue
            seen += 1
            folder = self.flushes(path.parent)
            assert folder, f"the name of {path} could be lost"
            if path.is_file():
                content = self.flushes(path)
                assert content, f"the content of {path} could be lost"
                assert content[0] < folder[-1], f"the name of {path} was flushed before its content"
            if changes := self.names(path.parent):
                assert changes[-1] < folder[-1], f"a name in {path.parent} could be lost"
        return seen


def _inode(status: os.stat_result) -> Inode:
    return status.st_dev, status.st_ino


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """Record the calls of this process, and make them."""
    calls = Calls()
    fsync = os.fsync

    def flush(descriptor: int) -> None:
        fsync(descriptor)
        calls.events.append(("flush", _inode(os.fstat(descriptor)), None))

    def moving(name: str) -> None:
        real = getattr(os, name)

        def move(source: str | Path, target: str | Path) -> None:
            real(source, target)
            calls.events.append(("move", Path(source), Path(target)))

        monkeypatch.setattr(os, name, move)

    monkeypatch.setattr(os, "fsync", flush)
    moving("replace")
    moving("rename")
    mkdir = os.mkdir

    def make(path: str | Path, *options: object) -> None:
        mkdir(path, *options)  # type: ignore[arg-type]
        calls.events.append(("move", None, Path(path)))

    monkeypatch.setattr(os, "mkdir", make)
    return calls


@pytest.mark.parametrize("write", [replacing, writing])
def test_a_file_is_flushed_then_renamed_then_its_folder_is_flushed(
    write: Callable[..., object], tmp_path: Path, calls: Calls
) -> None:
    path = tmp_path / "file"
    for content in (b"old", b"new"):
        calls.events.clear()
        with write(path) as file:  # type: ignore[attr-defined]
            file.write(content)
        kinds = [kind for kind, *_ in calls.events]
        assert kinds == ["flush", "move", "flush"]
        assert (calls.flushes(path), calls.names(tmp_path), calls.flushes(tmp_path)) == ([0], [1], [2])


def test_the_content_is_complete_when_it_is_flushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = []
    fsync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda one: (sizes.append(os.fstat(one).st_size), fsync(one)))
    with replacing(tmp_path / "file") as file:
        file.write(b"x" * 101)  # which Python holds back
    assert sizes[0] == 101


def test_new_parent_folders_are_flushed_too(tmp_path: Path, calls: Calls) -> None:
    with replacing(tmp_path / "a" / "b" / "file") as file:
        file.write(b"new")
    assert calls.check(tmp_path / "a") == 3


def test_a_folder_is_flushed_before_it_replaces_the_old_one_which_is_removed_last(
    tmp_path: Path, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    rmtree = shutil.rmtree

    def remove(path: Path, **options: bool) -> None:
        if Path(path).exists():
            calls.events.append(("remove", Path(path), None))
        rmtree(path, **options)

    monkeypatch.setattr(shutil, "rmtree", remove)
    site = tmp_path / "site"
    for content in ("old", "new"):
        calls.events.clear()
        with writing_folder(site) as work:
            (work / "data" / "deep").mkdir(parents=True)
            for name in ("index.html", "data/one", "data/deep/two"):
                (work / name).write_text(content)
        assert calls.check(site) == 6
        (placed,) = [n for n, (kind, _, to) in enumerate(calls.events) if kind == "move" and to == site]
        for path in (site, *site.rglob("*")):
            assert calls.flushes(path)[-1] < placed, f"{path} was not on disk when it took its place"
    kinds = [kind for kind, *_ in calls.events]
    (removed,) = [n for n, kind in enumerate(kinds) if kind == "remove"]
    assert placed < calls.flushes(tmp_path)[-1] < removed


def test_everything_that_add_and_build_wrote_is_flushed(tmp_path: Path, paint: Paint, calls: Calls) -> None:
    for seed in range(4):
        paint(tmp_path / "covers" / f"{seed}.png", seed)
    calls.events.clear()
    gallery = tmp_path / "new" / "gallery"
    steamdino.add(gallery, tmp_path / "covers", copy=True)
    steamdino.build(gallery)
    sqlites_own = ("gallery.sqlite", "writer.lock")
    assert calls.check(gallery.parent, skip=sqlites_own) >= 4 + 3, "pictures and a snapshot's files"

    paint(tmp_path / "covers" / "4.png", 4)
    steamdino.add(gallery, tmp_path / "covers", copy=True)
    steamdino.build(gallery)
    calls.check(gallery.parent, skip=sqlites_own)


def test_a_commit_is_flushed(tmp_path: Path) -> None:
    with Gallery.write(tmp_path / "gallery", "test", create=True) as opened:
        assert opened._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert opened._connection.execute("PRAGMA synchronous").fetchone() == (2,), "2 is FULL"


@pytest.mark.parametrize("how", ["prune", "doctor"])
def test_a_snapshot_is_renamed_durably_before_its_files_are_deleted(
    how: str, tmp_path: Path, paint: Paint, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    gallery = tmp_path / "gallery"
    paint(tmp_path / "covers" / "a.png")
    steamdino.add(gallery, tmp_path / "covers")
    steamdino.build(gallery)
    (number,) = gallery.glob("snapshots/*/1")
    folder, old = number.parent, _inode(number.stat())
    if how == "prune":
        paint(tmp_path / "covers" / "b.png", 1)
        steamdino.add(gallery, tmp_path / "covers")
        steamdino.build(gallery)
    else:
        (number / "vectors.npy").write_bytes(b"damaged")
    removals = []
    rmtree = shutil.rmtree

    def remove(path: Path, **options: bool) -> None:
        if Path(path).exists() and _inode(Path(path).stat()) == old:
            removals.append(len(calls.events))
        rmtree(path, **options)

    monkeypatch.setattr(shutil, "rmtree", remove)
    calls.events.clear()
    if how == "prune":
        prune(folder, kept=1)
    else:
        assert all(finding.fixed for finding in examine(gallery, repair=True))
    (renamed,) = [n for n, (_, source, _) in enumerate(calls.events) if source == number]
    assert removals
    assert any(renamed < n < removals[0] for n in calls.flushes(folder))


def test_a_models_files_are_flushed_in_the_cache(
    tmp_path: Path, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEAMDINO_CACHE", str(tmp_path / "cache"))
    model = next(one for one in models().values() if not one.packaged)
    for content in (b"graph", b"graph"):  # the same again takes the place of the first
        folder = model_files.working_folder(model)
        (folder / model_files.WEIGHTS).write_bytes(content)
        (folder / model_files.CHECKPOINT).mkdir()
        (folder / model_files.CHECKPOINT / "weights").write_bytes(b"more")
        kept = model_files.keep(model, folder, origin={})
        assert calls.check(tmp_path / "cache") >= 6
        assert sorted(one.name for one in kept.folder.parent.iterdir()) == [kept.folder.name]
