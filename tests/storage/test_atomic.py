from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from steamdino.storage import atomic
from steamdino.storage.atomic import make_folder, new_folder, replace_folder, replacing, sync_folder


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_file_is_replaced_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "sub" / "file"
    for content in (b"old", b"new"):
        with replacing(path) as file:
            file.write(content)
        assert path.read_bytes() == content
    assert [child.name for child in path.parent.iterdir()] == ["file"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), replacing(path) as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"old"
    assert [child.name for child in tmp_path.iterdir()] == ["file"]


def test_a_relative_path_is_resolved_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    with replacing(Path("file")) as file:
        file.write(b"new")
        os.chdir("elsewhere")
    assert (tmp_path / "file").read_bytes() == b"new"


@pytest.mark.parametrize("mask", [0o077, 0o022, 0o002, 0o000])
def test_a_new_file_and_a_new_folder_obey_the_umask(umask: None, tmp_path: Path, mask: int) -> None:
    os.umask(mask)
    with replacing(tmp_path / "file") as file:
        file.write(b"new")
    assert _mode(tmp_path / "file") == 0o666 & ~mask
    made = new_folder(tmp_path)
    replace_folder(made, tmp_path / "folder")
    assert _mode(tmp_path / "folder") == 0o777 & ~mask


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o664, 0o444, 0o755])
def test_a_file_that_is_replaced_keeps_its_permissions(umask: None, tmp_path: Path, mode: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(mode)
    with replacing(path) as file:
        half = next(child for child in tmp_path.iterdir() if child != path)
        assert _mode(half) == mode, "others could read what is not finished"
        file.write(b"new")
    assert (path.read_bytes(), _mode(path)) == (b"new", mode)


def test_the_owner_of_a_file_is_kept_by_root(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    owner = (4321, 4321) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    os.chown(path, *owner)
    with replacing(path) as file:
        file.write(b"new")
    assert (path.stat().st_uid, path.stat().st_gid) == owner


def test_a_file_system_without_owners_and_permissions_keeps_no_file_from_being_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    path = tmp_path / "file"
    path.write_bytes(b"old")
    if os.geteuid() == 0:
        os.chown(path, 4321, 4321)
    monkeypatch.setattr(os, "fchown", refused)
    monkeypatch.setattr(os, "fchmod", refused)
    with replacing(path) as file:
        file.write(b"new")
    assert path.read_bytes() == b"new"


def test_a_folder_replaces_another(tmp_path: Path) -> None:
    for content in ("old", "new"):
        made = new_folder(tmp_path)
        (made / content).write_text(content)
        replace_folder(made, tmp_path / "folder")
        assert [child.name for child in (tmp_path / "folder").iterdir()] == [content]
    assert [child.name for child in tmp_path.iterdir()] == ["folder"]


def test_the_old_folder_comes_back_if_the_new_one_cannot_take_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "folder"
    target.mkdir()
    (target / "page").write_text("old")
    made = new_folder(tmp_path)
    rename = os.rename

    def failing(source: Path, destination: Path) -> None:
        if Path(source) == made:
            raise OSError(errno.EIO, "the disk fails")
        rename(source, destination)

    monkeypatch.setattr(os, "rename", failing)
    with pytest.raises(OSError, match="the disk fails"):
        replace_folder(made, target)
    assert (target / "page").read_text() == "old"
    assert sorted(child.name for child in tmp_path.iterdir()) == sorted([made.name, "folder"])


def test_a_folder_that_cannot_be_flushed_does_not_fail_what_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Some network file systems refuse the flush of a folder; a disk that fails is another matter.
    fsync = os.fsync

    def refusing(reason: int) -> None:
        def refused(descriptor: int) -> None:
            if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                raise OSError(reason, os.strerror(reason))
            fsync(descriptor)

        monkeypatch.setattr(os, "fsync", refused)

    for reason in (errno.EINVAL, errno.ENOTSUP):
        refusing(reason)
        with replacing(tmp_path / str(reason)) as file:
            file.write(b"new")
        assert (tmp_path / str(reason)).read_bytes() == b"new"
    refusing(errno.EIO)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        sync_folder(tmp_path)


def test_windows_flushes_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(atomic.os, "name", "nt")
    sync_folder(tmp_path / "missing")


def test_an_existing_folder_is_left_alone(tmp_path: Path) -> None:
    before = tmp_path.stat().st_mtime_ns
    make_folder(tmp_path)
    assert tmp_path.stat().st_mtime_ns == before
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError):
        make_folder(tmp_path / "file")
