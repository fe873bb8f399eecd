"""Compiled models that the next process loads: files in the folder ``compiled`` of the cache.

Reading, adapting and compiling the bundled model takes five times as long as loading what came of it, and a search by
picture does nothing that takes longer. OpenVINO's own cache (``CACHE_DIR``) is not used: it is keyed by the adapted
graph, so reading and adapting are not spared; it never removes a file; and it does not check what it loads.

A file is named by the hash of everything that it was made from, and begins with the hash of its content. Whatever is
wrong with a file or with the disk, the model is compiled as if there were no cache. Threads and processes share the
folder: files appear by a rename, and a file that is removed while it is read stays readable.
"""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import suppress
from pathlib import Path

from steamdino.storage.atomic import NEW, replacing
from steamdino.storage.cache import cache_folder
from steamdino.version import __version__

SUFFIX = ".compiled"
CAPACITY = 1024**3
"""Bytes of all files together. Those that were not used for longest are removed first."""

LARGEST = CAPACITY // 2
"""Bytes of one file. The largest models compile about as fast as a file of their size is read and checked."""

ABANDONED = 3600
"""Seconds after which an unfinished file belongs to a process that was killed."""

_CHECKED = 32
"""Bytes of the hash before the content."""


def key_of(*parts: str) -> str:
    """Return the key of what this version of the program compiles from `parts`, on this CPU."""
    digest = hashlib.sha256()
    for part in (__version__, _code(), _instructions(), *parts):
        digest.update(f"{len(part)}:{part}".encode())
    return digest.hexdigest()


def load(key: str) -> bytes | None:
    """Return what was stored under a key; None if there is nothing, or it is damaged or cannot be read."""
    if (path := _path(key)) is None:
        return None
    try:
        with path.open("rb") as file:
            expected, content = file.read(_CHECKED), file.read()
    except OSError:
        return None
    if hashlib.sha256(content).digest() != expected:
        return None
    with suppress(OSError):  # a cache that others filled
        os.utime(path)
    return content


def store(key: str, content: bytes) -> None:
    """Store a compiled model and remove those for which there is no room; do nothing if the disk does not allow it."""
    path = _path(key)
    if path is None or len(content) + _CHECKED > LARGEST:
        return
    with suppress(OSError):
        with replacing(path) as file:
            file.write(hashlib.sha256(content).digest())
            file.write(content)
        _make_room(path.parent)


def _path(key: str) -> Path | None:
    folder = cache_folder()
    return folder and folder / "compiled" / f"{key}{SUFFIX}"


def _make_room(folder: Path) -> None:
    """Remove the files that were not used for longest, until the rest fit, and what killed processes left."""
    found: list[tuple[float, int, Path]] = []
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # another process makes room, too
            status = path.stat()
            if path.name.startswith(NEW) and status.st_mtime < time.time() - ABANDONED:
                path.unlink()
            elif path.suffix == SUFFIX:
                found.append((status.st_mtime, status.st_size, path))
    room = CAPACITY
    for _, size, path in sorted(found, reverse=True):
        room -= size
        if room < 0:
            path.unlink(missing_ok=True)


def _code() -> str:
    """Return a hash of the modules that adapt graphs: between releases they change and the version does not."""
    digest = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _instructions() -> str:
    """Return the CPU's instruction sets where Linux lists them: virtual machines share the name of a CPU."""
    with suppress(OSError), Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as file:
        return next((line for line in file if line.startswith(("flags", "Features"))), "")
    return ""
