"""Read pictures from a tar, tar.gz or zip archive, member by member, without unpacking any file to disk.

A member's name is used only for its id. Members that could do harm (paths that leave the archive or are absolute,
links, devices, members of a huge declared size, decompression bombs) are reported as problems and not read.
"""

from __future__ import annotations

import re
import tarfile
import zipfile
import zlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path, PurePath, PurePosixPath
from typing import IO

try:
    from lzma import LZMAError
except ImportError:  # a Python without liblzma decodes no LZMA
    LZMAError = EOFError  # type: ignore[misc,assignment]

from steamdino.catalogue.folder import printable
from steamdino.catalogue.ids import refusal
from steamdino.catalogue.skipping import Patterns, Skipped
from steamdino.catalogue.source_file import SourceFile
from steamdino.errors import SourceError
from steamdino.picture_formats import SUFFIXES
from steamdino.records import Entry, Problem

ENDINGS = (".tar", ".tar.gz", ".tgz", ".zip")
LARGEST_MEMBER = 64 << 20  # bytes, the same as for a picture file
MAX_RATIO = 200  # largest ratio of unpacked to packed size; pictures hardly shrink further
HARMLESS = 1 << 30  # bytes that an archive may unpack to whatever the ratio

Member = tuple[str, int, str, IO[bytes] | None]
"""A member's name, its size in bytes, why it cannot be read ("" if it can), and its content."""


def is_archive(path: PurePath) -> bool:
    """Return whether a file has the suffix of an archive."""
    return path.name.lower().endswith(ENDINGS)


def read(
    path: Path | SourceFile,
    *,
    by_name: bool = False,
    prefix: str = "",
    exclude: Sequence[str] = (),
    skipped: Skipped | None = None,
) -> Iterator[Entry | Problem]:
    """Read an archive from start to end, with one picture in memory at a time.

    Args:
        path: the archive. Members without a picture's suffix are skipped.
        by_name: use the file name alone as the id, not the path.
        prefix: put before each id.
        exclude, skipped: as for `folder.scan`.

    Yields:
        an Entry with its content for each picture, a Problem for each picture that cannot be used.

    Raises:
        SourceError: it is not an archive, or not of the kind that its suffix says.
        UsageError: a pattern cannot be understood.
    """
    taken: dict[str, str] = {}
    skipped = Skipped() if skipped is None else skipped
    patterns = Patterns.given(Path(), exclude)
    source = path if isinstance(path, SourceFile) else SourceFile(path)
    members = _zip(source) if source.path.name.lower().endswith(".zip") else _tar(source)
    with closing(members):
        for found in members:
            if isinstance(found, Problem):
                yield found
                continue
            name, size, reason, content = found
            member = PurePosixPath(name)
            if any(part.startswith(".") for part in member.parts if part != "..") or any(
                map(skipped.is_junk, member.parts)
            ):
                continue
            if member.suffix.lower() not in SUFFIXES:
                skipped.count_unread(member.suffix)
                continue
            if not member.is_absolute() and _is_excluded(patterns, Path(name)):
                skipped.excluded += 1
                continue
            where = printable(name)
            game_id = prefix + (member.stem if by_name else member.as_posix()[: -len(member.suffix)])
            if not by_name and taken.get(game_id, where) != where:
                game_id += member.suffix
            reason = reason or _unsafe(name) or refusal(game_id) or ""
            if reason:
                yield Problem(where, reason, printable(game_id))
            elif game_id in taken:
                yield Problem(where, f"its id {game_id!r} is already used by {taken[game_id]}", game_id)
            elif size > LARGEST_MEMBER or content is None:
                taken[game_id] = where
                yield Problem(where, f"it has {size:,} bytes; at most {LARGEST_MEMBER:,} are read", game_id)
            else:
                taken[game_id] = where
                try:
                    data = content.read(LARGEST_MEMBER + 1)
                except (
                    OSError,
                    EOFError,
                    zlib.error,
                    LZMAError,
                    zipfile.BadZipFile,
                    tarfile.TarError,
                    NotImplementedError,
                ) as error:
                    yield Problem(where, f"it cannot be read: {str(error) or type(error).__name__}", game_id)
                    continue
                if len(data) > LARGEST_MEMBER:
                    yield Problem(
                        where,
                        f"it has more than {LARGEST_MEMBER:,} bytes, although it declares fewer",
                        game_id,
                    )
                else:
                    yield Entry(game_id, member.stem, source.member(where), where, data=data)


def _is_excluded(patterns: Patterns, path: Path) -> bool:
    folders = [parent for parent in path.parents if parent.name]
    return any(patterns.exclude(one, is_folder=one != path) for one in (*folders, path))


def _unsafe(name: str) -> str | None:
    parts = re.split(r"[/\\]", name)
    if ".." in parts:
        return "its path leaves the archive"
    if name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name):
        return "its path is absolute"
    if "\\" in name:
        return "its path contains a backslash"
    return None


def _tar(source: SourceFile) -> Generator[Member | Problem, None, None]:
    with source.path.open("rb") as raw:
        try:
            # Read as a stream, forwards only, so that memory holds one member at a time.
            archive = tarfile.open(fileobj=raw, mode="r|*")  # noqa: SIM115 (closed below)
        except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
            raise SourceError(f"{source} is not a readable tar archive: {error}") from None
        with archive:
            while True:
                try:
                    member = archive.next()
                except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError) as error:
                    yield Problem("the archive", f"it is damaged: {error}; only what came before was read")
                    return
                if member is None:
                    return
                archive.members = []  # type: ignore[attr-defined]  # tarfile would keep a record of every member
                if member.isdir():
                    continue
                if not member.isfile():
                    yield member.name, 0, "it is a link or a device, not a file", None
                    continue
                grown = archive.offset > max(HARMLESS, MAX_RATIO * raw.tell())
                if member.size > LARGEST_MEMBER or grown:
                    # Skipping the member would decompress it, which is what a decompression bomb relies on.
                    yield Problem(
                        printable(member.name),
                        "it looks like a decompression bomb; the rest of the archive was not read",
                    )
                    return
                yield member.name, member.size, "", archive.extractfile(member)


def _zip(source: SourceFile) -> Generator[Member | Problem, None, None]:
    try:
        archive = zipfile.ZipFile(source.path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise SourceError(f"{source} is not a readable zip archive: {error}") from None
    read_bytes = 0
    with archive:
        for member in archive.infolist():
            if not member.filename or member.is_dir():  # is_dir() fails on an empty name
                continue
            mode = member.external_attr >> 16
            if mode and (mode & 0o170000) not in (0, 0o100000):
                yield member.filename, 0, "it is a link or a device, not a file", None
                continue
            if member.file_size > LARGEST_MEMBER:
                yield member.filename, member.file_size, "", None
                continue
            read_bytes += member.file_size
            if read_bytes > max(HARMLESS, MAX_RATIO * source.path.stat().st_size):
                yield Problem(
                    "the archive", "it looks like a decompression bomb; the rest of it was not read"
                )
                return
            try:
                content = archive.open(member)
            except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, ValueError) as error:
                yield member.filename, 0, f"it cannot be read: {error}", None
                continue
            with content:
                yield member.filename, member.file_size, "", content
