"""A zip whose members are known beforehand, checked against the file's size before anything is read.

`zipfile` believes what a file says of itself. Here a file is refused whose directory is larger than its members need,
that holds members which nobody asked for, twice, encrypted, or in the same place as others, and whose members claim
more bytes than the file can hold. So what a member says of its size may be believed.
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
"""Bytes of the directory for each member; a name, and the extra field that large files need, take about 100."""

_END, _END64, _LOCATOR, _LOCAL = 22, 56, 20, 30  # bytes of the records


class CheckedZip:
    """An open zip whose structure was checked. A context manager; closing it leaves the file open.

    Attributes:
        size: bytes of the file.
    """

    def __init__(self, file: IO[bytes], members: Mapping[str, bool], *, swelling: int) -> None:
        """Opens a zip.

        Args:
            file: seekable; read only while the archive is open.
            members: the names that may be in it, and whether each may be deflated.
            swelling: the most bytes that the deflated members may have together.

        Raises:
            ValueError: it is no zip, or not such a zip; one line that says why.
        """
        self.size = file.seek(0, os.SEEK_END)
        _check_end(file, self.size, len(members))
        try:
            self._zip = zipfile.ZipFile(file)
            self._members = _checked(self._zip, members, swelling)
            _check_places(file, self._zip)
        except (zipfile.BadZipFile, NotImplementedError, struct.error, EOFError) as error:
            raise ValueError(f"it is not a zip that can be read: {error}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    def __contains__(self, name: object) -> bool:
        return name in self._members

    def bytes_of(self, name: str) -> int:
        """How many bytes a member has when it is unpacked.

        Raises:
            ValueError: there is none of that name.
        """
        return self._member(name).file_size

    def open(self, name: str) -> IO[bytes]:
        """A member's content as a stream that never gives more than `bytes_of`, and checks the CRC at its end.

        Raises:
            ValueError: there is none of that name.
        """
        return io.BufferedReader(self._zip.open(self._member(name)))  # type: ignore[type-var]  # it has readinto

    def _member(self, name: str) -> zipfile.ZipInfo:
        try:
            return self._members[name]
        except KeyError:
            raise ValueError(f"it has no {name}") from None


def _check_end(file: IO[bytes], size: int, most: int) -> None:
    """Checks the size of the directory: `zipfile` reads it as a whole, and makes an object for each entry."""
    end = _at(file, size - _END, _END)
    if end[:4] != b"PK\x05\x06" or end[-2:] != b"\0\0":
        raise ValueError("it does not end as a zip does")
    _, _, _, entries, directory, _, _ = struct.unpack("<4H2LH", end[4:])
    locator = _at(file, size - _END - _LOCATOR, _LOCATOR)
    if locator[:4] == b"PK\x06\x07":
        place = size - _END - _LOCATOR - _END64
        end64 = _at(file, place, _END64)
        (stated,) = struct.unpack("<Q", locator[8:16])
        if end64[:4] != b"PK\x06\x06" or stated != place:
            raise ValueError("it does not end as a large zip does")
        _, entries, directory, _ = struct.unpack("<4Q", end64[24:])
    if entries > most or directory > most * LARGEST_ENTRY:
        raise ValueError(
            f"its directory lists {entries:,} members in {directory:,} bytes; at most {most} belong there"
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
            raise ValueError(f"it holds {shown(name)}, which does not belong there")
        if name in found:
            raise ValueError(f"it holds {name} twice")
        if member.flag_bits & 0x1:
            raise ValueError(f"{name} is encrypted")
        if member.compress_type == zipfile.ZIP_DEFLATED and members[name]:
            deflated += member.file_size
        elif member.compress_type != zipfile.ZIP_STORED:
            raise ValueError(
                f"{name} is compressed in a way that does not belong there ({member.compress_type})"
            )
        elif member.file_size != member.compress_size:
            raise ValueError(f"{name} has {member.compress_size:,} bytes and claims {member.file_size:,}")
        found[name] = member
    if deflated > swelling:
        raise ValueError(f"it would unpack to {deflated:,} bytes; at most {swelling:,} are possible")
    return found


def _check_places(file: IO[bytes], archive: zipfile.ZipFile) -> None:
    """Checks that each member lies before the directory, and that no two lie in one place."""
    end = 0
    for member in sorted(archive.infolist(), key=lambda one: one.header_offset):
        header = _at(file, member.header_offset, _LOCAL)
        name, extra = struct.unpack("<2H", header[26:])
        if member.header_offset < end:
            raise ValueError(f"{member.filename} lies in the same place as another member")
        end = member.header_offset + _LOCAL + name + extra + member.compress_size
        if end > archive.start_dir:
            raise ValueError(f"{member.filename} claims more bytes than the file has")
