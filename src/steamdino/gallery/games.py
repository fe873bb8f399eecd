"""Sources and games, as rows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from steamdino.gallery import layout
from steamdino.gallery.clock import now
from steamdino.gallery.recording import record_return
from steamdino.gallery.relocation import move_source
from steamdino.gallery.revision import bump, revision
from steamdino.records import Entry
from steamdino.storage.location import Location


@dataclass(frozen=True, slots=True)
class KnownGame:
    """What the gallery holds about a game of a source, used to find what a scan changed.

    Attributes:
        name, columns: as stored; columns is JSON text.
        gone: whether the last scan did not find it.
        origin, size, mtime_ns, ctime_ns, sha256: the banner's; None, 0, 0, 0 and None without a banner.
        copy: the gallery's own copy of the picture; None if the gallery links to the original file.
    """

    name: str
    columns: str
    gone: bool
    origin: Location | None
    size: int
    mtime_ns: int
    ctime_ns: int
    sha256: str | None
    copy: Location | None


@dataclass(frozen=True, slots=True)
class Source:
    """The origin of games: a folder, a table, an archive or a store.

    Attributes:
        id: the row's key.
        name: the name shown to people; unique.
        steam: whether its ids are appIDs.
    """

    id: int
    name: str
    steam: bool


class Games:
    """The catalogue's tables. Call every method that writes inside `Gallery.transaction`."""

    def __init__(self, connection: sqlite3.Connection, root: Path) -> None:
        self._db = connection
        self._root = root

    @property
    def revision(self) -> int:
        """The catalogue's revision, which grows with every change that a snapshot would show."""
        return revision(self._db)

    def put_store(self, name: str, address: str) -> Source:
        """Find or create the source of a store; its ids are appIDs."""
        self._db.execute(
            "INSERT INTO sources (name, kind, location, steam, added_at) VALUES (?, 'store', ?, 1, ?)"
            " ON CONFLICT (location) DO NOTHING",
            (self._free_name(name), address, now()),
        )
        row = self._db.execute(
            "SELECT source_id, name FROM sources WHERE location = ?", (address,)
        ).fetchone()
        return Source(row[0], row[1], True)

    def put_source(self, kind: str, location: Path | str, *, steam: bool) -> Source:
        """Find or create the source at a location; a taken name gets a number appended.

        Args:
            kind: "folder", "table", "archive" or "objects".
            location: its path, however it is spelled, or its address in object storage.
            steam: whether its ids are appIDs.
        """
        for key, name, written, was_steam in self._db.execute(
            "SELECT source_id, name, location, steam FROM sources WHERE kind != 'store'"
        ).fetchall():
            if not _is_same(layout.source_location(written, self._root), location):
                continue
            if steam != bool(was_steam):
                self._db.execute("UPDATE sources SET steam = ? WHERE source_id = ?", (steam, key))
                bump(self._db)
            return Source(key, name, steam)
        name = self._free_name(PurePosixPath(location).name or "pictures")
        cursor = self._db.execute(
            "INSERT INTO sources (name, kind, location, steam, added_at) VALUES (?, ?, ?, ?, ?)",
            (
                name,
                kind,
                location if isinstance(location, str) else layout.portable(location, self._root),
                steam,
                now(),
            ),
        )
        assert cursor.lastrowid is not None  # noqa: S101 (sqlite3 types it so; an INSERT always has one)
        return Source(cursor.lastrowid, name, steam)

    def move_source(self, old: str, new: Path | str, kind: str) -> None:
        """Write down that a source has moved; see `relocation.move_source`."""
        move_source(self._db, self._root, old, new, kind)

    def has_source(self, location: Path | str) -> bool:
        """Whether something was added from a location before."""
        return any(
            _is_same(layout.source_location(written, self._root), location)
            for (written,) in self._db.execute("SELECT location FROM sources WHERE kind != 'store'")
        )

    def added_from(self, sha256: str) -> Iterator[tuple[Path, Path, bool]]:
        """Yield from where a picture was added: its file, its source, and whether the source is a table."""
        for origin, source, kind in self._db.execute(
            "SELECT origin, location, sources.kind FROM banners JOIN games USING (game_id)"
            " JOIN sources USING (source_id) WHERE sha256 = ? AND sources.kind IN ('folder', 'table')",
            (sha256,),
        ).fetchall():
            place = layout.location(origin, str(self._root)).path
            if place is not None:
                yield place, layout.located(source, str(self._root)), kind == "table"

    def _free_name(self, wanted: str) -> str:
        taken = {name for (name,) in self._db.execute("SELECT name FROM sources")}
        name, number = wanted, 2
        while name in taken:
            name, number = f"{wanted}-{number}", number + 1
        return name

    def known(self, source: Source, game_ids: Iterable[str]) -> dict[str, KnownGame]:
        """Return those of the given games that a source has, by id, including missing ones."""
        rows = self._db.execute(
            "SELECT games.game_id, name, columns, gone_at IS NOT NULL, origin, path, size, mtime_ns, ctime_ns, sha256"
            " FROM games LEFT JOIN banners ON banners.game_id = games.game_id AND kind = 'vertical'"
            # The plus keeps SQLite from reading all games of the source: it would choose the index of sources.
            " WHERE +source_id = ? AND games.game_id IN (SELECT value FROM json_each(?))",
            (source.id, json.dumps(list(game_ids))),
        )
        return {
            key: KnownGame(
                name,
                columns,
                bool(gone),
                None if origin is None else layout.location(origin, str(self._root)),
                size or 0,
                mtime_ns or 0,
                ctime_ns or 0,
                sha256,
                None if path == origin else layout.location(path, str(self._root)),
            )
            for key, name, columns, gone, origin, path, size, mtime_ns, ctime_ns, sha256 in rows
        }

    def places_with_suffix(self, source: Source, suffixes: Iterable[str]) -> dict[str, Location | None]:
        """Return where the pictures were whose ids end in one of some suffixes, by id, also of missing games."""
        wanted = tuple(suffixes)
        rows = self._db.execute(
            "SELECT game_id, origin FROM games JOIN banners USING (game_id)"
            " WHERE source_id = ? AND kind = 'vertical' AND instr(game_id, '.')",
            (source.id,),
        )
        return {
            key: layout.location(origin, str(self._root))
            for key, origin in rows
            if origin is not None and key.lower().endswith(wanted)
        }

    def folder_of(self, source_id: int) -> tuple[str, Path] | None:
        """Return the name and the folder of a source; None if the source is not a folder."""
        row = self._db.execute(
            "SELECT name, location FROM sources WHERE source_id = ? AND kind = 'folder'", (source_id,)
        ).fetchone()
        return (row[0], layout.located(row[1], str(self._root))) if row else None

    def folders(self) -> list[Path]:
        """Return the folders that are sources."""
        rows = self._db.execute("SELECT location FROM sources WHERE kind = 'folder'")
        return [layout.located(written, str(self._root)) for (written,) in rows]

    def present(self, source: Source) -> dict[str, bool]:
        """Return the ids of a source's games that are not missing, each with whether it has a banner."""
        rows = self._db.execute(
            "SELECT games.game_id, sha256 IS NOT NULL"
            " FROM games LEFT JOIN banners ON banners.game_id = games.game_id AND kind = 'vertical'"
            " WHERE source_id = ? AND gone_at IS NULL",
            (source.id,),
        )
        return {key: bool(shown) for key, shown in rows}

    def owners(self, source: Source, game_ids: Iterable[str]) -> dict[str, str]:
        """Return those of the given ids that belong to other sources, each with its source's name."""
        return dict(
            self._db.execute(
                "SELECT game_id, sources.name FROM games JOIN sources USING (source_id)"
                " WHERE source_id != ? AND game_id IN (SELECT value FROM json_each(?))",
                (source.id, json.dumps(list(game_ids))),
            )
        )

    def foreign(self, source: Source) -> dict[str, str]:
        """Return the ids that belong to sources without appIDs, each with its source's name."""
        return dict(
            self._db.execute(
                "SELECT game_id, sources.name FROM games JOIN sources USING (source_id)"
                " WHERE source_id != ? AND steam = 0",
                (source.id,),
            )
        )

    def count(self) -> int:
        """Count all games, including missing ones."""
        return int(self._db.execute("SELECT count(*) FROM games").fetchone()[0])

    def __contains__(self, game_id: str) -> bool:
        """Return whether there is a game with this id, be it missing or not."""
        return self._db.execute("SELECT 1 FROM games WHERE game_id = ?", (game_id,)).fetchone() is not None

    def put_game(self, source: Source, entry: Entry) -> bool:
        """Add a game, or update its source, name and columns; a missing game counts as present again.

        Returns:
            whether anything changed.
        """
        record_return(self._db, entry.id)
        changed = self._db.execute(
            "INSERT INTO games (game_id, source_id, name, columns, added_at) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (game_id) DO UPDATE SET source_id = excluded.source_id,"
            " name = excluded.name, columns = excluded.columns, gone_at = NULL"
            " WHERE source_id != excluded.source_id OR name != excluded.name OR columns != excluded.columns"
            "  OR gone_at IS NOT NULL",
            (entry.id, source.id, entry.name, columns_json(entry.columns), now()),
        ).rowcount
        if changed:
            bump(self._db)
        return bool(changed)

    def mark_gone(self, game_ids: Iterable[str]) -> None:
        """Mark games that a scan of their source did not find."""
        marked = self._db.executemany(
            "UPDATE games SET gone_at = ? WHERE game_id = ? AND gone_at IS NULL",
            [(now(), key) for key in game_ids],
        ).rowcount
        if marked > 0:
            bump(self._db)

    def mark_present(self, game_ids: Iterable[str]) -> None:
        """Mark games that were missing as present again, with what was known of them."""
        for key in game_ids:
            record_return(self._db, key)
            if self._db.execute(
                "UPDATE games SET gone_at = NULL WHERE game_id = ? AND gone_at IS NOT NULL", (key,)
            ).rowcount:
                bump(self._db)

    def from_stores(self, game_ids: Iterable[str]) -> list[str]:
        """Return those of the given games that came from a store, not from a folder, a table or an archive."""
        rows = self._db.execute(
            "SELECT game_id FROM games JOIN sources USING (source_id)"
            " WHERE kind = 'store' AND game_id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(game_ids)),),
        )
        return [key for (key,) in rows]

    def remove(self, game_ids: Iterable[str]) -> list[str]:
        """Delete games with their banners, problems and history; return the ids that do not exist."""
        unknown = []
        for key in game_ids:
            self._db.execute("DELETE FROM problems WHERE game_id = ?", (key,))
            if not self._db.execute("DELETE FROM games WHERE game_id = ?", (key,)).rowcount:
                unknown.append(key)
        bump(self._db)
        return unknown

    def remove_source(self, name: str) -> tuple[str, int] | None:
        """Delete a source with all its games; return its kind and how many games it had, or None if there is none."""
        row = self._db.execute(
            "SELECT source_id, kind, (SELECT count(*) FROM games g WHERE g.source_id = s.source_id)"
            " FROM sources s WHERE name = ?",
            (name,),
        ).fetchone()
        if row is None:
            return None
        self._db.execute("DELETE FROM sources WHERE source_id = ?", (row[0],))
        bump(self._db)
        return row[1], int(row[2])

    def remove_gone(self) -> int:
        """Delete the games that their sources no longer contain; return how many there were."""
        count = self._db.execute("DELETE FROM games WHERE gone_at IS NOT NULL").rowcount
        if count:
            bump(self._db)
        return count

    def end_scan(self, source: Source) -> None:
        """Record that a scan of a source has ended."""
        self._db.execute("UPDATE sources SET scanned_at = ? WHERE source_id = ?", (now(), source.id))


def _is_same(one: Path | str, other: Path | str) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    try:
        return one == other or one.samefile(other)
    except OSError:  # one of them does not exist
        return False


def columns_json(columns: Mapping[str, Any]) -> str:
    """Return further columns as they are stored: JSON in the table's own order."""
    return json.dumps(columns, ensure_ascii=False, separators=(",", ":"), default=str)
