"""Rate limits per client address: token buckets, for one process or for several that share a file."""

from __future__ import annotations

import math
import sqlite3
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

ADDRESSES = 10_000
"""Maximum number of client addresses whose requests are counted."""
SWEEP = 1_000
"""Requests after which a process removes the addresses from a shared file that have sent none for a minute."""
PATIENCE = 0.5
"""Seconds to wait for other processes. They hold the file for microseconds, so more would mean that it is broken."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a limit says about a request.

    Attributes:
        left: requests that the address may send at once after this one.
        full: seconds until it may send as many as ever.
        wait: 0 if the request is allowed, or the seconds after which one is.
    """

    left: int
    full: float
    wait: float


class Limiter(Protocol):
    """Counts requests of client addresses. Used by one thread of a process, the event loop's."""

    def count(self, address: str) -> Verdict:
        """Count a request."""


class LocalLimiter:
    """A limit of one process: a bucket that holds at most the requests of one minute."""

    def __init__(self, per_minute: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def count(self, address: str) -> Verdict:
        """Count a request."""
        now = self._clock()
        left, since = self._buckets.pop(address, (self._per_minute, now))
        left = min(self._per_minute, left + (now - since) * self._per_minute / 60)
        allowed = left >= 1
        left -= allowed
        self._buckets[address] = (left, now)
        if len(self._buckets) > ADDRESSES:
            self._buckets.popitem(last=False)
        return _verdict(left, allowed, self._per_minute)


_TABLE = """CREATE TABLE IF NOT EXISTS bucket (
    budget TEXT, address TEXT, remaining REAL, allowed INTEGER, since REAL, PRIMARY KEY (budget, address)
) WITHOUT ROWID"""
_FILLED = "min(:most, remaining + max(0, :now - since) * :most / 60)"
_COUNT = f"""INSERT INTO bucket VALUES (:budget, :address, :most - (:most >= 1), :most >= 1, :now)
    ON CONFLICT DO UPDATE SET remaining = {_FILLED} - ({_FILLED} >= 1), allowed = {_FILLED} >= 1, since = :now
    RETURNING remaining, allowed"""  # noqa: S608


class SharedLimiter:
    """A limit that the processes of one machine share by a SQLite file, so that it holds for all of them together.

    To divide the limit among them would not do: a client keeps its connection, and with it the process.
    """

    def __init__(
        self, file: Path, budget: str, per_minute: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Open or create the file.

        Args:
            file: where the buckets are kept.
            budget: what is counted; each has buckets of its own.
            per_minute: maximum number of requests per minute and address.
            clock: all processes must agree on it.
        """
        self._budget = budget
        self._per_minute = per_minute
        self._clock = clock
        self._counted = 0
        self._db = sqlite3.connect(file, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        weakref.finalize(self, self._db.close)
        # Nothing in it outlives the server, so nothing has to reach the disk.
        self._db.execute("PRAGMA journal_mode = OFF")
        self._db.execute("PRAGMA synchronous = OFF")
        self._db.execute(_TABLE)

    def count(self, address: str) -> Verdict:
        """Count a request. It is allowed if the file cannot be used, rather than refused to everybody."""
        now, most = self._clock(), self._per_minute
        self._counted += 1
        try:
            row = self._db.execute(
                _COUNT, {"budget": self._budget, "address": address, "most": most, "now": now}
            ).fetchone()
        except sqlite3.OperationalError:
            row = (most, True)
        if self._counted % SWEEP == 0:
            with suppress(sqlite3.OperationalError):
                self._db.execute(
                    "DELETE FROM bucket WHERE budget = ? AND since < ?", (self._budget, now - 60)
                )
        return _verdict(row[0], bool(row[1]), most)


def _verdict(left: float, allowed: bool, per_minute: float) -> Verdict:
    pace = 60 / per_minute
    return Verdict(math.floor(left), (per_minute - left) * pace, 0.0 if allowed else (1 - left) * pace)
