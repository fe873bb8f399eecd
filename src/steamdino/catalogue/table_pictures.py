"""What the paths of pictures in a table mean: files below its folder, objects below its prefix, or addresses."""

from __future__ import annotations

import os
import posixpath
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from unicodedata import normalize

from steamdino.catalogue.source_file import SourceFile
from steamdino.errors import PictureError
from steamdino.net.web_picture import WebPicture, WebServers
from steamdino.storage.location import LocalFile, Location, of_address
from steamdino.storage.object_client import split
from steamdino.storage.object_store import StoredObject
from steamdino.wellformed import is_https

OUTSIDE = "its path leads outside the table's folder; allow that with --allow-outside"


class TableFolder(Protocol):
    """The folder that a table's paths are relative to."""

    def picture(self, written: str) -> Location:
        """Return the picture that a path means.

        Raises:
            PictureError: it must not, or cannot, be followed.
        """


def folder_of(table: SourceFile, *, outside: bool) -> TableFolder:
    """Return the folder of a table.

    Args:
        table: as it is read.
        outside: allow pictures outside the folder (a table from a stranger could name any file).
    """
    if table.address is None:
        return _LocalFolder(table.path.parent.absolute(), outside)
    return _Prefix(*split(table.address.rpartition("/")[0]), outside)


def picture(folder: TableFolder, written: str, web: WebServers) -> Location:
    """Return the picture that a cell means: an address as it is, a path relative to the table's folder.

    Args:
        folder: as `folder_of` returns it.
        written: the cell.
        web: how pictures on web servers are requested.

    Raises:
        PictureError: as for `TableFolder.picture`.
    """
    if (location := of_address(written)) is not None:
        return location
    scheme = written.partition("://")[0].lower()
    if scheme == "https":
        if not is_https(written):
            raise PictureError(
                "its address is not a valid one of a public server; quote other characters as %20"
            )
        return WebPicture(f"https{written[len(scheme) :]}", web)
    if scheme == "http" and "://" in written:
        raise PictureError("its address begins with http://; only https:// is fetched")
    if "\0" in written:
        raise PictureError("its path contains a NUL byte")
    return folder.picture(written)


@dataclass(frozen=True, slots=True)
class _LocalFolder:
    path: Path
    outside: bool

    def picture(self, written: str) -> Location:
        found = self._spelled(written)
        try:
            inside = self.outside or found.resolve().is_relative_to(self.path.resolve())
        except (OSError, RuntimeError):  # a loop of links raises RuntimeError before Python 3.13
            raise PictureError("its path cannot be followed: it is too long, or a loop of links") from None
        if not inside:
            raise PictureError(OUTSIDE)
        return LocalFile(found)

    def _spelled(self, written: str) -> Path:
        """Return the file that a path means.

        Spreadsheets on Windows write backslashes, and macOS writes accents as characters of their own. Another spelling
        is taken only if there is no file of the one that was written.
        """
        if written.isascii() and "\\" not in written:  # as nearly all are: there is no other spelling
            return self.path / written
        for one in dict.fromkeys((written, *(normalize(form, written) for form in ("NFC", "NFD")))):
            for spelling in dict.fromkeys((one, one.replace("\\", "/"))):
                with suppress(OSError, ValueError):
                    if os.path.lexists(self.path / spelling):
                        return self.path / spelling
        return self.path / written


@dataclass(frozen=True, slots=True)
class _Prefix:
    """A prefix of a bucket. Whether an object of another spelling exists is not asked: that would be a request each."""

    root: str
    prefix: str
    outside: bool

    def picture(self, written: str) -> Location:
        if written.startswith(("/", "\\")) or re.match(r"[A-Za-z]:[/\\]", written):
            raise PictureError(
                "its path is one of a machine, and the table is in object storage; write it relative to the table, or"
                " as an address"
            )
        key = posixpath.normpath(posixpath.join(self.prefix, written.replace("\\", "/")))
        if key.startswith("../") or key in ("..", "."):
            raise PictureError(f"its path leads outside {self.root}")
        if not self.outside and self.prefix and not key.startswith(f"{self.prefix}/"):
            raise PictureError(OUTSIDE)
        return StoredObject(f"{self.root}/{key}")
