"""Databases in memory, which need not be closed."""

from __future__ import annotations

import sqlite3
from typing import Any


class _Connection(sqlite3.Connection):
    def __del__(self) -> None:
        self.close()  # Python 3.13 warns of those that nobody has closed


def memory_database(**options: Any) -> sqlite3.Connection:
    """Opens an empty database; the options are those of `sqlite3.connect`."""
    # The garbage collector, which may close it, runs in any thread.
    return sqlite3.connect(":memory:", factory=_Connection, check_same_thread=False, **options)
