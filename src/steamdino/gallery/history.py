"""What changed in a gallery: games that appeared, left or came back, and the banners that they had before.

A game's first appearance is `games.added_at`, and an absence that has not ended is `games.gone_at`. Absences that ended
and changes of banners are rows of their own, written in the transaction that makes the change. A game that is removed
takes its history with it. `gallery.recording` writes these rows.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from steamdino.gallery import layout
from steamdino.gallery.clock import DAY
from steamdino.storage.location import Location

if TYPE_CHECKING:
    from uuid import UUID

NEW, ART, LEFT, BACK = "new", "art", "left", "back"
"""What changed: a game appeared, its banner changed, it left, it came back."""
WHATS = (NEW, ART, LEFT, BACK)

BULK, GROWTH = 100, 0.25
"""Games that appear on one day count as one import if there are so many, and if their source grows by such a share."""


class Event(NamedTuple):
    """Something that happened to a game.

    Attributes:
        what: one of `WHATS`.
        at: when the gallery noticed it: UTC, in ISO 8601 with whole seconds.
        game_id: of the game.
        old_sha256, new_sha256: of the banner before and after a change of it; None where there was none.
    """

    what: str
    at: str
    game_id: str
    old_sha256: str | None
    new_sha256: str | None

    @property
    def day(self) -> str:
        """The day on which it happened, in UTC: YYYY-MM-DD."""
        return self.at[:DAY]


@dataclass(frozen=True, slots=True)
class Import:
    """Many games of a source that appeared on one day, or got their first banner: not news about each of them.

    Attributes:
        day: YYYY-MM-DD, in UTC.
        source: the source's name.
        games: how many.
        banners: whether they got their first banner; else they appeared.
    """

    day: str
    source: str
    games: int
    banners: bool


@dataclass(frozen=True, slots=True)
class ChangedGame:
    """A game as the gallery holds it now, present or gone.

    Attributes:
        id, name: the game's.
        source: its source's name.
        steam: whether its id is an appID.
        columns: JSON text.
        gone: whether its source no longer has it.
        sha256, location: of its banner; None without one.
    """

    id: str
    name: str
    source: str
    steam: bool
    columns: str
    gone: bool
    sha256: str | None
    location: Location | None


class History:
    """The record of changes. Call every method that writes inside `Gallery.transaction`."""

    def __init__(self, connection: sqlite3.Connection, root: Path) -> None:
        self._db = connection
        self._root = str(root)

    @property
    def recorded_from(self) -> str:
        """The time from which changes are recorded and kept. Of earlier times only `NEW` and `LEFT` are known."""
        return str(self._db.execute("SELECT recorded_from FROM catalogue").fetchone()[0])

    @property
    def uuid(self) -> UUID:
        """A random identity of this gallery's history, for feeds."""
        from uuid import UUID  # takes milliseconds, and every search comes through this module

        return UUID(self._db.execute("SELECT uuid FROM catalogue").fetchone()[0], version=4)

    @property
    def mark(self) -> str:
        """A text that is another one whenever the record of changes may be another one."""
        return " ".join(
            map(str, self._db.execute("SELECT revision, recorded_from FROM catalogue").fetchone())
        )

    def latest(self, kind: str) -> str | None:
        """The time of the last change; None in an empty gallery."""
        row = self._db.execute(
            "SELECT max(at) FROM (SELECT max(added_at) AS at FROM games UNION ALL SELECT max(gone_at) FROM games"
            " UNION ALL SELECT max(back_at) FROM absences"
            " UNION ALL SELECT max(at) FROM banner_changes WHERE kind = ?)",
            (kind,),
        ).fetchone()
        return None if row[0] is None else str(row[0])

    def imports(self, start: str, end: str, kind: str) -> list[Import]:
        """Find the imports of a period, the newest first.

        The first games of a source are an import, however many they are. Later ones are if they are many and the source
        grows by a large share of what it had.

        Args:
            start, end: the first day, and the first one that no longer belongs to it: YYYY-MM-DD.
            kind: of banner.
        """
        found = []
        had: dict[str, int] = {}
        for source, day, count in self._db.execute(
            "SELECT sources.name, substr(games.added_at, 1, ?) AS day, count(*)"
            " FROM games JOIN sources USING (source_id) GROUP BY source_id, day ORDER BY day",
            (DAY,),
        ):
            before = had.get(source, 0)
            had[source] = before + count
            if start <= day < end and (not before or count >= max(BULK, GROWTH * before)):
                found.append(Import(day, source, count, banners=False))
        found += [
            Import(day, source, count, banners=True)
            for source, day, count in self._db.execute(
                "SELECT name, substr(at, 1, ?) AS day, count(*) FROM ("
                "  SELECT at, sources.name, source_id FROM banner_changes JOIN games USING (game_id)"
                "  JOIN sources USING (source_id) WHERE banner_changes.kind = ? AND at >= ? AND at < ?"
                "  AND old_sha256 IS NULL) GROUP BY source_id, day",
                (DAY, kind, start, end),
            )
            if count >= max(BULK, GROWTH * had[source])
        ]
        return sorted(found, key=lambda one: (one.day, one.source, one.banners), reverse=True)

    def events(self, start: str, end: str, kind: str, imports: Sequence[Import] = ()) -> list[Event]:
        """Find what happened in a period, the oldest first.

        Args:
            start, end: the first day, and the first one that no longer belongs to it: YYYY-MM-DD.
            kind: of banner.
            imports: whose games to skip.
        """
        skipped = [
            json.dumps([f"{one.day} {one.source}" for one in imports if one.banners is banners])
            for banners in (False, True)
        ]
        period = (start, end)
        rows = self._db.execute(
            "SELECT 'new', games.added_at, game_id, NULL, NULL, 0 FROM games JOIN sources USING (source_id)"
            " WHERE games.added_at >= ? AND games.added_at < ?"
            "  AND substr(games.added_at, 1, 10) || ' ' || sources.name NOT IN (SELECT value FROM json_each(?))"
            " UNION ALL SELECT 'left', gone_at, game_id, NULL, NULL, 0 FROM games WHERE gone_at >= ? AND gone_at < ?"
            " UNION ALL SELECT 'left', gone_at, game_id, NULL, NULL, 0 FROM absences WHERE gone_at >= ? AND gone_at < ?"
            " UNION ALL SELECT 'back', back_at, game_id, NULL, NULL, 0 FROM absences WHERE back_at >= ? AND back_at < ?"
            " UNION ALL SELECT 'art', at, game_id, old_sha256, new_sha256, change_id FROM banner_changes"
            " JOIN games USING (game_id) JOIN sources USING (source_id)"
            " WHERE banner_changes.kind = ? AND at >= ? AND at < ? AND (old_sha256 IS NOT NULL OR"
            "  substr(at, 1, 10) || ' ' || sources.name NOT IN (SELECT value FROM json_each(?)))"
            " ORDER BY 2, 6",
            (*period, skipped[0], *period, *period, *period, kind, *period, skipped[1]),
        )
        return [Event(*row[:5]) for row in rows]

    def columns(self, game_ids: Sequence[str]) -> Iterator[str]:
        """Yield the columns of games as JSON text, in the given order."""
        for key in game_ids:
            yield self._db.execute("SELECT columns FROM games WHERE game_id = ?", (key,)).fetchone()[0]

    def games(self, game_ids: Iterable[str], kind: str) -> dict[str, ChangedGame]:
        """Return games by id, with their banners of a kind."""
        rows = self._db.execute(
            "SELECT games.game_id, games.name, sources.name, steam, columns, gone_at IS NOT NULL, sha256, path"
            " FROM games JOIN sources USING (source_id)"
            " LEFT JOIN banners ON banners.game_id = games.game_id AND banners.kind = ?"
            " WHERE games.game_id IN (SELECT value FROM json_each(?))",
            (kind, json.dumps(list(game_ids))),
        )
        return {
            key: ChangedGame(
                key, name, source, bool(steam), columns, bool(gone), sha256, self._location(path)
            )
            for key, name, source, steam, columns, gone, sha256, path in rows
        }

    def added(self) -> dict[str, str]:
        """Return when each game appeared, by id."""
        return dict(self._db.execute("SELECT game_id, added_at FROM games"))

    def pictures(self, sha256s: Iterable[str]) -> dict[str, Location]:
        """Return where pictures are stored, by their sha256: banners of any game, and earlier ones if they are kept."""
        rows = self._db.execute(
            "WITH wanted AS (SELECT value AS sha256 FROM json_each(?))"
            " SELECT sha256, path FROM banners WHERE sha256 IN wanted UNION ALL"
            " SELECT old_sha256, picture FROM banner_changes WHERE old_sha256 IN wanted AND picture IS NOT NULL",
            (json.dumps(list(sha256s)),),
        )
        return {sha256: layout.location(path, self._root) for sha256, path in rows}

    def replaced(self, game_ids: Iterable[str], kind: str) -> dict[tuple[str, str], str]:
        """Return when each earlier banner of games was first replaced, by (game's id, sha256)."""
        rows = self._db.execute(
            "SELECT game_id, old_sha256, min(at) FROM banner_changes WHERE kind = ? AND old_sha256 IS NOT NULL"
            " AND game_id IN (SELECT value FROM json_each(?)) GROUP BY game_id, old_sha256",
            (kind, json.dumps(list(game_ids))),
        )
        return {(key, sha256): at for key, sha256, at in rows}

    def kept(self) -> set[Location]:
        """Return where the pictures of earlier banners are: the gallery's own folder, or where `sync` keeps them."""
        rows = self._db.execute("SELECT DISTINCT picture FROM banner_changes WHERE picture IS NOT NULL")
        return {layout.location(path, self._root) for (path,) in rows}

    def lose(self, pictures: Iterable[Location]) -> None:
        """Record that pictures that showed earlier banners no longer exist."""
        self._db.executemany(
            "UPDATE banner_changes SET picture = NULL WHERE picture = ?",
            [(layout.stored(place, Path(self._root)),) for place in pictures],
        )

    def forget(self, before: str) -> int:
        """Delete the changes of banners and the absences that ended before a day; returns how many there were.

        Args:
            before: YYYY-MM-DD, in UTC.
        """
        count = self._db.execute("DELETE FROM banner_changes WHERE at < ?", (before,)).rowcount
        count += self._db.execute("DELETE FROM absences WHERE back_at < ?", (before,)).rowcount
        self._db.execute("UPDATE catalogue SET recorded_from = max(recorded_from, ?)", (before,))
        return count

    def _location(self, written: str | None) -> Location | None:
        return None if written is None else layout.location(written, self._root)
