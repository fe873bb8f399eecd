"""Connections to a gallery's database."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from steamdino.errors import GalleryError


class GalleryConnection(sqlite3.Connection):
    """A connection that reports its use after it was closed as an error of the gallery.

    Attributes:
        gallery: the gallery's folder, for the message.
    """

    gallery = Path()
    _closed = False

    def close(self) -> None:
        """Close the connection; closing it again does nothing."""
        super().close()
        self._closed = True

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        """Run one statement.

        Raises:
            GalleryError: the connection is closed.
        """
        self._check()
        return super().execute(sql, parameters)

    def executemany(self, sql: str, parameters: Any, /) -> sqlite3.Cursor:
        """Run one statement for each of several sets of parameters. Raises as `execute`."""
        self._check()
        return super().executemany(sql, parameters)

    def _check(self) -> None:
        if self._closed:
            raise GalleryError(
                f"the gallery {self.gallery} was closed; open it again with Gallery.open, or use it before its"
                " with block ends"
            )


def connected(database: str | Path, gallery: Path, **options: Any) -> GalleryConnection:
    """Connect to the database of a gallery, in autocommit mode.

    Args:
        database: its file, or its address if `options` have ``uri=True``.
        gallery: the gallery's folder.
        options: of `sqlite3.connect`.
    """
    connection = sqlite3.connect(database, isolation_level=None, factory=GalleryConnection, **options)
    connection.gallery = gallery
    return connection
