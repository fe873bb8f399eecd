from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from steamdino.banners.read import LARGEST_FILE, inspect, read
from steamdino.errors import PictureError


def test_a_file_is_read_once_and_identified_by_its_bytes(tmp_path: Path, paint) -> None:  # type: ignore[no-untyped-def]
    path = paint(tmp_path / "a.jpg")
    content = read(path)
    assert content.data == path.read_bytes()
    assert content.mtime_ns == path.stat().st_mtime_ns
    banner = inspect(path, content)
    assert banner.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (banner.size, banner.width, banner.height, banner.mode, banner.format) == (
        path.stat().st_size,
        60,
        90,
        "RGB",
        "JPEG",
    )


def test_what_is_no_readable_file_says_why(tmp_path: Path) -> None:
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "dangling.jpg").symlink_to(tmp_path / "nowhere.jpg")
    with (tmp_path / "large.jpg").open("wb") as file:
        file.truncate(LARGEST_FILE + 1)
    expected = {
        "missing.jpg": "does not exist",
        "folder.jpg": "not a regular file|is a folder",
        "empty.jpg": "is empty",
        "dangling.jpg": "link to a file that does not exist",
        "large.jpg": "at most 67,108,864",
    }
    for name, reason in expected.items():
        with pytest.raises(PictureError, match=reason):
            read(tmp_path / name)


def test_a_file_as_large_as_the_limit_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("steamdino.banners.read.LARGEST_FILE", 1000)
    (tmp_path / "a").write_bytes(bytes(1000))
    assert len(read(tmp_path / "a").data) == 1000
    (tmp_path / "b").write_bytes(bytes(1001))
    with pytest.raises(PictureError, match="it has 1,001 bytes; at most 1,000 are read"):
        read(tmp_path / "b")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
def test_a_fifo_that_nobody_writes_to_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(PictureError, match="not a regular file"):
        read(tmp_path / "pipe.jpg")


@pytest.mark.skipif(not hasattr(os, "setuid"), reason="this system has no user ids")
def test_a_file_that_may_not_be_read_says_so(tmp_path: Path, paint) -> None:  # type: ignore[no-untyped-def]
    path = paint(tmp_path / "secret.jpg")
    path.chmod(0)
    script = (
        "import os, sys\n"
        "from steamdino.banners.read import read\n"
        "from steamdino.errors import PictureError\n"
        "from pathlib import Path\n"
        "if os.getuid() == 0: os.setgid(65534); os.setuid(65534)\n"  # root may read everything
        "try: read(Path(sys.argv[1]))\n"
        "except PictureError as error: print(error)\n"
    )
    for folder in [tmp_path, *tmp_path.parents[:-2]]:
        if folder.stat().st_uid == os.getuid():
            folder.chmod(folder.stat().st_mode | 0o055)
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )
    assert "cannot be read: Permission denied" in done.stdout
