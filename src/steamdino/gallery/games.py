"""Sources, games, banners and problems, as rows. Every change that a snapshot would show bumps the revision."""

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
    origin: Path | None
    size: int
    mtime_ns: int
    ctime_ns: int
    sha256: str | None
    copy: Path | None


@dataclass(frozen=True, slots=True)
class KnownBanner:
    """A banner of a present game, as the gallery knows it.

    Attributes:
        game_id, kind: the game and the kind of banner.
        path: the file that is read.
        copied: whether that file is the gallery's own copy.
        origin: the file that it was added from; None if it came from a store.
        size, mtime_ns, ctime_ns: of the file that it was added from.
        sha256: SHA-256 of the picture's bytes.
    """

    game_id: str
    kind: str
    path: Path
    copied: bool
    origin: Path | None
    size: int
    mtime_ns: int
    ctime_ns: int
    sha256: str


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
        """Return the catalogue's revision, which grows with every change that a snapshot would show."""
        return int(self._db.execute("SELECT revision FROM catalogue").fetchone()[0])

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

    def put_source(self, kind: str, location: Path, *, steam: bool) -> Source:
        """Find or create the source at a location, however its path is spelled; a taken name gets a number appended."""
        for key, name, written, was_steam in self._db.execute(
            "SELECT source_id, name, location, steam FROM sources WHERE kind != 'store'"
        ).fetchall():
            if not _is_same(layout.located(written, str(self._root)), location):
                continue
            if steam != bool(was_steam):
                self._db.execute("UPDATE sources SET steam = ? WHERE source_id = ?", (steam, key))
                self._bump()
            return Source(key, name, steam)
        name = self._free_name(location.name or "pictures")
        cursor = self._db.execute(
            "INSERT INTO sources (name, kind, location, steam, added_at) VALUES (?, ?, ?, ?, ?)",
            (name, kind, layout.portable(location, self._root), steam, now()),
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
        """Return all games of a source by id, including missing ones."""
        rows = self._db.execute(
            "SELECT games.game_id, name, columns, gone_at IS NOT NULL, origin, path, size, mtime_ns, ctime_ns, sha256"
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
                ctime_ns or 0,
                sha256,
                None if path == origin else layout.located(path, str(self._root)),
            )
            for key, name, columns, gone, origin, path, size, mtime_ns, ctime_ns, sha256 in rows
        }

    def owners(self, source: Source) -> dict[str, str]:
        """Return the ids that belong to other sources, each with its source's name."""
        return dict(
            self._db.execute(
                "SELECT game_id, sources.name FROM games JOIN sources USING (source_id) WHERE source_id != ?",
                (source.id,),
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

    def put_game(self, source: Source, entry: Entry) -> bool:
        """Add a game, or update its source, name and columns; a missing game counts as present again.

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
        """Set a game's banner of a kind.

        Args:
            game_id: the game's id.
            banner: the file, where it is stored now.
            origin: the file or address that it was added from.
            kind: one of `layout.KINDS`.
        """
        written = layout.portable(banner.path, self._root)
        shown = self._db.execute(
            "SELECT path, sha256 FROM banners WHERE game_id = ? AND kind = ?", (game_id, kind)
        ).fetchone()
        self._db.execute(
            "INSERT OR REPLACE INTO banners"
            " (game_id, kind, path, origin, size, mtime_ns, ctime_ns, sha256, width, height, mode, format)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                game_id,
                kind,
                written,
                layout.portable(origin, self._root) if isinstance(origin, Path) else origin,
                banner.size,
                banner.mtime_ns,
                banner.ctime_ns,
                banner.sha256,
                banner.width,
                banner.height,
                banner.mode,
                banner.format,
            ),
        )
        if shown != (written, banner.sha256):  # restoring a lost file changes nothing that is shown
            self._bump()

    def touch_banner(self, game_id: str, mtime_ns: int, ctime_ns: int, kind: str = layout.VERTICAL) -> None:
        """Record the new times of a banner's file whose content is unchanged."""
        self._db.execute(
            "UPDATE banners SET mtime_ns = ?, ctime_ns = ? WHERE game_id = ? AND kind = ?",
            (mtime_ns, ctime_ns, game_id, kind),
        )

    def drop_banner(self, game_id: str, kind: str = layout.VERTICAL) -> None:
        """Remove a game's banner of a kind; its vectors stay until they are pruned."""
        if self._db.execute("DELETE FROM banners WHERE game_id = ? AND kind = ?", (game_id, kind)).rowcount:
            self._bump()

    def mark_gone(self, game_ids: Iterable[str]) -> None:
        """Mark games that a scan of their source did not find."""
        marked = self._db.executemany(
            "UPDATE games SET gone_at = ? WHERE game_id = ? AND gone_at IS NULL",
            [(now(), key) for key in game_ids],
        ).rowcount
        if marked > 0:
            self._bump()

    def from_stores(self, game_ids: Iterable[str]) -> list[str]:
        """Return those of the given games that came from a store, not from a folder, a table or an archive."""
        rows = self._db.execute(
            "SELECT game_id FROM games JOIN sources USING (source_id)"
            " WHERE kind = 'store' AND game_id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(game_ids)),),
        )
        return [key for (key,) in rows]

    def remove(self, game_ids: Iterable[str]) -> list[str]:
        """Delete games with their banners and problems; return the ids that do not exist."""
        unknown = []
        for key in game_ids:
            self._db.execute("DELETE FROM problems WHERE game_id = ?", (key,))
            if not self._db.execute("DELETE FROM games WHERE game_id = ?", (key,)).rowcount:
                unknown.append(key)
        self._bump()
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
        self._bump()
        return row[1], int(row[2])

    def remove_gone(self) -> int:
        """Delete the games that their sources no longer contain; return how many there were."""
        count = self._db.execute("DELETE FROM games WHERE gone_at IS NOT NULL").rowcount
        if count:
            self._bump()
        return count

    def banner(self, game_id: str, kind: str = layout.VERTICAL) -> Path | None:
        """Return the file of a game's banner of a kind; None if it has none."""
        row = self._db.execute(
            "SELECT path FROM banners WHERE game_id = ? AND kind = ?", (game_id, kind)
        ).fetchone()
        return layout.located(row[0], str(self._root)) if row else None

    def banners(self) -> Iterator[KnownBanner]:
        """Yield every banner of every present game, in the order of game ids."""
        root = str(self._root)
        for key, kind, path, origin, store, *facts in self._db.execute(
            "SELECT game_id, banners.kind, path, origin, sources.kind = 'store', size, mtime_ns, ctime_ns, sha256"
            " FROM banners JOIN games USING (game_id) JOIN sources USING (source_id)"
            " WHERE gone_at IS NULL ORDER BY game_id, banners.kind"
        ):
            place = None if store else layout.located(origin, root)
            yield KnownBanner(key, kind, layout.located(path, root), path != origin, place, *facts)

    def from_stores_copied(self) -> Iterator[tuple[str, str, str, int]]:
        """Yield the copied pictures of present games from stores: (game's id, kind, path in the gallery, bytes)."""
        yield from self._db.execute(
            "SELECT game_id, banners.kind, path, size"
            " FROM banners JOIN games USING (game_id) JOIN sources USING (source_id)"
            " WHERE gone_at IS NULL AND sources.kind = 'store' AND path != origin"
        )

    def copies(self) -> set[Path]:
        """Return the files in the gallery's own folder that any game uses."""
        rows = self._db.execute("SELECT path FROM banners WHERE path != origin")
        return {layout.located(path, str(self._root)) for (path,) in rows}

    def end_scan(self, source: Source, problems: Iterable[Problem]) -> None:
        """Record that a scan has ended and what it could not use, replacing the problems of the last scan."""
        self._db.execute("UPDATE sources SET scanned_at = ? WHERE source_id = ?", (now(), source.id))
        self._db.execute("DELETE FROM problems WHERE source_id = ? AND stage = 'add'", (source.id,))
        self._db.executemany(
            "INSERT INTO problems (source_id, stage, place, game_id, reason, noted_at) VALUES (?, 'add', ?, ?, ?, ?)",
            [(source.id, p.where, p.id, p.reason, now()) for p in problems],
        )

    def put_build_problem(self, game_ids: Iterable[str], reason: str, undecodable: str | None) -> None:
        """Record that a picture could not be encoded.

        Args:
            game_ids: the games that show it.
            reason: why it could not be encoded.
            undecodable: its sha256 if the content itself is at fault, so that builds skip it; else None.
        """
        for key in game_ids:
            self._db.execute("DELETE FROM problems WHERE stage = 'build' AND game_id = ?", (key,))
            self._db.execute(
                "INSERT INTO problems (source_id, stage, place, game_id, sha256, reason, noted_at)"
                " SELECT source_id, 'build', game_id, game_id, ?, ?, ? FROM games WHERE game_id = ?",
                (undecodable, reason, now(), key),
            )

    def drop_settled_problems(self) -> None:
        """Delete the problems of pictures that have since been replaced, encoded or removed."""
        self._db.execute(
            "DELETE FROM problems WHERE stage = 'build' AND NOT EXISTS ("
            " SELECT 1 FROM banners JOIN games USING (game_id)"
            " WHERE banners.game_id = problems.game_id AND gone_at IS NULL"
            " AND (problems.sha256 = banners.sha256 OR problems.sha256 IS NULL"
            "  AND NOT EXISTS (SELECT 1 FROM vectors WHERE vectors.sha256 = banners.sha256)))"
        )

    def problems(self) -> Iterator[tuple[str, str, Problem]]:
        """Yield everything that could not be used: (source's name, stage, problem)."""
        for name, stage, place, key, reason in self._db.execute(
            "SELECT sources.name, stage, place, game_id, reason FROM problems JOIN sources USING (source_id)"
            " ORDER BY sources.name, stage, problems.rowid"
        ):
            yield name, stage, Problem(place, reason, key)

    def _bump(self) -> None:
        self._db.execute("UPDATE catalogue SET revision = revision + 1")


def _is_same(one: Path, other: Path) -> bool:
    try:
        return one == other or one.samefile(other)
    except OSError:  # one of them does not exist
        return False


def columns_json(columns: Mapping[str, Any]) -> str:
    """Return further columns as they are stored: JSON in the table's own order."""
    return json.dumps(columns, ensure_ascii=False, separators=(",", ":"), default=str)
