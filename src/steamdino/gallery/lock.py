"""A lock that allows one writer at a time, with a note beside it that names its holder.

The operating system releases the lock when its holder dies, so a stale lock never blocks anybody.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from steamdino.errors import GalleryError, GalleryLockedError
from steamdino.gallery import layout
from steamdino.gallery.clock import now

_UNSUPPORTED = (errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL)
"""What file systems without locks answer, such as some network shares."""

NO_LOCKS = (
    "its file system has no locks, as some shares have none; keep the gallery on a local disk, and leave the pictures"
    " where they are"
)


@contextmanager
def writing(root: Path, purpose: str) -> Iterator[None]:
    """Hold the gallery's lock for writing until the block ends.

    Raises:
        GalleryLockedError: another process holds it; the message names the process, its purpose and its start.
        GalleryError: the lock file cannot be written.
    """
    from filelock import FileLock, Timeout  # imported here: searches do not need it

    path = root / layout.LOCK
    note = path.with_suffix(".json")
    # Without locks of the system, a killed holder's lock would stay.
    lock = FileLock(path, timeout=0, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout:
        raise GalleryLockedError(
            f"{root} is being written to by {_holder(note)}; try again when that has finished"
        ) from None
    except OSError as error:
        if error.errno in _UNSUPPORTED:
            raise GalleryError(f"{root}: {NO_LOCKS} ({error.strerror})") from None
        raise GalleryError(
            f"{root} cannot be written to ({error.strerror}); make the folder writable"
        ) from None
    try:
        record = {"pid": os.getpid(), "purpose": purpose, "since": now()}
        note.write_text(json.dumps(record), "utf-8")
        yield
    finally:
        try:
            note.unlink(missing_ok=True)
        finally:
            lock.release()


def _holder(note: Path) -> str:
    try:
        record = json.loads(note.read_text("utf-8"))
        return f"process {record['pid']} (steam-dino {record['purpose']}, since {record['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"  # it is just starting or ending
