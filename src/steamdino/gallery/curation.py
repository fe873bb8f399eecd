"""The measurements that `check` takes of pictures, and the decisions that a person makes about games."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from steamdino.gallery.clock import now

SAME, DIFFERENT, KEEP = "same", "different", "keep"
"""Verdicts: two games show the same banner, they do not, or a game must never be removed."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's decision about one or two games, by id; `other` is "" if it concerns one game."""

    game: str
    other: str
    verdict: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A game's banner, with what is known about it without decoding it.

    Attributes:
        game_id, name: the game's id and name.
        path: the picture's path, as `layout.portable` wrote it.
        sha256, width, height, mode: the banner's SHA-256, size in pixels and Pillow mode.
    """

    game_id: str
    name: str
    path: str
    sha256: str
    width: int
    height: int
    mode: str


@dataclass(frozen=True, slots=True)
class Original:
    """The file that a game's banner was added from.

    Attributes:
        game_id: the game's id.
        origin: the file, as `layout.stored` wrote it.
        from_store: whether it is an address at a store instead.
        source: number of the source; those that were added first have the lowest.
        size: bytes.
        mtime_ns: time of the last modification.
        format, mode: the picture's format and mode, as Pillow names them.
        width, height: in pixels.
    """

    game_id: str
    origin: str
    from_store: bool
    source: int
    size: int
    mtime_ns: int
    format: str
    mode: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Unmeasured:
    """A picture that `check` has to decode.

    Attributes:
        sha256: its content.
        paths: where it is stored, as `layout.portable` wrote it; the places hold the same content.
    """

    sha256: str
    paths: tuple[str, ...]


PAGE = 1000
"""Pictures that are read from the database at a time."""

_SHOWN = (
    "SELECT game_id, name, path, sha256, width, height, mode FROM games JOIN banners USING (game_id)"
    " WHERE gone_at IS NULL"
)
_UNMEASURED = (
    "FROM banners JOIN games USING (game_id) WHERE gone_at IS NULL AND kind = ? AND NOT ("
    "EXISTS (SELECT 1 FROM measures WHERE measures.sha256 = banners.sha256 AND version = ?) AND "
    "EXISTS (SELECT 1 FROM difference_hashes AS h WHERE h.sha256 = banners.sha256 AND h.version = ?))"
)


class Curation:
    """The tables behind `check`. Call every method that writes inside `Gallery.transaction`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def shown(self, kind: str) -> Iterator[Shown]:
        """Yield the banners of a kind that present games show, in the order of game ids."""
        rows = self._db.execute(f"{_SHOWN} AND kind = ? ORDER BY game_id", (kind,))
        return (Shown(*row) for row in rows)

    def shown_by(self, game_ids: Iterable[str], kind: str) -> list[Shown]:
        """Return those banners of a kind that some of the present games show, in the order of game ids."""
        rows = self._db.execute(
            f"{_SHOWN} AND kind = ? AND game_id IN (SELECT value FROM json_each(?)) ORDER BY game_id",  # noqa: S608
            (kind, json.dumps(list(game_ids))),
        )
        return [Shown(*row) for row in rows]

    def originals(self, game_ids: Iterable[str], kind: str) -> dict[str, Original]:
        """Return the files of those banners of a kind that some of the present games show, by game id."""
        rows = self._db.execute(
            "SELECT game_id, origin, sources.kind = 'store', source_id, size, mtime_ns, format, mode, width, height"
            " FROM games JOIN banners USING (game_id) JOIN sources USING (source_id)"
            " WHERE gone_at IS NULL AND banners.kind = ? AND game_id IN (SELECT value FROM json_each(?))",
            (kind, json.dumps(list(game_ids))),
        )
        return {
            key: Original(key, origin, bool(from_store), *rest) for key, origin, from_store, *rest in rows
        }

    def measured(self, kind: str, version: int) -> Iterator[tuple[Shown, dict[str, float]]]:
        """Yield what `shown` does, each with its measurements; these are empty if there are none."""
        rows = self._db.execute(
            "SELECT game_id, name, path, banners.sha256, width, height, mode, json"
            " FROM games JOIN banners USING (game_id)"
            " LEFT JOIN measures ON measures.sha256 = banners.sha256 AND version = ?"
            " WHERE gone_at IS NULL AND kind = ? ORDER BY game_id",
            (version, kind),
        )
        return ((Shown(*row), json.loads(written) if written else {}) for *row, written in rows)

    def sizes(self, kind: str) -> list[tuple[int, int, int]]:
        """Return the sizes of the banners of a kind, as (width, height, number of games), the most common first.

        Of equally common ones the first has the lowest game id.
        """
        return self._db.execute(
            "SELECT width, height, count(*) FROM banners JOIN games USING (game_id)"
            " WHERE gone_at IS NULL AND kind = ? GROUP BY width, height ORDER BY count(*) DESC, min(game_id)",
            (kind,),
        ).fetchall()

    def shared(self, kind: str, least: int) -> dict[str, int]:
        """Return the pictures that present games of at least so many different names show: their number, by sha256."""
        return dict(
            self._db.execute(
                "SELECT sha256, count(DISTINCT name) AS names FROM banners JOIN games USING (game_id)"
                " WHERE gone_at IS NULL AND kind = ? GROUP BY sha256 HAVING names >= ?",
                (kind, least),
            )
        )

    def unmeasured(self, kind: str, version: int, hashed: int) -> Iterator[Unmeasured]:
        """Yield the pictures of a kind that lack measurements or a difference hash, each once, by sha256.

        Both may be stored while this is read: it is read in pages.

        Args:
            kind: of banner.
            version: of the measurements.
            hashed: the version of the difference hashes.
        """
        last = ""
        while page := self._db.execute(
            f"SELECT banners.sha256, json_group_array(path) {_UNMEASURED}"
            " AND banners.sha256 > ? GROUP BY banners.sha256 ORDER BY banners.sha256 LIMIT ?",
            (kind, version, hashed, last, PAGE),
        ).fetchall():
            for sha256, paths in page:
                yield Unmeasured(sha256, tuple(json.loads(paths)))
            last = page[-1][0]

    def count_unmeasured(self, kind: str, version: int, hashed: int) -> int:
        """Count what `unmeasured` yields."""
        sql = f"SELECT count(DISTINCT banners.sha256) {_UNMEASURED}"
        return int(self._db.execute(sql, (kind, version, hashed)).fetchone()[0])

    def measures_of(self, sha256s: Iterable[str], version: int) -> dict[str, dict[str, float]]:
        """Return the measurements of pictures, by their sha256; those that were not measured are missing."""
        rows = self._db.execute(
            "SELECT sha256, json FROM measures WHERE version = ? AND sha256 IN (SELECT value FROM json_each(?))",
            (version, json.dumps(list(sha256s))),
        )
        return {sha256: json.loads(written) for sha256, written in rows}

    def put_measures(self, version: int, measured: Iterable[tuple[str, Mapping[str, float]]]) -> None:
        """Store measurements of pictures."""
        self._db.executemany(
            "INSERT OR REPLACE INTO measures VALUES (?, ?, ?)",
            [(sha256, version, json.dumps(values)) for sha256, values in measured],
        )

    def hashes(self, version: int, sha256s: Iterable[str]) -> dict[str, bytes]:
        """Return the difference hashes of those of the given pictures that have one, by sha256."""
        return dict(
            self._db.execute(
                "SELECT sha256, hash FROM difference_hashes"
                " WHERE version = ? AND sha256 IN (SELECT value FROM json_each(?))",
                (version, json.dumps(list(sha256s))),
            )
        )

    def put_hashes(self, version: int, hashes: Iterable[tuple[str, bytes]]) -> None:
        """Store difference hashes of pictures, given as (sha256, hash)."""
        self._db.executemany(
            "INSERT OR REPLACE INTO difference_hashes VALUES (?, ?, ?)",
            [(sha256, version, written) for sha256, written in hashes],
        )

    def miniatures(self, version: int, sha256s: Iterable[str]) -> dict[str, bytes]:
        """Return the miniatures of those of the given pictures that have one, by sha256."""
        return dict(
            self._db.execute(
                "SELECT sha256, miniature FROM miniatures"
                " WHERE version = ? AND sha256 IN (SELECT value FROM json_each(?))",
                (version, json.dumps(list(sha256s))),
            )
        )

    def put_miniatures(self, version: int, miniatures: Iterable[tuple[str, bytes]]) -> None:
        """Store miniatures of pictures, given as (sha256, miniature)."""
        self._db.executemany(
            "INSERT OR REPLACE INTO miniatures VALUES (?, ?, ?)",
            [(sha256, version, written) for sha256, written in miniatures],
        )

    def decisions(self) -> Iterator[Decision]:
        """Yield all decisions."""
        for row in self._db.execute("SELECT game_a, game_b, verdict FROM decisions ORDER BY game_a, game_b"):
            yield Decision(*row)

    def latest(self) -> Decision | None:
        """Return the decision that was recorded last; None if there is none."""
        row = self._db.execute(
            "SELECT game_a, game_b, verdict FROM decisions ORDER BY noted_at DESC, game_a, game_b LIMIT 1"
        ).fetchone()
        return Decision(*row) if row else None

    def forget(self, game: str, other: str) -> bool:
        """Delete the decision about two games, or about one if `other` is ""; return whether there was one."""
        pair = sorted((game, other)) if other else (game, "")
        return bool(
            self._db.execute("DELETE FROM decisions WHERE game_a = ? AND game_b = ?", (*pair,)).rowcount
        )

    def decide(self, decisions: Iterable[Decision]) -> None:
        """Record decisions; a later decision about the same games replaces an earlier one."""
        self._db.executemany(
            "INSERT OR REPLACE INTO decisions VALUES (?, ?, ?, ?)",
            [
                (*(sorted((one.game, one.other)) if one.other else (one.game, "")), one.verdict, now())
                for one in decisions
            ],
        )

    def excluded(self) -> dict[str, str]:
        """Return the games that searches skip, each with its flaw."""
        return dict(self._db.execute("SELECT game_id, reason FROM exclusions ORDER BY game_id"))

    def exclude(self, games: Mapping[str, str]) -> int:
        """Make searches skip games, given with their flaws; return how many are newly excluded."""
        count = self._db.executemany(
            "INSERT OR IGNORE INTO exclusions VALUES (?, ?, ?)",
            [(game_id, reason, now()) for game_id, reason in games.items()],
        ).rowcount
        if count > 0:
            self._bump()
        return max(count, 0)

    def restore(self, reasons: Iterable[str] | None) -> int:
        """Include games again that were excluded for the given flaws, or for any; return how many."""
        if reasons is None:
            count = self._db.execute("DELETE FROM exclusions").rowcount
        else:
            count = sum(
                self._db.execute("DELETE FROM exclusions WHERE reason = ?", (reason,)).rowcount
                for reason in reasons
            )
        if count:
            self._bump()
        return count

    def _bump(self) -> None:
        self._db.execute("UPDATE catalogue SET revision = revision + 1")
