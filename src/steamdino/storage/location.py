"""Where a picture is stored: a local file, or an object whose address has a scheme.

A place of a kind that does not exist yet is one new module with a class of the protocol `Location`, and one entry in
`SCHEMES`. Nothing outside such classes opens a picture.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from steamdino.errors import PictureError
from steamdino.storage.picture_limits import picture_limits


@dataclass(frozen=True, slots=True)
class PictureStatus:
    """What is known of a picture without reading it.

    The three numbers together are its mark: a picture whose content changes gets another mark.

    Attributes:
        size: bytes.
        mtime_ns: time of the last modification, nanoseconds since the epoch.
        ctime_ns: time of the last change of the status, which no program can set. Where a place has none, whatever
            64-bit number its version of the content gives, or 0.
    """

    size: int
    mtime_ns: int
    ctime_ns: int = 0


@dataclass(frozen=True, slots=True)
class Content:
    """A picture's bytes, read once, so that the bytes that are hashed are the bytes that are decoded.

    Attributes:
        data: the bytes.
        mtime_ns, ctime_ns: as in `PictureStatus`.
    """

    data: bytes
    mtime_ns: int
    ctime_ns: int = 0

    @property
    def sha256(self) -> str:
        """Lower-case hex."""
        return hashlib.sha256(self.data).hexdigest()


class Location(Protocol):
    """One picture's place. Threads may share it. No error names the place, since errors may be shown to others."""

    @property
    def path(self) -> Path | None:
        """The local file, for programs that need one; None if the picture is not in a local file."""

    @property
    def address(self) -> str:
        """What is stored to find the picture again: the path of a local file, else what `of_address` takes."""

    @property
    def name(self) -> str:
        """The last part of the address, such as "cover.jpg"."""

    def status(self) -> PictureStatus:
        """Look up the size and the mark without reading the picture.

        Raises:
            PictureError: it is missing or cannot be reached.
        """

    def read(self) -> Content:
        """Read the whole picture, of 1 byte to the limit of `picture_limits`.

        Raises:
            PictureError: it is missing, unreadable, empty or too large; the text says which.
        """


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A picture in a local file.

    Attributes:
        path: the file.
    """

    path: Path

    @property
    def address(self) -> str:
        """The path."""
        return str(self.path)

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    def status(self) -> PictureStatus:
        """Look up the size and the times.

        Raises:
            PictureError: there is no such file, or it cannot be reached.
        """
        try:
            status = self.path.stat()
        except OSError as error:
            raise _missing(self.path, error) from None
        return PictureStatus(status.st_size, status.st_mtime_ns, status.st_ctime_ns)

    def read(self) -> Content:
        """Read a regular file.

        Raises:
            PictureError: it is missing, unreadable, not a regular file, empty, or too large; the text says which.
        """
        try:
            # Without O_NONBLOCK, opening a FIFO that nobody writes to would wait for ever.
            flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
            descriptor = os.open(self.path, flags)
        except OSError as error:
            raise _missing(self.path, error) from None
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise PictureError(
                    "it is a folder" if stat.S_ISDIR(status.st_mode) else "it is not a regular file"
                )
            check_file_size(status.st_size)
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                data = file.read(picture_limits().file + 1)
        except OSError as error:
            raise PictureError(f"it cannot be read: {error.strerror}") from None
        finally:
            os.close(descriptor)
        if not data:
            raise PictureError("the file is empty")
        check_file_size(len(data))
        return Content(data, status.st_mtime_ns, status.st_ctime_ns)


def _stored_object(address: str) -> Location:
    from steamdino.storage.object_store import StoredObject

    return StoredObject(address)


SCHEMES: dict[str, Callable[[str], Location]] = dict.fromkeys(("s3", "gs", "az"), _stored_object)
"""What makes a `Location` of an address, by the address's scheme: "s3" for ``s3://bucket/cover.jpg``."""


def is_address(text: str) -> bool:
    """Whether a text is an address with a registered scheme, and not a path."""
    scheme, separator, _ = text.partition("://")
    return bool(separator) and scheme in SCHEMES


def of_address(address: str) -> Location | None:
    """Make the location of an address with a registered scheme; None for any other text, such as a path."""
    return SCHEMES[address.partition("://")[0]](address) if is_address(address) else None


def check_file_size(size: int) -> None:
    """Raise an error for a picture whose file is too large.

    Raises:
        PictureError: it is.
    """
    most = picture_limits().file
    if size > most:
        raise PictureError(f"it has {size:,} bytes; at most {most:,} are read (setting largest_file)")


def _missing(path: Path, error: OSError) -> PictureError:
    if isinstance(error, FileNotFoundError):
        is_link = path.is_symlink()
        return PictureError(
            "it is a link to a file that does not exist" if is_link else "the file does not exist"
        )
    folder = error.errno == errno.EISDIR
    return PictureError("it is a folder" if folder else f"it cannot be read: {error.strerror}")
