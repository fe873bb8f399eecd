"""What `check` measured of pictures, and what a person decided about games."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from steamdino.gallery.clock import now

SAME, DIFFERENT, KEEP = "same", "different", "keep"
"""Verdicts: two games show the same, they do not, a game is never to be removed."""


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's decision about one or two games, by id; `other` is "" where it is about one."""

    game: str
    other: str
    verdict: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A game's banner, with what is known of it without decoding it.

    Attributes:
        game_id, name: the game's.
        path: as `layout.portable` wrote it.
        sha256, width, height, mode: of the banner.
    """

    game_id: str
    name: str
    path: str
    sha256: str
    width: int
    height: int
    mode: str


class Curation:
    """The tables of `check`. Every method that writes must be called inside `Gallery.transaction`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def shown(self, kind: str) -> list[Shown]:
        """The banners of a kind that present games show, by game."""
        rows = self._db.execute(
            "SELECT game_id, name, path, sha256, width, height, mode FROM banners JOIN games USING (game_id)"
            " WHERE gone_at IS NULL AND kind = ? ORDER BY game_id",
            (kind,),
        )
        return [Shown(*row) for row in rows]

    def measures(self, version: int) -> dict[str, dict[str, float]]:
        """What was measured of each picture, by sha256."""
        rows = self._db.execute("SELECT sha256, json FROM measures WHERE version = ?", (version,))
        return {sha256: json.loads(written) for sha256, written in rows}

    def put_measures(self, version: int, measured: Iterable[tuple[str, Mapping[str, float]]]) -> None:
        """Stores what was measured of pictures."""
        self._db.executemany(
            "INSERT OR REPLACE INTO measures VALUES (?, ?, ?)",
            [(sha256, version, json.dumps(values)) for sha256, values in measured],
        )

    def decisions(self) -> Iterator[Decision]:
        """All that were made."""
        for row in self._db.execute("SELECT game_a, game_b, verdict FROM decisions ORDER BY game_a, game_b"):
            yield Decision(*row)

    def decide(self, decisions: Iterable[Decision]) -> None:
        """Notes decisions; a later one about the same games takes the place of an earlier one."""
        self._db.executemany(
            "INSERT OR REPLACE INTO decisions VALUES (?, ?, ?, ?)",
            [
                (*(sorted((one.game, one.other)) if one.other else (one.game, "")), one.verdict, now())
                for one in decisions
            ],
        )

    def excluded(self) -> dict[str, str]:
        """The games that searches skip, each with the flaw."""
        return dict(self._db.execute("SELECT game_id, reason FROM exclusions ORDER BY game_id"))

    def exclude(self, games: Mapping[str, str]) -> int:
        """Makes searches skip games, given with the flaw; returns how many were not skipped before."""
        count = self._db.executemany(
            "INSERT OR IGNORE INTO exclusions VALUES (?, ?, ?)",
            [(game_id, reason, now()) for game_id, reason in games.items()],
        ).rowcount
        if count > 0:
            self._bump()
        return max(count, 0)

    def restore(self, reasons: Iterable[str] | None) -> int:
        """Takes games back that were excluded for some flaws, or for any; returns how many."""
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
