"""What could not be used, as rows: entries that `add` refused, and pictures that `build` could not encode."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator

from steamdino.gallery.clock import now
from steamdino.gallery.games import Source
from steamdino.records import Problem


class Problems:
    """The table of problems. Call every method that writes inside `Gallery.transaction`."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def put_scan(self, source: Source, problems: Iterable[Problem]) -> None:
        """Replace the problems of a source's last scan."""
        self._db.execute("DELETE FROM problems WHERE source_id = ? AND stage = 'add'", (source.id,))
        self._db.executemany(
            "INSERT INTO problems (source_id, stage, place, game_id, reason, noted_at) VALUES (?, 'add', ?, ?, ?, ?)",
            [(source.id, p.where, p.id, p.reason, now()) for p in problems],
        )

    def put_build(self, game_ids: Iterable[str], reason: str, undecodable: str | None) -> None:
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

    def drop_settled(self) -> None:
        """Delete the problems of pictures that have since been replaced, encoded or removed."""
        self._db.execute(
            "DELETE FROM problems WHERE stage = 'build' AND NOT EXISTS ("
            " SELECT 1 FROM banners JOIN games USING (game_id)"
            " WHERE banners.game_id = problems.game_id AND gone_at IS NULL"
            " AND (problems.sha256 = banners.sha256 OR problems.sha256 IS NULL"
            "  AND NOT EXISTS (SELECT 1 FROM vectors WHERE vectors.sha256 = banners.sha256)))"
        )

    def known(self) -> Iterator[tuple[str, str, Problem]]:
        """Yield everything that could not be used: (source's name, stage, problem)."""
        for name, stage, place, key, reason in self._db.execute(
            "SELECT sources.name, stage, place, game_id, reason FROM problems JOIN sources USING (source_id)"
            " ORDER BY sources.name, stage, problems.rowid"
        ):
            yield name, stage, Problem(place, reason, key)
