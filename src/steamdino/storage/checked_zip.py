"""Read zip archives with known members, after checking their structure against the file's size.

`zipfile` trusts what a file declares. This module refuses a file whose directory is larger than its members need;
that holds unexpected, duplicate, encrypted or overlapping members; or whose members declare more bytes than the file
can hold. After these checks a member's declared size can be trusted.
"""

from __future__ import annotations

import io
import os
import struct
import zipfile
from collections.abc import Mapping
from types import TracebackType
from typing import IO, Self

from steamdino.wellformed import shown

LARGEST_ENTRY = 512
"""Bytes of the directory per member; a name and the extra field that large files need take about 100."""

_END, _END64, _LOCATOR, _LOCAL = 22, 56, 20, 30  # sizes of the records in bytes


class CheckedZip:
    """An open zip whose structure was checked. A context manager; closing it leaves the file open.

    Attributes:
        size: size of the file in bytes.
    """

    def __init__(self, file: IO[bytes], members: Mapping[str, bool], *, swelling: int) -> None:
        """Open a zip and check it.

        Args:
            file: seekable; read only while the archive is open.
            members: the allowed names, and whether each member may be deflated.
            swelling: maximum total size of the deflated members in bytes.

        Raises:
            ValueError: it is not a zip, or fails a check; the message is one line with the reason.
        """
        self.size = file.seek(0, os.SEEK_END)
        _check_end(file, self.size, len(members))
        try:
            self._zip = zipfile.ZipFile(file)
            self._members = _checked(self._zip, members, swelling)
            _check_places(file, self._zip)
        except (zipfile.BadZipFile, NotImplementedError, struct.error, EOFError) as error:
            raise ValueError(f"it is not a readable zip: {error}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def __contains__(self, name: object) -> bool:
        return name in self._members

    def bytes_of(self, name: str) -> int:
        """Return the unpacked size of a member in bytes.

        Raises:
            ValueError: there is no such member.
        """
        return self._member(name).file_size

    def open(self, name: str) -> IO[bytes]:
        """Open a member as a stream that never returns more than `bytes_of` bytes and checks the CRC at its end.

        Raises:
            ValueError: there is no such member.
        """
        return io.BufferedReader(self._zip.open(self._member(name)))  # type: ignore[type-var]  # it has readinto

    def _member(self, name: str) -> zipfile.ZipInfo:
        try:
            return self._members[name]
        except KeyError:
            raise ValueError(f"it has no {name}") from None


def _check_end(file: IO[bytes], size: int, most: int) -> None:
    """Check the size of the directory: `zipfile` reads all of it, and creates an object for each entry."""
    end = _at(file, size - _END, _END)
    if end[:4] != b"PK\x05\x06" or end[-2:] != b"\0\0":
        raise ValueError("it does not end like a zip")
    _, _, _, entries, directory, _, _ = struct.unpack("<4H2LH", end[4:])
    locator = _at(file, size - _END - _LOCATOR, _LOCATOR)
    if locator[:4] == b"PK\x06\x07":
        place = size - _END - _LOCATOR - _END64
        end64 = _at(file, place, _END64)
        (stated,) = struct.unpack("<Q", locator[8:16])
        if end64[:4] != b"PK\x06\x06" or stated != place:
            raise ValueError("it does not end like a large zip (zip64)")
        _, entries, directory, _ = struct.unpack("<4Q", end64[24:])
    if entries > most or directory > most * LARGEST_ENTRY:
        raise ValueError(
            f"its directory lists {entries:,} members in {directory:,} bytes; at most {most} are expected"
        )


def _at(file: IO[bytes], place: int, count: int) -> bytes:
    if place < 0:
        return b"\0" * count
    file.seek(place)
    return file.read(count).ljust(count, b"\0")


def _checked(
    archive: zipfile.ZipFile, members: Mapping[str, bool], swelling: int
) -> dict[str, zipfile.ZipInfo]:
    found: dict[str, zipfile.ZipInfo] = {}
    deflated = 0
    for member in archive.infolist():
        name = member.orig_filename
        if name not in members:
            raise ValueError(f"it holds {shown(name)}, which is not expected there")
        if name in found:
            raise ValueError(f"it holds {name} twice")
        if member.flag_bits & 0x1:
            raise ValueError(f"{name} is encrypted")
        if member.compress_type == zipfile.ZIP_DEFLATED and members[name]:
            deflated += member.file_size
        elif member.compress_type != zipfile.ZIP_STORED:
            raise ValueError(
                f"{name} is compressed by a method that is not allowed there ({member.compress_type})"
            )
        elif member.file_size != member.compress_size:
            raise ValueError(f"{name} has {member.compress_size:,} bytes but declares {member.file_size:,}")
        found[name] = member
    if deflated > swelling:
        raise ValueError(f"it would unpack to {deflated:,} bytes; at most {swelling:,} are allowed")
    return found


def _check_places(file: IO[bytes], archive: zipfile.ZipFile) -> None:
    """Check that each member is stored before the directory, and that no two members overlap."""
    end = 0
    for member in sorted(archive.infolist(), key=lambda one: one.header_offset):
        header = _at(file, member.header_offset, _LOCAL)
        name, extra = struct.unpack("<2H", header[26:])
        if member.header_offset < end:
            raise ValueError(f"{member.filename} overlaps another member")
        end = member.header_offset + _LOCAL + name + extra + member.compress_size
        if end > archive.start_dir:
            raise ValueError(f"{member.filename} declares more bytes than the file has")
