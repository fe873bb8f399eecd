"""Write what a user requests with ``-o`` and similar options to a file, a pipe, a device or standard output.

==================================================  ==================================================================
a path                                              what happens
==================================================  ==================================================================
``-``                                               the bytes go to standard output
a regular file, or nothing                          it is replaced when everything is written
a link                                              it stays a link; its target is treated as in the other rows
a pipe, a character device, ``/dev/stdout``,        the bytes are sent there once all of them exist; it stays what it
``/dev/fd/N``, ``/proc/self/fd/N``                  is
a folder, a socket, a block device, a loop of       refused
links
==================================================  ==================================================================
"""

from __future__ import annotations

import errno
import io
import os
import re
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from steamdino.errors import OutputError
from steamdino.storage.atomic import new_folder, replace_folder, replacing

STDOUT = Path("-")

MOST_LINKS = 40
"""Maximum length of a chain of links, as on Linux."""

IN_MEMORY = 16 << 20
"""Bytes for a stream that are kept in memory; beyond this, a temporary file is used."""

CHUNK = 1 << 20


@contextmanager
def writing(path: Path, option: str = "-o") -> Iterator[IO[bytes]]:
    """Open a seekable binary file whose bytes reach `path` when the block ends; if the block raises, none do.

    Args:
        path: as the user gave it; see the table above.
        option: the option that the user gave it with, for the error message.

    Raises:
        OutputError: it cannot be written.
        BrokenPipeError: the reader of the pipe has closed it.
    """
    try:
        with _open(_destination(path)) as file:
            try:
                yield file
            except OSError as error:
                if error.filename is None:  # the error concerns the open file
                    raise
                raise refusal(path, f"{error.filename}: {error.strerror}", option) from None
    except BrokenPipeError:
        raise
    except OSError as error:
        raise refusal(path, error.strerror or str(error), option) from None


@contextmanager
def writing_text(path: Path, option: str = "-o") -> Iterator[IO[str]]:
    """Open a text file in the same way: UTF-8, line endings as they are written."""
    with writing(path, option) as file:
        text = io.TextIOWrapper(file, "utf-8", newline="")
        try:
            yield text
        finally:
            text.detach()  # flushes the text without closing the file


@contextmanager
def writing_folder(folder: Path, option: str = "-o") -> Iterator[Path]:
    """Create an empty folder that replaces `folder` when the block ends; if the block raises, nothing changes.

    A link stays a link, and its target is replaced. The new folder gets the permissions of the old one, or the umask's.

    Raises:
        OutputError: it cannot be written.
    """
    try:
        target = followed(folder)
        work = new_folder(target.parent)
        try:
            yield work
            if target.exists():
                work.chmod(stat.S_IMODE(target.stat().st_mode))
            replace_folder(work, target)
        except BaseException:
            import shutil

            shutil.rmtree(work, ignore_errors=True)
            raise
    except OSError as error:
        reason = error.strerror or str(error)
        raise OutputError(
            f"{folder} cannot be written: {reason}; name another folder with {option}"
        ) from None


def check(path: Path, option: str = "-o") -> None:
    """Check whether a path can be written, before the work starts.

    Raises:
        OutputError: it is a folder, a socket, a block device or a loop of links, or its parent is not a folder.
    """
    try:
        _destination(path)
    except OSError as error:
        raise refusal(path, error.strerror or str(error), option) from None


def is_stdout(path: Path) -> bool:
    """Return whether bytes for a path go to standard output: ``-``, ``/dev/stdout`` and the like."""
    try:
        return isinstance(_destination(path), _Standard)
    except OSError:
        return False


def is_stream(path: Path) -> bool:
    """Return whether bytes are sent to a path instead of replacing a file, so that it needs no suffix."""
    try:
        return not isinstance(_destination(path), _File)
    except OSError:
        return False


def output_name(path: Path) -> str:
    """Return a path as it appears in messages."""
    return "standard output" if path == STDOUT else str(path)


@dataclass(frozen=True, slots=True)
class _File:
    """A regular file, or a path where nothing exists; not a link."""

    path: Path


@dataclass(frozen=True, slots=True)
class _Device:
    """A pipe or a device, given by its path."""

    path: Path


@dataclass(frozen=True, slots=True)
class _Descriptor:
    """A file descriptor that this process has open already."""

    number: int


@dataclass(frozen=True, slots=True)
class _Standard:
    """Standard output."""


_Destination = _File | _Device | _Descriptor | _Standard

_OPEN_FILE = re.compile(r"/dev/fd/(\d+)|/proc/(\d+)(?:/task/\d+)?/fd/(\d+)")


def _destination(path: Path) -> _Destination:
    """Return where bytes for a path go.

    Raises:
        OSError: nothing can be written there; the reason is its `strerror`.
    """
    if path == STDOUT:
        return _Standard()
    found = followed(path)
    if link := _OPEN_FILE.fullmatch(str(found)):
        # These links lead to open files, including unnamed ones.
        number = int(link[1] or link[3])
        if link[2] not in (None, str(os.getpid())):
            return _Device(found)
        return _Standard() if number in (1, _standard_descriptor()) else _Descriptor(number)
    try:
        mode = found.stat().st_mode
    except FileNotFoundError:
        return _File(found)
    if stat.S_ISREG(mode):
        return _File(found)
    if stat.S_ISFIFO(mode) or stat.S_ISCHR(mode):
        return _Device(found)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder")
    raise OSError(errno.EINVAL, "it is a socket" if stat.S_ISSOCK(mode) else "it is a block device")


def followed(path: Path) -> Path:
    """Return the absolute path that links lead to, without following links to open files; it need not exist."""
    here = path.absolute()
    for _ in range(MOST_LINKS + 1):
        if here.name == "..":
            return Path(os.path.realpath(here))
        here = Path(os.path.realpath(here.parent), here.name)
        if _OPEN_FILE.fullmatch(str(here)) or not here.is_symlink():
            return here
        here = here.parent / here.readlink()
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))


@contextmanager
def _open(destination: _Destination) -> Iterator[IO[bytes]]:
    match destination:
        case _File(path):
            with replacing(path) as file:
                yield file
        case _Device(path):
            # Opened before the bytes are made: the pipe's reader then sees its end even if no bytes follow.
            descriptor = os.open(path, os.O_WRONLY | os.O_TRUNC | getattr(os, "O_NOCTTY", 0))
            try:
                with _spooled(lambda chunk: os.write(descriptor, chunk)) as spool:
                    yield spool
            finally:
                os.close(descriptor)
        case _Descriptor(number):
            with _spooled(lambda chunk: os.write(number, chunk)) as spool:
                yield spool
        case _Standard():
            if sys.stdout is None:
                raise OSError(errno.EBADF, "it is closed")
            with _spooled(_to_stdout()) as spool:
                yield spool


@contextmanager
def _spooled(send: Callable[[memoryview], int]) -> Iterator[IO[bytes]]:
    """Yield a seekable file whose bytes are sent when the block ends."""
    import tempfile

    with tempfile.SpooledTemporaryFile(IN_MEMORY) as spool:
        yield spool
        spool.seek(0)
        while chunk := spool.read(CHUNK):
            rest = memoryview(chunk)
            while rest:
                rest = rest[send(rest) :]


def _to_stdout() -> Callable[[memoryview], int]:
    """Write past Python's buffer, which would keep unwritten bytes and fail again at exit."""
    sys.stdout.flush()
    descriptor = _standard_descriptor()
    if descriptor is not None:
        return lambda chunk: os.write(descriptor, chunk)
    buffer = getattr(sys.stdout, "buffer", None)
    if buffer is None:
        raise OSError(errno.EBADF, "it accepts text only")  # as in a notebook
    return lambda chunk: int(buffer.write(chunk))


def _standard_descriptor() -> int | None:
    try:
        return sys.stdout.fileno()
    except (AttributeError, ValueError, OSError):
        return None


def refusal(path: Path, reason: str, option: str) -> OutputError:
    """Return the error for a path that cannot be written."""
    return OutputError(f"{output_name(path)} cannot be written: {reason}; name another file with {option}")
