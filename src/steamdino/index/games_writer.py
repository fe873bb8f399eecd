"""Writes the games of a snapshot, their facets, and the tables by which names are found.

What an older snapshot has of games that did not change is copied from its database, without being computed again. Rows
are numbered by rising ids, so a game's row moves when others come or go; their order stays the same.
"""

from __future__ import annotations

import sqlite3
import unicodedata
from array import array
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from steamdino.gallery.vectors import Absent, Row
from steamdino.index import facets, name_index
from steamdino.index.manifest import GAMES
from steamdino.index.name_folding import fold
from steamdino.index.name_patching import NamePatch
from steamdino.index.older_snapshot import OlderSnapshot

VERSION = 1
"""Of how names and columns are read. What an older version wrote is not copied."""

RUN = 10_000
"""Games that are copied at a time."""

_SCHEMA = """
CREATE TABLE games (
    row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, folded TEXT NOT NULL, source TEXT NOT NULL,
    url TEXT, picture TEXT, sha256 TEXT NOT NULL, columns TEXT NOT NULL
);
CREATE TABLE absent (id TEXT PRIMARY KEY, name TEXT NOT NULL, folded TEXT NOT NULL, reason TEXT NOT NULL);
CREATE INDEX absent_by_folded ON absent (folded);
CREATE TABLE computed (version TEXT NOT NULL);
"""  # facets.SCHEMA and the tables of name_index follow

_SETTINGS = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
PRAGMA cache_size = -32768;
"""  # nobody reads the file yet, a failed one is deleted, and `replace_folder` flushes it


def write_games(
    path: Path, rows: Iterable[Row], absent: Iterable[Absent], older: OlderSnapshot | None = None
) -> None:
    """Write the database of games. They are consumed one by one.

    Args:
        path: the file to write.
        rows: the games, rising by id.
        absent: games without a vector.
        older: a snapshot from which games may be copied. It is ignored if its file is damaged, or if this program would
            read names or columns in another way.
    """
    address = None if older is None or not _can_be_copied(older) else older.games
    with closing(sqlite3.connect(path, isolation_level=None, uri=True)) as db:
        db.executescript(_SETTINGS + _SCHEMA + facets.SCHEMA)
        if address is not None:
            db.execute("ATTACH ? AS before", (address,))
        db.execute("BEGIN")
        db.execute("INSERT INTO computed VALUES (?)", (_version(),))
        db.executemany(
            "INSERT INTO absent VALUES (?, ?, ?, ?)",
            ((one.id, one.name, fold(one.name), one.reason) for one in absent),
        )
        merge = patch = None
        if address is None:
            _insert(db, enumerate(rows))
            facets.fill(db, db.execute("SELECT row, columns FROM games ORDER BY row"))
        else:
            with closing(sqlite3.connect(address, uri=True)) as before:
                merge = _Merge(db, before)
                _insert(db, merge.entered(rows))
            facets.copy(db)
            facets.fill(db, merge.columns())
        db.execute("COMMIT")
        if merge is not None:
            patch = NamePatch.prepare(db, merge.new, merge.gone)
        if patch is None:
            name_index.build(db)
    if patch is not None:
        # Another connection, since this one does not notice that the full-text index was replaced.
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            db.executescript(_SETTINGS)
            patch.apply(db)


class _Merge:
    """Compares games with those of an older snapshot, copies the ones that are the same, and notes the others.

    The table ``kept (before, row)`` has the old and the new row of each game that is the same.

    Attributes:
        new: the new rows of games that are new or changed.
        gone: the old rows of games that are gone or changed.
    """

    def __init__(self, db: sqlite3.Connection, older: sqlite3.Connection) -> None:
        self._db = db
        self._older = older
        self.new, self.gone = array("q"), array("q")
        db.execute("CREATE TEMP TABLE kept (before INTEGER PRIMARY KEY, row INTEGER NOT NULL)")

    def entered(self, rows: Iterable[Row]) -> Iterator[tuple[int, Row]]:
        """Yield the games that are new or changed with their rows, and copy the others meanwhile."""
        old = iter(
            self._older.execute(
                "SELECT id, name, source, url, picture, sha256, columns FROM games ORDER BY row"
            )
        )
        known: tuple[Any, ...] | None = next(old, None)
        before = first = 0  # those from `first` to `before` are the same, and not copied yet
        row = -1
        for row, game in enumerate(rows):
            if known == game:
                known = next(old, None)
                before += 1
                if before - first == RUN:
                    first = self._copy(first, before, row + 1)
                continue
            self._copy(first, before, row)
            while known is not None and known[0] <= game[0]:
                same = known == game
                if same:
                    break
                self.gone.append(before)
                known = next(old, None)
                before += 1
            first = before
            if known is not None and known == game:
                known = next(old, None)
                before += 1
                continue
            self.new.append(row)
            yield row, game
        self._copy(first, before, row + 1)
        while known is not None:
            self.gone.append(before)
            known = next(old, None)
            before += 1

    def columns(self) -> Iterator[tuple[int, str]]:
        """Yield the columns of the games that are new or changed, with their rows."""
        for row in self.new:
            yield row, self._db.execute("SELECT columns FROM games WHERE row = ?", (row,)).fetchone()[0]

    def _copy(self, first: int, end: int, row: int) -> int:
        """Copy games from an old row to before another, so that they end before a new row; return `end`."""
        if end > first:
            shift = row - end
            self._db.execute(
                "INSERT INTO games SELECT row + ?, id, name, folded, source, url, picture, sha256, columns"
                " FROM before.games WHERE row BETWEEN ? AND ?",
                (shift, first, end - 1),
            )
            self._db.executemany(
                "INSERT INTO kept VALUES (?, ?)",
                zip(range(first, end), range(first + shift, row), strict=True),
            )
        return end


def _insert(db: sqlite3.Connection, games: Iterable[tuple[int, Row]]) -> None:
    db.executemany(
        "INSERT INTO games VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (row, one.id, one.name, fold(one.name), one.source, one.url, one.picture, one.sha256, one.columns)
            for row, one in games
        ),
    )


def _can_be_copied(older: OlderSnapshot) -> bool:
    if not older.is_intact(GAMES):
        return False
    try:
        with closing(sqlite3.connect(older.games, uri=True)) as db:
            (version,) = db.execute("SELECT version FROM computed").fetchone()
    except (sqlite3.Error, TypeError):  # an older program wrote it
        return False
    return bool(version == _version())


def _version() -> str:
    """What names and columns are read with. Another Unicode folds some names to other words."""
    return f"{VERSION} {name_index.VERSION} {unicodedata.unidata_version}"
