"""Reads a picture's file without trusting it, and says what it is."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from steamdino.banners.decode import header
from steamdino.errors import PictureError
from steamdino.records import Banner

LARGEST_FILE = 64 << 20  # bytes; Steam's own banners have about 100 KB


@dataclass(frozen=True, slots=True)
class Content:
    """A file's bytes, read once, so that what is hashed is what is decoded."""

    data: bytes
    mtime_ns: int
    ctime_ns: int = 0

    @property
    def sha256(self) -> str:
        """Lower-case hex."""
        return hashlib.sha256(self.data).hexdigest()


def read(path: Path) -> Content:
    """Reads a regular file of at most 64 MiB.

    Raises:
        PictureError: it is missing, unreadable, no regular file, empty, or too large; the text says which.
    """
    try:
        # Without O_NONBLOCK, opening a FIFO that nobody writes to would wait for ever.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        reason = (
            "it is a link to a file that does not exist" if path.is_symlink() else "the file does not exist"
        )
        raise PictureError(reason) from None
    except OSError as error:
        folder = error.errno == errno.EISDIR
        raise PictureError("it is a folder" if folder else f"it cannot be read: {error.strerror}") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise PictureError(
                "it is a folder" if stat.S_ISDIR(status.st_mode) else "it is not a regular file"
            )
        if status.st_size > LARGEST_FILE:
            raise PictureError(f"it has {status.st_size:,} bytes; at most {LARGEST_FILE:,} are read")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise PictureError(f"it cannot be read: {error.strerror}") from None
    finally:
        os.close(descriptor)
    if not data:
        raise PictureError("the file is empty")
    if len(data) > LARGEST_FILE:
        raise PictureError(f"it grew beyond {LARGEST_FILE:,} bytes while it was read")
    return Content(data, status.st_mtime_ns, status.st_ctime_ns)


def inspect(path: Path, content: Content) -> Banner:
    """Says what a picture is from its header; its pixels are not decoded.

    Raises:
        PictureError: it is no picture, or beyond the limits on size.
    """
    head = header(content.data)
    return Banner(
        path=path,
        size=len(content.data),
        mtime_ns=content.mtime_ns,
        ctime_ns=content.ctime_ns,
        sha256=content.sha256,
        width=head.width,
        height=head.height,
        mode=head.mode,
        format=head.format,
    )
