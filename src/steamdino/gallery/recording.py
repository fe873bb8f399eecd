"""Records what happens to games and banners, in the transactions that change them; `gallery.history` reads it."""

from __future__ import annotations

import sqlite3

from steamdino.gallery.clock import DAY, now


def record_return(connection: sqlite3.Connection, game_id: str) -> None:
    """Record that a game is found again, if it was gone; call it before `games.gone_at` is cleared."""
    connection.execute(
        "INSERT INTO absences SELECT game_id, gone_at, ? FROM games"
        " WHERE game_id = ? AND gone_at IS NOT NULL",
        (now(), game_id),
    )


def record_banner(
    connection: sqlite3.Connection, game_id: str, kind: str, sha256: str | None, *, keep_old: bool
) -> None:
    """Record that a game's banner changes; call it before the row of the banner is written.

    The first banner of a game is part of its appearance, and only recorded if it comes on a later day.

    Args:
        connection: to the gallery's database.
        game_id, kind: whose banner.
        sha256: of the new banner; None if it is removed.
        keep_old: keep the gallery's copy of the old picture.
    """
    row = connection.execute(
        "SELECT sha256, iif(path != origin, path, NULL) FROM banners WHERE game_id = ? AND kind = ?",
        (game_id, kind),
    ).fetchone()
    old, copy = row or (None, None)
    at = now()
    if old == sha256 or (old is None and not _had_time(connection, game_id, kind, at)):
        return
    connection.execute(
        "INSERT INTO banner_changes (game_id, kind, at, old_sha256, new_sha256, picture) VALUES (?, ?, ?, ?, ?, ?)",
        (game_id, kind, at, old, sha256, copy if keep_old else None),
    )


def _had_time(connection: sqlite3.Connection, game_id: str, kind: str, at: str) -> bool:
    """Whether a game without a banner appeared on an earlier day, or had one before."""
    (earlier,) = connection.execute(
        "SELECT substr(added_at, 1, :day) != substr(:at, 1, :day)"
        "  OR EXISTS (SELECT 1 FROM banner_changes b WHERE b.game_id = games.game_id AND kind = :kind)"
        " FROM games WHERE game_id = :game",
        {"day": DAY, "at": at, "kind": kind, "game": game_id},
    ).fetchone()
    return bool(earlier)
