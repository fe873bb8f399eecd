"""Scaled pictures in files, which processes share. The least recently used ones are removed when they take too much.

::

    <folder>/<aa>/<digest>          the picture, followed by its CRC-32
    <folder>/.lock                  held by the process that removes files

A file appears complete or not at all. It is not flushed to disk, since it can be made again: whatever a power cut left
of it does not match its checksum.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import zlib
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

LOG = logging.getLogger("steamdino.web")

CHECKSUM = 4
"""Bytes of the checksum."""
TOUCHED = 600
"""Seconds after which the time of a file's last use is written again."""
ABANDONED = 3600
"""Seconds after which an unfinished file belongs to a process that was killed."""
SLACK = 8
"""A process looks through the files after it wrote this fraction of the limit, divided by the number of processes. What
is left then is smaller by the same fraction, so that all of them together stay below the limit."""
UNFINISHED = ".new-"


class PictureCache:
    """Pictures by name. Threads may share it, and processes the folder."""

    def __init__(self, folder: Path | None, limit: int, processes: int = 1) -> None:
        """Open a folder, which is created when it is needed.

        Args:
            folder: for the files; None to keep nothing.
            limit: bytes of all files together at most; 0 to keep nothing.
            processes: how many use the folder.
        """
        self._folder = folder if limit else None
        self._limit = limit
        self._step = limit // SLACK // processes
        self._written = self._step  # another run may have left files, so the first picture counts them
        self._lock = threading.Lock()

    def get(self, name: str) -> bytes | None:
        """Return a picture; None if it is not there, or its file is damaged."""
        if self._folder is None:
            return None
        path = self._path(self._folder, name)
        try:
            with path.open("rb") as file:
                used = os.fstat(file.fileno()).st_mtime
                content = file.read()
        except OSError:
            return None
        data, checksum = content[:-CHECKSUM], content[-CHECKSUM:]
        if not data or zlib.crc32(data).to_bytes(CHECKSUM) != checksum:
            return None  # the picture is made again, and its file replaced
        if abs(time.time() - used) > TOUCHED:
            with suppress(OSError):  # another process may have removed it
                os.utime(path)
        return data

    def put(self, name: str, data: bytes) -> None:
        """Keep a picture. A folder that cannot be written to is reported in the log, once."""
        size = len(data) + CHECKSUM
        if self._folder is None or size > self._step:
            return
        try:
            with self._lock:
                self._written += size
                if self._written > self._step and self._tidied(self._folder):
                    self._written = size
            _write(self._path(self._folder, name), data + zlib.crc32(data).to_bytes(CHECKSUM))
        except OSError as error:
            LOG.warning("pictures are not cached", extra={"facts": {"error": str(error)}})
            self._folder = None

    @staticmethod
    def _path(folder: Path, name: str) -> Path:
        return folder / name[:2] / name

    def _tidied(self, folder: Path) -> bool:
        """Remove the least recently used files until there is room; return False if another process does."""
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(folder / ".lock", blocking=False):
                self._tidy(folder)
        except Timeout:
            return False
        return True

    def _tidy(self, folder: Path) -> None:
        now, total = time.time(), 0
        found: list[tuple[float, int, str]] = []
        for inner in os.scandir(folder):
            for entry in os.scandir(inner) if inner.is_dir() else ():
                with suppress(FileNotFoundError):
                    status = entry.stat()
                    total += status.st_size
                    if not entry.name.startswith(UNFINISHED) or now - status.st_mtime > ABANDONED:
                        found.append((status.st_mtime, status.st_size, entry.path))
        room = self._limit - self._limit // SLACK
        for _, size, path in sorted(found):
            if total <= room:
                break
            with suppress(FileNotFoundError):
                Path(path).unlink()
            total -= size


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(UNFINISHED + os.urandom(8).hex())
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise
