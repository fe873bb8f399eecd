"""Atomic, durable writes: files and folders appear complete or not at all, and survive a power cut.

A rename is atomic but not durable by itself: the content must be flushed to disk before it, and the folder that holds
the name after it. `fsync` does both, if the disk honours it. Windows cannot flush a folder.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import takewhile
from pathlib import Path
from typing import IO

NEW, OLD = ".new-", ".old-"
"""Name prefixes of unfinished files and folders, and of those about to be removed."""

SYNCING = 8
"""Number of files flushed at the same time: file systems commit them together."""

_UNSUPPORTED = (errno.EINVAL, errno.EBADF, errno.ENOTSUP)
"""Error codes that some network and virtual file systems return for flushing a folder."""


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a file that replaces `path` when the block ends; if the block raises, nothing changes.

    After the block, content and name survive a power cut. A new file gets the umask's permissions, a file that replaces
    a regular file gets the old file's. A link is replaced, not followed: paths that a user supplies are written by
    `steamdino.storage.output`.

    Raises:
        OSError: the folder cannot be created, or the file cannot be written.
    """
    path = path.absolute()
    make_folder(path.parent)
    old = _status(path)
    temporary = path.with_name(_unused(NEW))
    # The new file is never more readable than the old one, not even while it is empty.
    mode = 0o666 if old is None else stat.S_IMODE(old.st_mode) & 0o666
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    descriptor = os.open(temporary, flags, mode)
    try:
        with open(descriptor, "w+b") as file:  # noqa: PTH123 (a descriptor has no path)
            if old is not None:
                _take_after(descriptor, old)
            yield file
            file.flush()
            os.fsync(descriptor)
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    sync_folder(path.parent)


def new_folder(parent: Path, prefix: str = NEW) -> Path:
    """Create an empty folder under an unused name, with the umask's permissions."""
    make_folder(parent)
    made = parent / _unused(prefix)
    made.mkdir()
    return made


def replace_folder(made: Path, target: Path) -> None:
    """Move a finished folder to `target`, replacing the folder that may be there.

    Its content is flushed first. The old folder is moved aside, restored if the new one cannot take its place, and
    removed last, so that one of the two is on disk at any moment.

    Args:
        made: the new folder; must be beside `target`.
        target: the folder to replace; must not be a link.

    Raises:
        OSError: it cannot be moved; the old folder is still in place.
    """
    import shutil  # imported here: searches do not need it

    sync_tree(made)
    aside = target.with_name(_unused(OLD))
    try:
        if target.exists():
            target.rename(aside)
        made.rename(target)
    except BaseException:
        if aside.exists() and not target.exists():
            aside.rename(target)
        raise
    sync_folder(target.parent)
    shutil.rmtree(aside, ignore_errors=True)


def link_or_copy(source: Path, target: Path) -> None:
    """Make a new file with the content of another one, as a hard link where the file system has them.

    Only for files that never change: both names may lead to the same file.

    Raises:
        OSError: it cannot be written.
    """
    try:
        os.link(source, target)
    except OSError:
        import shutil  # not needed by searches, which shall start fast

        shutil.copyfile(source, target)


def make_folder(folder: Path) -> None:
    """Create a folder and its missing parents, durably; an existing folder is left as it is."""
    folder = folder.absolute()
    missing = list(takewhile(lambda one: not one.exists(), (folder, *folder.parents)))
    folder.mkdir(parents=True, exist_ok=True)
    for one in reversed(missing):
        sync_folder(one.parent)


def sync_file(path: Path) -> None:
    """Flush a file's content to disk, whichever process wrote it."""
    _sync(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)


def sync_folder(folder: Path) -> None:
    """Flush a folder's names to disk: required after each rename, creation or removal that must last."""
    if os.name == "nt":
        return
    try:
        _sync(folder, os.O_RDONLY)
    except PermissionError:  # a folder that can be written to but not read cannot be flushed
        return
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise


def sync_tree(folder: Path) -> None:
    """Flush all files and folders in a folder, and the folder itself."""
    from concurrent.futures import ThreadPoolExecutor

    folders, files = [], []
    for root, _, names in os.walk(folder):
        folders.append(Path(root))
        files += [Path(root, name) for name in names]
    with ThreadPoolExecutor(SYNCING) as pool:
        for sync, paths in ((sync_file, files), (sync_folder, folders)):
            for _ in pool.map(sync, paths):
                pass


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _status(path: Path) -> os.stat_result | None:
    """Return the status of a regular file; None if there is none."""
    try:
        status = path.lstat()
    except OSError:
        return None  # opening a file beside it will report what is wrong with the path
    return status if stat.S_ISREG(status.st_mode) else None


def _take_after(descriptor: int, old: os.stat_result) -> None:
    """Give a new file the owner and the permissions of the file that it replaces, if the system allows it."""
    if not hasattr(os, "fchown"):
        return
    own = os.fstat(descriptor)
    if (own.st_uid, own.st_gid) != (old.st_uid, old.st_gid):
        with suppress(OSError):
            os.fchown(descriptor, old.st_uid, old.st_gid)
    with suppress(OSError):  # a FAT disk has no permissions
        os.fchmod(descriptor, stat.S_IMODE(old.st_mode) & 0o777)


def _unused(prefix: str) -> str:
    return prefix + os.urandom(8).hex()
