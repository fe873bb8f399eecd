"""Reads one open snapshot: its games, names, filters and vectors."""

from __future__ import annotations

import json
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steamdino.errors import SnapshotError
from steamdino.gallery import layout
from steamdino.index import facets, index_registry, name_search
from steamdino.index.exact import ExactIndex
from steamdino.index.facet_columns import FacetColumns
from steamdino.index.listed_index import ListedIndex
from steamdino.index.manifest import GAMES, VECTORS, WHITENING, Manifest
from steamdino.index.name_folding import fold
from steamdino.index.neighbour_lists import NeighbourLists
from steamdino.index.vector_index import Index
from steamdino.records import Filter, Game
from steamdino.storage.location import Location
from steamdino.wellformed import is_sha256, names_a_path, shown

UNKNOWN_REASON = "its picture could not be read"
"""Replaces a reason that names a path of the machine on which an older program built the snapshot."""
_PAGE = 1000
"""Rows that are read at a time when all of them are read."""


class SnapshotReader:
    """An open snapshot. Threads may share it.

    Its SQLite connections stay open as long as it is used, since the files may be pruned meanwhile: one for filters,
    which may read all games, and one for everything else, which does not wait for them. A lock lets one thread use a
    connection at a time: Python caches prepared statements and releases the GIL between binding and running one, so two
    threads that start the same statement at the same moment could get each other's rows.

    Attributes:
        folder: the snapshot's folder.
        manifest: its metadata.
        index: its search index.
        without: the library that the snapshot's own index needs and that is not installed; None if there is none. All
            rows are compared instead.
    """

    def __init__(self, folder: Path, *, exact: bool = False) -> None:
        """Open a snapshot's folder.

        Args:
            folder: the snapshot's.
            exact: compare all rows, whatever index and lists of neighbours the snapshot has.

        Raises:
            FileNotFoundError: a file is missing; the snapshot was pruned meanwhile.
            SnapshotError: it is damaged.
        """
        self.folder = folder
        self.manifest = Manifest.read(folder)
        for name, facts in self.manifest.files.items():
            size = (folder / name).stat().st_size
            if size != facts["bytes"]:
                raise SnapshotError(
                    f"{folder / name} has {size:,} bytes and should have {facts['bytes']:,};"
                    " build the snapshot again with: steam-dino build --rebuild"
                )
        try:
            vectors = np.load(folder / VECTORS, mmap_mode="r", allow_pickle=False)
        except ValueError as error:
            raise SnapshotError(
                f"{folder / VECTORS} is damaged ({error}); run: steam-dino build --rebuild"
            ) from None
        # A plain view, since every operation on a memmap pays for its being a subclass.
        vectors = vectors.view(np.ndarray)
        self.index: Index = ExactIndex(vectors)
        self.without: str | None = None
        try:
            if not exact:
                self.index = index_registry.INDEXES[self.manifest.index].open(folder, vectors)
        except ImportError as error:
            self.without = error.name
        except ValueError as error:
            raise SnapshotError(
                f"the search index in {folder} is damaged ({error}); run: steam-dino build --rebuild"
            ) from None
        if self.manifest.neighbours and not exact:
            try:
                lists = NeighbourLists.open(folder, self.manifest.games, self.manifest.neighbours)
            except ValueError as error:
                raise SnapshotError(
                    f"the neighbours in {folder} are damaged ({error}); run: steam-dino build --rebuild"
                ) from None
            self.index = ListedIndex(self.index, lists)
        address = f"{(folder / GAMES).absolute().as_uri()}?mode=ro&immutable=1"
        self._db, self._filters = (
            sqlite3.connect(address, uri=True, check_same_thread=False) for _ in range(2)
        )
        weakref.finalize(self, _close, self._db, self._filters)
        self._using, self._filtering = threading.Lock(), threading.Lock()
        gallery = layout.absolute(folder).parents[2]  # if it still lies in one
        if gallery.is_symlink():
            beside = "SELECT picture FROM games WHERE picture GLOB '../*' LIMIT 1"
            gallery = layout.base(gallery, [place for (place,) in self._query(beside)])
        self._root = str(gallery)

    @property
    def vectors(self) -> NDArray[np.float32]:
        """All vectors: float32, shape (games, dim), unit rows; mapped from the file, read-only."""
        return self.index.vectors

    @property
    def whitening(self) -> Path | None:
        """The file of the whitening that was learned on the gallery; None if the recipe has no such whitening."""
        return self.folder / WHITENING if WHITENING in self.manifest.files else None

    @cached_property
    def ids(self) -> list[str]:
        """The id of each row."""
        return [key for (key,) in self._query("SELECT id FROM games ORDER BY row")]

    @cached_property
    def sha256s(self) -> list[str]:
        """The sha256 of each row's picture.

        Raises:
            SnapshotError: one of them is not a sha256.
        """
        return [self._checked(content) for (content,) in self._query("SELECT sha256 FROM games ORDER BY row")]

    def every_sha256(self) -> Iterator[str]:
        """Yield the sha256 of each row's picture, without holding all of them as `sha256s` does.

        Raises:
            SnapshotError: one of them is not a sha256.
        """
        for start in range(0, self.manifest.games, _PAGE):
            sql = "SELECT sha256 FROM games WHERE row >= ? ORDER BY row LIMIT ?"
            yield from (self._checked(content) for (content,) in self._query(sql, start, _PAGE))

    def row(self, game_id: str) -> int | None:
        """The row of an id; None if there is none."""
        found = self._query("SELECT row FROM games WHERE id = ?", game_id)
        return int(found[0][0]) if found else None

    def games(self, rows: list[int]) -> list[Game]:
        """The games of rows, in their order.

        Raises:
            SnapshotError: a picture's sha256 is not one. Files are named by it, so it is checked.
        """
        found = {
            row: Game(
                game_id,
                name,
                source,
                url,
                location.path if (location := self._location(picture)) else None,
                self._checked(sha256),
                _read(columns),
                location,
            )
            for row, game_id, name, source, url, picture, sha256, columns in self._query(
                # One parameter for all rows, since SQLite allows at most 32,766 parameters.
                "SELECT row, id, name, source, url, picture, sha256, columns FROM games"
                " WHERE row IN (SELECT value FROM json_each(?))",
                json.dumps(rows),
            )
        }
        return [found[row] for row in rows]

    def every_row(self) -> Iterator[dict[str, Any]]:
        """Yield each row without its picture's path: id, name, source, url, sha256, columns (JSON)."""
        for start in range(0, self.manifest.games, _PAGE):
            for game_id, name, source, url, sha256, columns in self._query(
                "SELECT id, name, source, url, sha256, columns FROM games WHERE row >= ? ORDER BY row LIMIT ?",
                start,
                _PAGE,
            ):
                yield {
                    "id": game_id,
                    "name": name,
                    "source": source,
                    "url": url,
                    "sha256": sha256,
                    "columns": columns,
                }

    def every_absent(self) -> Iterator[dict[str, Any]]:
        """Yield each game that has no vector, with the reason."""
        for game_id, name, reason in self._query("SELECT id, name, reason FROM absent ORDER BY id"):
            yield {"id": game_id, "name": name, "reason": reason_without_path(reason)}

    def allowed(self, wanted: Filter) -> NDArray[np.bool_] | None:
        """The rows that a filter lets through: bool, shape (games,); None for all of them.

        Raises:
            SnapshotError: an older program built the snapshot, without filters.
        """
        with self._filtering:
            return facets.allowed(self._filters, wanted, self.manifest.games)

    def undated(self, wanted: Filter) -> int:
        """Count the games that a filter excludes only because their release date is unknown. Call `allowed` first."""
        with self._filtering:
            return facets.undated(self._filters, wanted, self.manifest.games)

    @property
    def dated(self) -> int | None:
        """How many games have a known release date; None if an older program built the snapshot."""
        with self._filtering:
            return facets.dated(self._filters)

    def has_column(self, name: str) -> bool:
        """Whether any game has a column. It reads games only until it finds one."""
        sql = "SELECT 1 FROM games, json_each(games.columns) WHERE key = ? LIMIT 1"
        return bool(self._query(sql, name))

    def columns(self) -> list[str]:
        """The names of the columns that any game has, sorted. It reads all games."""
        sql = "SELECT DISTINCT key FROM games, json_each(games.columns) ORDER BY key"
        return [name for (name,) in self._query(sql)]

    def tags(self) -> list[str]:
        """The tags of all games in lower case, the most frequent first."""
        return list(self._tags)

    @cached_property
    def _tags(self) -> list[str]:
        with self._filtering:
            return facets.tags(self._filters)

    @cached_property
    def facet_columns(self) -> FacetColumns:
        """The facets of all games. It reads all of them, and keeps them in memory."""
        with self._filtering:
            return FacetColumns.read(self._filters, self.manifest.games)

    def absent(self, text: str) -> tuple[str, str] | None:
        """Find a game without a vector by its id or name: its name and the reason. None if there is no such game."""
        found: list[tuple[str, str]] = self._query(
            "SELECT name, reason FROM absent WHERE id = ? OR folded = ? ORDER BY id != ? LIMIT 1",
            text,
            fold(text),
            text,
        )
        return (found[0][0], reason_without_path(found[0][1])) if found else None

    def named(self, query: str, limit: int = 10) -> list[int]:
        """Find the rows whose names match what was typed, best first."""
        with self._using:
            return name_search.find(self._db, query, limit)

    def suggested(self, query: str, limit: int = 10, mask: NDArray[np.bool_] | None = None) -> list[int]:
        """Find the rows whose names match what is being typed, best first; only those that a mask lets through."""
        with self._using:
            return name_search.suggest(self._db, query, limit, mask)

    def named_exactly(self, query: str, limit: int = 10) -> list[int]:
        """Find the rows whose name is exactly what was typed."""
        with self._using:
            return name_search.find_exact(self._db, query, limit)

    def _query(self, sql: str, *parameters: object) -> list[Any]:
        with self._using:
            try:
                return self._db.execute(sql, parameters).fetchall()
            except UnicodeEncodeError:  # a lone surrogate, which nothing stored has
                return []

    def _location(self, written: str | None) -> Location | None:
        return layout.location(written, self._root) if written else None

    def _checked(self, sha256: str) -> str:
        if not is_sha256(sha256):
            raise SnapshotError(
                f"{self.folder / GAMES} is damaged: {shown(sha256)} is not a sha256; build the snapshot again with:"
                " steam-dino build --rebuild"
            )
        return sha256


def _close(*connections: sqlite3.Connection) -> None:
    for connection in connections:
        connection.close()


def reason_without_path(reason: str) -> str:
    """Return why a game has no vector, unless that names a path of the machine that built the snapshot."""
    return UNKNOWN_REASON if names_a_path(reason) else reason


def _read(columns: str) -> dict[str, Any]:
    # Most games have no columns, and every match of a search comes through here.
    return {} if columns == "{}" else json.loads(columns)
