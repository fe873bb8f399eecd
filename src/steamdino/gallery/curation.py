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


class Curation:
    """The tables behind `check`. Call every method that writes inside `Gallery.transaction`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def shown(self, kind: str) -> list[Shown]:
        """Return the banners of a kind that present games show, in the order of game ids."""
        rows = self._db.execute(
            "SELECT game_id, name, path, sha256, width, height, mode FROM banners JOIN games USING (game_id)"
            " WHERE gone_at IS NULL AND kind = ? ORDER BY game_id",
            (kind,),
        )
        return [Shown(*row) for row in rows]

    def measures(self, version: int) -> dict[str, dict[str, float]]:
        """Return the measurements of each picture, by sha256."""
        rows = self._db.execute("SELECT sha256, json FROM measures WHERE version = ?", (version,))
        return {sha256: json.loads(written) for sha256, written in rows}

    def put_measures(self, version: int, measured: Iterable[tuple[str, Mapping[str, float]]]) -> None:
        """Store measurements of pictures."""
        self._db.executemany(
            "INSERT OR REPLACE INTO measures VALUES (?, ?, ?)",
            [(sha256, version, json.dumps(values)) for sha256, values in measured],
        )

    def decisions(self) -> Iterator[Decision]:
        """Yield all decisions."""
        for row in self._db.execute("SELECT game_a, game_b, verdict FROM decisions ORDER BY game_a, game_b"):
            yield Decision(*row)

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
