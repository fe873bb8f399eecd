"""The catalogue's revision: a counter that grows with every change that a snapshot would show."""

from __future__ import annotations

import sqlite3


def revision(connection: sqlite3.Connection) -> int:
    """Return the counter."""
    return int(connection.execute("SELECT revision FROM catalogue").fetchone()[0])


def bump(connection: sqlite3.Connection) -> None:
    """Increase the counter; call it in the transaction that makes the change."""
    connection.execute("UPDATE catalogue SET revision = revision + 1")
