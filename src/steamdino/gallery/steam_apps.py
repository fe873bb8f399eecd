"""Steam's apps as `sync` knows them: which are due, their outcomes, the time and the reason."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from steamdino.gallery.clock import now
from steamdino.gallery.steam_appids import AMONG, among_parameters

LISTED, FOUND, HIDDEN, UNRELEASED, FAILED = "listed", "found", "hidden", "unreleased", "failed"
VANISHED, REMOVED, OTHER_TYPE = "vanished", "removed", "other type"
"""Outcomes of an app. A removed app is not requested again until somebody names it, and an app of another type not
until somebody names it or its type."""

_TYPE = "its type is "
"""How the reason of `OTHER_TYPE` begins; the type follows."""

_COLUMN = "(SELECT json_extract(columns, '$.{}') FROM games WHERE game_id = CAST(appid AS TEXT))"

_LISTABLE = (
    "outcome NOT IN ('removed', 'other type')"  # noqa: S608
    f" AND coalesce({_COLUMN.format('type')}, '') NOT IN (SELECT value FROM json_each(?))"
)
"""The condition that a list may have an app, given the types that it was not asked for."""

_EXPECTED = f"{_LISTABLE} AND outcome != 'vanished' AND NOT coalesce({_COLUMN.format('delisted')}, 0)"
"""The condition that a whole list has an app, given the same: no list has delisted apps."""


class SteamApps:
    """The tables behind `sync`. Call every method that writes inside `Gallery.transaction`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def state(self, key: str) -> Any:
        """Return a value that an earlier run stored; None if there is none."""
        row = self._db.execute("SELECT value FROM steam_state WHERE key = ?", (key,)).fetchone()
        return None if row is None else json.loads(row[0])

    def put_state(self, key: str, value: Any) -> None:
        """Store a value for a later run; None deletes it."""
        if value is None:
            self._db.execute("DELETE FROM steam_state WHERE key = ?", (key,))
        else:
            self._db.execute("INSERT OR REPLACE INTO steam_state VALUES (?, ?)", (key, json.dumps(value)))

    def put_listed(
        self, apps: Iterable[tuple[int, str | None, int | None]], sweep: int, *, due: bool = False
    ) -> int:
        """Record that a list names apps: (appid, name, modified). Return how many were unknown.

        Details become due for apps that are new, that had vanished, or that the list reports as modified, and for all
        apps if `due` is set; never for apps that a person removed.
        """
        before = self.count()
        self._db.executemany(
            "INSERT INTO steam_apps (appid, name, modified, swept) VALUES (:appid, :name, :modified, :sweep)"
            " ON CONFLICT (appid) DO UPDATE SET"
            "  due = CASE WHEN outcome = 'removed' THEN 0 WHEN :due OR outcome = 'vanished'"
            "   OR (excluded.modified IS NOT NULL AND excluded.modified IS NOT modified) THEN 1 ELSE due END,"
            "  tries = CASE WHEN excluded.modified IS NOT NULL AND excluded.modified IS NOT modified"
            "   THEN 0 ELSE tries END,"
            "  name = coalesce(excluded.name, name), modified = coalesce(excluded.modified, modified),"
            "  swept = max(swept, excluded.swept)",
            [
                {"appid": appid, "name": name, "modified": modified, "sweep": sweep, "due": due}
                for appid, name, modified in apps
            ],
        )
        return self.count() - before

    def count(self) -> int:
        """Return the number of known apps."""
        return int(self._db.execute("SELECT count(*) FROM steam_apps").fetchone()[0])

    def swept(self, sweep: int) -> int:
        """Return how many apps a sweep of the list has seen."""
        return int(
            self._db.execute("SELECT count(*) FROM steam_apps WHERE swept = ?", (sweep,)).fetchone()[0]
        )

    def unasked(self, appids: Iterable[int]) -> list[int]:
        """Return those of the apps whose details were never requested, whether or not a list has named them."""
        rows = self._db.execute(
            "SELECT value FROM json_each(?)"
            " WHERE value NOT IN (SELECT appid FROM steam_apps WHERE asked_at IS NOT NULL)",
            (json.dumps(list(appids)),),
        )
        return [appid for (appid,) in rows]

    def last_sweep(self) -> int:
        """Return the highest number of a sweep that saw an app, also if that sweep came to no end; 0 for none."""
        return int(self._db.execute("SELECT coalesce(max(swept), 0) FROM steam_apps").fetchone()[0])

    def unseen(self, sweep: int, since: int, unrequested: Iterable[str] = ()) -> tuple[int, int]:
        """Return how many apps a whole sweep missed, of how many that the sweep `since` or a later one saw.

        Args:
            sweep, since: numbers of sweeps.
            unrequested: types that the list was not asked for; their apps do not count.
        """
        return tuple(
            self._db.execute(
                "SELECT count(*) FILTER (WHERE swept < ?), count(*) FROM steam_apps"  # noqa: S608
                f" WHERE swept >= ? AND {_EXPECTED}",
                (sweep, max(since, 1), json.dumps(list(unrequested))),
            ).fetchone()
        )

    def doubt(self, sweep: int, unrequested: Iterable[str] = ()) -> None:
        """Make the details due of all apps that a whole sweep missed: only the store can tell whether they are gone.

        Args:
            sweep: its number.
            unrequested: types that the list was not asked for.
        """
        self._db.execute(
            "UPDATE steam_apps SET due = 1, tries = 0"  # noqa: S608
            f" WHERE swept BETWEEN 1 AND ? AND outcome != 'vanished' AND {_LISTABLE}",
            (sweep - 1, json.dumps(list(unrequested))),
        )

    def missed(self, sweep: int, unrequested: Iterable[str] = ()) -> dict[int, tuple[int, str]]:
        """Return the last sweep that saw, and the outcome, of each app with due details that a whole sweep missed."""
        rows = self._db.execute(
            "SELECT appid, swept, outcome FROM steam_apps"  # noqa: S608
            f" WHERE due > 0 AND swept BETWEEN 1 AND ? AND {_LISTABLE}",
            (sweep - 1, json.dumps(list(unrequested))),
        )
        return {appid: (swept, outcome) for appid, swept, outcome in rows}

    def make_due(self, before: str, unsuccessful_before: str) -> None:
        """Make details due that were requested before a moment; for games without a banner, before a later moment.

        The later moment does not apply to apps that are hidden or of other types, which are not expected to change.
        """
        self._db.execute(
            "UPDATE steam_apps SET due = 1, tries = 0 WHERE due = 0"
            " AND outcome IN ('found', 'hidden', 'unreleased', 'other type') AND asked_at < ?",
            (before,),
        )
        self._db.execute(
            "UPDATE steam_apps SET due = 1, tries = 0 WHERE due = 0 AND outcome IN ('found', 'unreleased')"
            " AND asked_at < ? AND NOT EXISTS ("
            "  SELECT 1 FROM steam_assets a WHERE a.appid = steam_apps.appid AND a.outcome = 'fetched')",
            (unsuccessful_before,),
        )

    def retry_failed(self) -> None:
        """Make everything due that failed."""
        self._db.execute("UPDATE steam_apps SET due = 1, tries = 0 WHERE outcome = 'failed'")
        self._db.execute(
            "UPDATE steam_assets SET due = 1, chosen = 0, asked_anew = 0 WHERE outcome IN ('failed', 'missing')"
        )

    def remove(self, appids: Iterable[int]) -> None:
        """Record that a person removed games, so that lists do not add them again."""
        self._db.executemany(
            "UPDATE steam_apps SET outcome = 'removed', due = 0, reason = 'removed from the gallery', asked_at = ?"
            " WHERE appid = ?",
            [(now(), appid) for appid in appids],
        )

    def take_back(self, appids: Iterable[int]) -> None:
        """Undo the removal of games that a person names again."""
        self._db.execute(
            "UPDATE steam_apps SET outcome = 'listed', due = 1, tries = 0, reason = NULL"
            " WHERE outcome = 'removed' AND appid IN (SELECT value FROM json_each(?))",
            (json.dumps(list(appids)),),
        )

    def put_named(self, appids: Iterable[int]) -> None:
        """Record that a person named apps, which are kept whatever their types are."""
        named = self.named()
        if not named.issuperset(added := set(appids)):
            self.put_state("named", sorted(named | added))

    def named(self) -> set[int]:
        """Return the apps that a person has named."""
        return set(self.state("named") or ())

    def put_other_type(self, appid: int, type_name: str) -> None:
        """Record that an app is of a type that was not requested."""
        self.put_outcome(appid, OTHER_TYPE, f"{_TYPE}{type_name}")

    def include_types(self, types: Iterable[str]) -> None:
        """Make the apps due that were left out for types that are now requested."""
        self._db.execute(
            "UPDATE steam_apps SET due = 1, tries = 0"
            " WHERE outcome = 'other type' AND reason IN (SELECT value FROM json_each(?))",
            (json.dumps([f"{_TYPE}{name}" for name in types]),),
        )

    def other_types(self) -> dict[str, int]:
        """Count the apps that were left out for their types, by type."""
        return dict(
            self._db.execute(
                "SELECT substr(reason, ?), count(*) FROM steam_apps WHERE outcome = 'other type' GROUP BY 1 ORDER BY 1",
                (len(_TYPE) + 1,),
            )
        )

    def clear(self) -> None:
        """Forget all apps and the position in the list, except the games that a person removed one by one."""
        self._db.execute("DELETE FROM steam_apps WHERE outcome != 'removed'")
        self._db.execute("DELETE FROM steam_state")

    def due_apps(self, among: Sequence[int] | None = None, *, turn: int | None = None) -> list[int]:
        """Return the apps whose details are due, by appID.

        Args:
            among: only these; None for all.
            turn: only those that are due in the country whose turn it is: 1 for the main one, 2 for the next; None for
                any.
        """
        rows = self._db.execute(
            f"SELECT appid FROM steam_apps WHERE due > 0 AND due = coalesce(?, due) {AMONG} ORDER BY appid",  # noqa: S608
            (turn, *among_parameters(among)),
        )
        return [appid for (appid,) in rows]

    def restart_turns(self) -> None:
        """Make details that are due in a later country due in the main one."""
        self._db.execute("UPDATE steam_apps SET due = 1 WHERE due > 1")

    def make_hidden_due(self, turn: int) -> None:
        """Make the details of hidden apps due from a turn on."""
        self._db.execute(
            "UPDATE steam_apps SET due = ?, tries = 0 WHERE outcome = 'hidden' AND due = 0", (turn,)
        )

    def countries(self, appids: Iterable[int]) -> dict[int, str]:
        """Return the country that each app's details came from, of apps that have details."""
        return dict(
            self._db.execute(
                "SELECT value, json_extract(columns, '$.country') AS country FROM json_each(?)"
                " JOIN games ON game_id = CAST(value AS TEXT) WHERE typeof(country) = 'text'",
                (json.dumps(list(appids)),),
            )
        )

    def put_tries(self, appids: Iterable[int], most: int) -> list[int]:
        """Record that replies omitted apps; return those that were omitted too often and have now failed."""
        ids = json.dumps(list(appids))
        self._db.execute(
            "UPDATE steam_apps SET tries = tries + 1 WHERE appid IN (SELECT value FROM json_each(?))", (ids,)
        )
        rows = self._db.execute(
            "UPDATE steam_apps SET due = 0, outcome = 'failed', asked_at = ?,"
            " reason = 'Steam''s replies have no details of it'"
            " WHERE tries >= ? AND due > 0 AND appid IN (SELECT value FROM json_each(?)) RETURNING appid",
            (now(), most, ids),
        ).fetchall()
        return [appid for (appid,) in rows]

    def put_outcome(self, appid: int, outcome: str, reason: str | None = None, *, turn: int = 0) -> None:
        """Record the outcome of requesting an app's details, and in which turn they are requested next; 0 for none."""
        self._db.execute(
            "UPDATE steam_apps SET due = ?, tries = 0, outcome = ?, reason = ?, asked_at = ? WHERE appid = ?",
            (turn, outcome, reason, now(), appid),
        )

    def outcomes(self, kind: str) -> dict[str, int]:
        """Count the apps by outcome: the picture's outcome where the details were found, else the app's."""
        return dict(
            self._db.execute(
                "SELECT CASE WHEN s.outcome != 'found' THEN s.outcome WHEN a.appid IS NULL THEN 'no banner'"
                "  WHEN a.outcome = 'listed' THEN 'to fetch' ELSE a.outcome END, count(*)"
                " FROM steam_apps s LEFT JOIN steam_assets a ON a.appid = s.appid AND a.kind = ? GROUP BY 1 ORDER BY 1",
                (kind,),
            )
        )

    def each_outcome(self, kind: str) -> Iterator[tuple[int, str, str | None, str | None]]:
        """Yield (appID, outcome as in `outcomes`, reason, time) of each app."""
        yield from self._db.execute(
            "SELECT s.appid, CASE WHEN s.outcome != 'found' THEN s.outcome WHEN a.appid IS NULL THEN 'no banner'"
            "  WHEN a.outcome = 'listed' THEN 'to fetch' ELSE a.outcome END,"
            " CASE WHEN s.outcome != 'found' THEN s.reason ELSE a.reason END, coalesce(a.tried_at, s.asked_at)"
            " FROM steam_apps s LEFT JOIN steam_assets a ON a.appid = s.appid AND a.kind = ? ORDER BY s.appid",
            (kind,),
        )
