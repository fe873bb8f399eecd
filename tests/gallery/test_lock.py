from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from steamdino.errors import GalleryError, GalleryLockedError
from steamdino.gallery import Gallery
from steamdino.gallery.database import _explained

HOLD = """
import sys, time
from steamdino.gallery import Gallery
from steamdino.gallery.database import _explained
with Gallery.write(sys.argv[1], "build", create=True):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path: Path):  # type: ignore[no-untyped-def]
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "g")], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        yield child
        child.kill()


def test_a_second_writer_is_told_who_holds_the_gallery(tmp_path: Path, holder) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(GalleryLockedError) as caught, Gallery.write(tmp_path / "g", "add"):
        pass
    assert f"process {holder.pid} (steam-dino build, since 20" in str(caught.value)


def test_a_holder_that_left_no_readable_note_is_another_process(tmp_path: Path, holder) -> None:  # type: ignore[no-untyped-def]
    """It is about to write the note, or has just removed it."""
    note = tmp_path / "g" / "writer.json"
    for content in ("", "[1]", '{"pid": 1}', None):
        note.write_text(content) if content is not None else note.unlink()
        with pytest.raises(GalleryLockedError) as caught, Gallery.write(tmp_path / "g", "add"):
            pass
        assert str(caught.value) == (
            f"{tmp_path / 'g'} is being written to by another process; try again when that has finished"
        )


def test_a_reader_is_not_disturbed_by_a_writer(tmp_path: Path, holder) -> None:  # type: ignore[no-untyped-def]
    with Gallery.open(tmp_path / "g") as gallery:
        assert gallery.report().sources == ()


def test_a_killed_holders_lock_is_reclaimed(tmp_path: Path, holder) -> None:  # type: ignore[no-untyped-def]
    holder.kill()
    holder.wait()
    assert (tmp_path / "g" / "writer.json").exists()
    with Gallery.write(tmp_path / "g", "add") as gallery:
        assert gallery.report().sources == ()
    assert not (tmp_path / "g" / "writer.json").exists()


def test_a_note_that_somebody_removed_does_not_keep_the_lock(tmp_path: Path) -> None:
    for _ in range(2):
        with Gallery.write(tmp_path / "g", "add", create=True):
            (tmp_path / "g" / "writer.json").unlink()


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EINVAL])
def test_a_share_without_locks_is_named_as_the_cause(
    code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl", reason="locks of another kind are here")

    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(GalleryError) as caught, Gallery.write(tmp_path / "g", "add", create=True):
        pass
    assert str(caught.value) == (
        f"{tmp_path / 'g'}: its file system has no locks, as some shares have none; keep the gallery on a local disk,"
        f" and leave the pictures where they are ({os.strerror(code)})"
    )


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (sqlite3.SQLITE_PROTOCOL, "has no locks"),
        (sqlite3.SQLITE_IOERR_LOCK, "has no locks"),
        (sqlite3.SQLITE_IOERR_SHMMAP, "has no locks"),
        (sqlite3.SQLITE_IOERR_WRITE, "the disk is full or failing"),
        (sqlite3.SQLITE_CORRUPT_INDEX, "restore it from a backup"),
    ],
)
def test_sqlites_own_trouble_with_locks_is_told_from_a_full_disk(
    code: int, told: str, tmp_path: Path
) -> None:
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    with pytest.raises(GalleryError, match=told), _explained(tmp_path):
        raise error
