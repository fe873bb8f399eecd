"""Sources, games, banners and problems, as rows. Whatever a snapshot would show bumps the catalogue's revision."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steamdino.gallery import layout
from steamdino.gallery.clock import now
from steamdino.records import Banner, Entry, Problem

STEAM_PAGE = "https://store.steampowered.com/app/{}"


@dataclass(frozen=True, slots=True)
class KnownGame:
    """What the gallery holds about a game of a source, for telling what a scan changed.

    Attributes:
        name, columns: as stored; columns is JSON text.
        gone: a scan no longer found it.
        origin, size, mtime_ns, sha256: of its banner; None, 0, 0, None without one.
        copied: the gallery keeps a copy of the picture.
    """

    name: str
    columns: str
    gone: bool
    origin: Path | None
    size: int
    mtime_ns: int
    sha256: str | None
    copied: bool


@dataclass(frozen=True, slots=True)
class Source:
    """Where games came from: a folder or a table.

    Attributes:
        id: the row's key.
        name: what people call it; unique.
        steam: its ids are appIDs.
    """

    id: int
    name: str
    steam: bool


class Games:
    """The catalogue's tables. Every method that writes must be called inside `Gallery.transaction`."""

    def __init__(self, connection: sqlite3.Connection, root: Path) -> None:
        self._db = connection
        self._root = root

    @property
    def revision(self) -> int:
        """Counts the changes of what a snapshot would show."""
        return int(self._db.execute("SELECT revision FROM catalogue").fetchone()[0])

    def put_store(self, name: str, address: str) -> Source:
        """Finds or makes the source that a store is; its ids are appIDs."""
        self._db.execute(
            "INSERT INTO sources (name, kind, location, steam, added_at) VALUES (?, 'store', ?, 1, ?)"
            " ON CONFLICT (location) DO NOTHING",
            (self._free_name(name), address, now()),
        )
        row = self._db.execute(
            "SELECT source_id, name FROM sources WHERE location = ?", (address,)
        ).fetchone()
        return Source(row[0], row[1], True)

    def put_source(self, kind: str, location: Path, *, steam: bool) -> Source:
        """Finds or makes the source at a location. A taken name gets a number behind it."""
        written = layout.portable(location, self._root)
        row = self._db.execute(
            "SELECT source_id, name, steam FROM sources WHERE location = ?", (written,)
        ).fetchone()
        if row:
            if steam != bool(row[2]):
                self._db.execute("UPDATE sources SET steam = ? WHERE source_id = ?", (steam, row[0]))
                self._bump()
            return Source(row[0], row[1], steam)
        name = self._free_name(location.name or "pictures")
        cursor = self._db.execute(
            "INSERT INTO sources (name, kind, location, steam, added_at) VALUES (?, ?, ?, ?, ?)",
            (name, kind, written, steam, now()),
        )
        assert cursor.lastrowid is not None  # noqa: S101 (sqlite3 types it so; an INSERT always has one)
        return Source(cursor.lastrowid, name, steam)

    def _free_name(self, wanted: str) -> str:
        taken = {name for (name,) in self._db.execute("SELECT name FROM sources")}
        name, number = wanted, 2
        while name in taken:
            name, number = f"{wanted}-{number}", number + 1
        return name

    def known(self, source: Source) -> dict[str, KnownGame]:
        """All games of a source by id, those that are gone included."""
        rows = self._db.execute(
            "SELECT games.game_id, name, columns, gone_at IS NOT NULL, origin, size, mtime_ns, sha256, path != origin"
            " FROM games LEFT JOIN banners ON banners.game_id = games.game_id AND kind = 'vertical'"
            " WHERE source_id = ?",
            (source.id,),
        )
        return {
            key: KnownGame(
                name,
                columns,
                bool(gone),
                None if origin is None else layout.located(origin, str(self._root)),
                size or 0,
                mtime_ns or 0,
                sha256,
                bool(copied),
            )
            for key, name, columns, gone, origin, size, mtime_ns, sha256, copied in rows
        }

    def owners(self, source: Source) -> dict[str, str]:
        """The ids that belong to other sources, with the name of each one's source."""
        return dict(
            self._db.execute(
                "SELECT game_id, sources.name FROM games JOIN sources USING (source_id) WHERE source_id != ?",
                (source.id,),
            )
        )

    def foreign(self, source: Source) -> dict[str, str]:
        """The ids that belong to sources whose ids are no appIDs, with the name of each one's source."""
        return dict(
            self._db.execute(
                "SELECT game_id, sources.name FROM games JOIN sources USING (source_id)"
                " WHERE source_id != ? AND steam = 0",
                (source.id,),
            )
        )

    def put_game(self, source: Source, entry: Entry) -> bool:
        """Adds a game or brings its source, name and columns up to date; it is no longer gone.

        Returns:
            whether anything changed.
        """
        changed = self._db.execute(
            "INSERT INTO games (game_id, source_id, name, columns, added_at) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (game_id) DO UPDATE SET source_id = excluded.source_id,"
            " name = excluded.name, columns = excluded.columns, gone_at = NULL"
            " WHERE source_id != excluded.source_id OR name != excluded.name OR columns != excluded.columns"
            "  OR gone_at IS NOT NULL",
            (entry.id, source.id, entry.name, columns_json(entry.columns), now()),
        ).rowcount
        if changed:
            self._bump()
        return bool(changed)

    def put_banner(
        self, game_id: str, banner: Banner, origin: Path | str, kind: str = layout.VERTICAL
    ) -> None:
        """Sets a game's banner of a kind.

        Args:
            game_id: the game's.
            banner: the file, where it lies now.
            origin: where it was added from: a file, or an address.
            kind: of `layout.KINDS`.
        """
        self._db.execute(
            "INSERT OR REPLACE INTO banners"
            " (game_id, kind, path, origin, size, mtime_ns, sha256, width, height, mode, format)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                game_id,
                kind,
                layout.portable(banner.path, self._root),
                layout.portable(origin, self._root) if isinstance(origin, Path) else origin,
                banner.size,
                banner.mtime_ns,
                banner.sha256,
                banner.width,
                banner.height,
                banner.mode,
                banner.format,
            ),
        )
        self._bump()

    def touch_banner(self, game_id: str, size: int, mtime_ns: int) -> None:
        """Notes that a banner's file was written anew with the same content."""
        self._db.execute(
            "UPDATE banners SET size = ?, mtime_ns = ? WHERE game_id = ?", (size, mtime_ns, game_id)
        )

    def drop_banner(self, game_id: str, kind: str = layout.VERTICAL) -> None:
        """Notes that a game has no banner of a kind any more; its vectors stay until they are pruned."""
        if self._db.execute("DELETE FROM banners WHERE game_id = ? AND kind = ?", (game_id, kind)).rowcount:
            self._bump()

    def mark_gone(self, game_ids: Iterable[str]) -> None:
        """Marks games that a scan of their source no longer found."""
        marked = self._db.executemany(
            "UPDATE games SET gone_at = ? WHERE game_id = ? AND gone_at IS NULL",
            [(now(), key) for key in game_ids],
        ).rowcount
        if marked > 0:
            self._bump()

    def remove(self, game_ids: Iterable[str]) -> list[str]:
        """Deletes games with their banners and problems; returns the ids that there were none of."""
        unknown = []
        for key in game_ids:
            self._db.execute("DELETE FROM problems WHERE game_id = ?", (key,))
            if not self._db.execute("DELETE FROM games WHERE game_id = ?", (key,)).rowcount:
                unknown.append(key)
        self._bump()
        return unknown

    def remove_source(self, name: str) -> int | None:
        """Deletes a source with all its games; returns how many they were, None if there is no such source."""
        sql = (
            "SELECT source_id, (SELECT count(*) FROM games g WHERE g.source_id = s.source_id) FROM sources s"
        )
        row = self._db.execute(f"{sql} WHERE name = ?", (name,)).fetchone()
        if row is None:
            return None
        self._db.execute("DELETE FROM sources WHERE source_id = ?", (row[0],))
        self._bump()
        return int(row[1])

    def remove_gone(self) -> int:
        """Deletes the games that their sources no longer have; returns how many they were."""
        count = self._db.execute("DELETE FROM games WHERE gone_at IS NOT NULL").rowcount
        if count:
            self._bump()
        return count

    def banner(self, game_id: str, kind: str = layout.VERTICAL) -> Path | None:
        """The file of a game's banner of a kind; None if it has none."""
        row = self._db.execute(
            "SELECT path FROM banners WHERE game_id = ? AND kind = ?", (game_id, kind)
        ).fetchone()
        return layout.located(row[0], str(self._root)) if row else None

    def banners(self) -> Iterator[tuple[str, Path, bool, int, int, str]]:
        """Each present banner: (game's id, file, whether it is a copy, bytes, mtime of its origin in ns, sha256)."""
        for key, path, copied, size, mtime_ns, sha256 in self._db.execute(
            "SELECT game_id, path, path != origin, size, mtime_ns, sha256 FROM banners JOIN games USING (game_id)"
            " WHERE gone_at IS NULL ORDER BY game_id"
        ):
            yield key, layout.located(path, str(self._root)), bool(copied), size, mtime_ns, sha256

    def copies(self) -> set[Path]:
        """The files in the gallery's own folder that some game uses."""
        rows = self._db.execute("SELECT path FROM banners WHERE path != origin")
        return {layout.located(path, str(self._root)) for (path,) in rows}

    def end_scan(self, source: Source, problems: Iterable[Problem]) -> None:
        """Notes that a scan has ended, and what it could not use (in place of what the last one could not)."""
        self._db.execute("UPDATE sources SET scanned_at = ? WHERE source_id = ?", (now(), source.id))
        self._db.execute("DELETE FROM problems WHERE source_id = ? AND stage = 'add'", (source.id,))
        self._db.executemany(
            "INSERT INTO problems (source_id, stage, place, game_id, reason, noted_at) VALUES (?, 'add', ?, ?, ?, ?)",
            [(source.id, p.where, p.id, p.reason, now()) for p in problems],
        )

    def put_build_problem(self, game_ids: Iterable[str], reason: str, undecodable: str | None) -> None:
        """Notes that a picture could not be encoded.

        Args:
            game_ids: the games that show it.
            reason: why.
            undecodable: its sha256 if its very content is at fault, so that it is not tried again; else None.
        """
        for key in game_ids:
            self._db.execute("DELETE FROM problems WHERE stage = 'build' AND game_id = ?", (key,))
            self._db.execute(
                "INSERT INTO problems (source_id, stage, place, game_id, sha256, reason, noted_at)"
                " SELECT source_id, 'build', game_id, game_id, ?, ?, ? FROM games WHERE game_id = ?",
                (undecodable, reason, now(), key),
            )

    def drop_settled_problems(self) -> None:
        """Forgets what went wrong with pictures that were replaced, encoded or have gone since."""
        self._db.execute(
            "DELETE FROM problems WHERE stage = 'build' AND NOT EXISTS ("
            " SELECT 1 FROM banners JOIN games USING (game_id)"
            " WHERE banners.game_id = problems.game_id AND gone_at IS NULL"
            " AND (problems.sha256 = banners.sha256 OR problems.sha256 IS NULL"
            "  AND NOT EXISTS (SELECT 1 FROM vectors WHERE vectors.sha256 = banners.sha256)))"
        )

    def problems(self) -> Iterator[tuple[str, str, Problem]]:
        """Everything that could not be used: (source's name, stage, problem)."""
        for name, stage, place, key, reason in self._db.execute(
            "SELECT sources.name, stage, place, game_id, reason FROM problems JOIN sources USING (source_id)"
            " ORDER BY sources.name, stage, problems.rowid"
        ):
            yield name, stage, Problem(place, reason, key)

    def _bump(self) -> None:
        self._db.execute("UPDATE catalogue SET revision = revision + 1")


def columns_json(columns: Mapping[str, Any]) -> str:
    """Further columns as stored: JSON in the table's own order."""
    return json.dumps(columns, ensure_ascii=False, separators=(",", ":"), default=str)
