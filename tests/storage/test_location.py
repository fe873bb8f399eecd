from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from steamdino.errors import PictureError
from steamdino.gallery import layout
from steamdino.storage import picture_limits
from steamdino.storage.location import SCHEMES, LocalFile, Location, of_address
from steamdino.storage.picture_limits import PictureLimits

Paint = Callable[..., Path]


class Store(Protocol):
    """Somewhere to put pictures, for the contract: an implementation of `Location` adds the store that it reads."""

    def put(self, name: str, data: bytes) -> Location: ...

    def missing(self, name: str) -> Location: ...


@dataclass
class Folder:
    root: Path

    def put(self, name: str, data: bytes) -> Location:
        (self.root / name).write_bytes(data)
        return LocalFile(self.root / name)

    def missing(self, name: str) -> Location:
        return LocalFile(self.root / name)


STORES: dict[str, Callable[[Path], Store]] = {"file": Folder}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return STORES[request.param](tmp_path)


def test_the_bytes_and_their_status_are_those_that_were_put(store: Store) -> None:
    place = store.put("cover.jpg", b"picture")
    content, status = place.read(), place.status()
    assert content.data == b"picture"
    assert (status.size, status.mtime_ns, status.ctime_ns) == (7, content.mtime_ns, content.ctime_ns)
    assert content.sha256 == hashlib.sha256(b"picture").hexdigest()
    assert place.name == "cover.jpg"


def test_the_mark_stays_and_changes_with_the_content(store: Store) -> None:
    place = store.put("cover.jpg", b"picture")
    before = place.status()
    assert place.status() == before
    store.put("cover.jpg", b"another")
    store.put("cover.jpg", b"another picture")
    assert place.status() != before


def test_what_is_missing_empty_or_too_large_is_a_picture_error_without_the_place(
    store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(picture_limits, "_limits", PictureLimits(file=1000))
    assert len(store.put("largest", bytes(1000)).read().data) == 1000
    attempts = [
        (store.missing("nowhere").read, "does not exist"),
        (store.missing("nowhere").status, "does not exist"),
        (store.put("empty", b"").read, "is empty"),
        (store.put("larger", bytes(1001)).read, "it has 1,001 bytes; at most 1,000 are read"),
    ]
    for attempt, reason in attempts:
        with pytest.raises(PictureError, match=reason) as caught:
            attempt()
        assert str(tmp_path) not in str(caught.value)


def test_only_addresses_of_a_registered_scheme_are_no_paths(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def make(address: str) -> Location:
        made.append(address)
        return LocalFile(Path(address))

    monkeypatch.setitem(SCHEMES, "shop", make)
    assert layout.location("shop://bucket/a.jpg", str(tmp_path)) == LocalFile(Path("shop://bucket/a.jpg"))
    assert made == ["shop://bucket/a.jpg"]
    for written in ("a.jpg", "shop/a.jpg", "shop:/a.jpg", "other://bucket/a.jpg"):
        assert of_address(written) is None
        assert layout.location(written, str(tmp_path)).path == layout.located(written, str(tmp_path))


def test_what_is_no_regular_file_says_why(tmp_path: Path) -> None:
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "dangling.jpg").symlink_to(tmp_path / "nowhere.jpg")
    with (tmp_path / "large.jpg").open("wb") as file:
        file.truncate(PictureLimits().file + 1)
    expected = {
        "folder.jpg": "not a regular file|is a folder",
        "dangling.jpg": "link to a file that does not exist",
        "large.jpg": "at most 67,108,864",
    }
    for name, reason in expected.items():
        with pytest.raises(PictureError, match=reason):
            LocalFile(tmp_path / name).read()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no FIFOs")
def test_a_fifo_that_nobody_writes_to_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with pytest.raises(PictureError, match="not a regular file"):
        LocalFile(tmp_path / "pipe.jpg").read()


@pytest.mark.skipif(not hasattr(os, "setuid"), reason="this system has no user ids")
def test_a_file_that_may_not_be_read_says_so(tmp_path: Path, paint: Paint) -> None:
    path = paint(tmp_path / "secret.jpg")
    path.chmod(0)
    script = (
        "import os, sys\n"
        "from steamdino.storage.location import LocalFile\n"
        "from steamdino.errors import PictureError\n"
        "from pathlib import Path\n"
        "if os.getuid() == 0: os.setgid(65534); os.setuid(65534)\n"  # root may read everything
        "try: LocalFile(Path(sys.argv[1])).read()\n"
        "except PictureError as error: print(error)\n"
    )
    for folder in [tmp_path, *tmp_path.parents[:-2]]:
        if folder.stat().st_uid == os.getuid():
            folder.chmod(folder.stat().st_mode | 0o055)
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], capture_output=True, text=True, check=True
    )
    assert "cannot be read: Permission denied" in done.stdout
