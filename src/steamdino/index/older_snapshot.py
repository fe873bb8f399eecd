"""The snapshot before the one that is written: which of its files are intact, and where it has each game."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from steamdino.errors import SnapshotError
from steamdino.index.manifest import GAMES, VECTORS, Manifest

_LISTED = "SELECT id, sha256 FROM games ORDER BY row"


class Before(NamedTuple):
    """Where an older snapshot has each game of a newer one.

    Attributes:
        rows: int32, shape (games,): the older row of the game with the same id, or -1.
        same_picture: bool, shape (games,): whether it shows the same picture there.
    """

    rows: NDArray[np.int32]
    same_picture: NDArray[np.bool_]


class OlderSnapshot:
    """A snapshot whose parts may be reused by the next one. Each file is read through for its SHA-256 only once.

    Attributes:
        folder: its folder.
        manifest: its manifest.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        """Take a snapshot."""
        self.folder, self.manifest = folder, manifest
        self._checked: dict[str, bool] = {}
        self._before: Before | None = None

    @classmethod
    def of(cls, folder: Path | None) -> Self | None:
        """Take the snapshot in a folder; None if there is none, or its manifest is damaged."""
        if folder is None:
            return None
        try:
            return cls(folder, Manifest.read(folder))
        except (OSError, SnapshotError):
            return None

    @property
    def games(self) -> str:
        """The address of its database, for SQLite."""
        return f"{(self.folder / GAMES).absolute().as_uri()}?mode=ro&immutable=1"

    def is_intact(self, *names: str) -> bool:
        """Whether it has all of some files, just as they were written."""
        for name in names:
            if name not in self._checked:
                try:
                    self._checked[name] = self.manifest.describes(name, self.folder)
                except (OSError, KeyError):
                    self._checked[name] = False
        return all(self._checked[name] for name in names)

    def vectors(self, dim: int) -> NDArray[np.float32] | None:
        """Map its vectors: float32, shape (games, dim); None if there are no such ones. They are not checked."""
        try:
            mapped = np.load(self.folder / VECTORS, mmap_mode="r", allow_pickle=False).view(np.ndarray)
        except (OSError, ValueError):
            return None
        fits = mapped.dtype == np.float32 and mapped.shape == (self.manifest.games, dim)
        return mapped if fits else None

    def before(self, db: sqlite3.Connection) -> Before:
        """Find the games of a newer snapshot in this one. Its database must be intact.

        Both list their games by rising ids. Where they do not, fewer are found.

        Args:
            db: with the table ``games`` of the newer snapshot, which is always the same one: it is searched once.
        """
        if self._before is None:
            self._before = self._found(db)
        return self._before

    def _found(self, db: sqlite3.Connection) -> Before:
        (count,) = db.execute("SELECT count(*) FROM games").fetchone()
        found = Before(np.full(count, -1, np.int32), np.zeros(count, np.bool_))
        with closing(sqlite3.connect(self.games, uri=True)) as older:
            remaining: Iterator[tuple[int, tuple[str, str]]] = enumerate(older.execute(_LISTED))
            row, known = next(remaining, (0, None))
            for new_row, game in enumerate(db.execute(_LISTED)):
                while known is not None and known[0] < game[0]:
                    row, known = next(remaining, (0, None))
                if known is None:
                    break
                if known[0] == game[0]:
                    found.rows[new_row] = row
                    found.same_picture[new_row] = known == game
        return found
