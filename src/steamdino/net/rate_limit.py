"""Keeps requests below a rate, as the server measures it."""

from __future__ import annotations

import heapq
import math
import threading
import time
from types import TracebackType

NEVER = float("-inf")


class RateLimiter:
    """At most `rate` requests arrive in any second, whichever second one looks at; 0 for no limit.

    There are as many permits as requests in a window of time. A request takes one and gives it back when it is
    answered; nobody takes it again before another window has passed. Of more requests within one window two would have
    had the same permit, and the second was sent a window after the first had been *answered*, hence arrived: so the
    bound holds at the server, however long requests travel and threads sleep. Requests are spread evenly besides.

    Use it as a context manager around each request, from any thread.
    """

    def __init__(self, rate: float, stopped: threading.Event | None = None) -> None:
        """Makes it.

        Args:
            rate: requests a second; below 1 for less than one each second, 0 for no limit.
            stopped: when set, nobody waits any longer; whoever asks must look at it.
        """
        self._stopped = stopped or threading.Event()
        permits = max(1, math.floor(rate))
        self._window = max(1.0, permits / rate) if rate else 0.0
        self._step = self._window / permits
        self._free = (
            [NEVER] * permits if rate else []
        )  # a heap of the moments from which on each may be taken
        self._next = NEVER  # the earliest moment of the next request
        self._changed = threading.Condition()

    def hold(self, seconds: float) -> None:
        """Lets nobody begin for so long: a server that is overloaded asked everyone to wait, not one request."""
        with self._changed:
            self._next = max(self._next, time.monotonic() + seconds)

    def __enter__(self) -> None:
        if self._window:
            with self._changed:
                while not self._free and not self._stopped.is_set():
                    self._changed.wait(0.1)
                now = time.monotonic()
                start = max(now, heapq.heappop(self._free) if self._free else now, self._next)
                self._next = start + self._step
        else:
            start = self._next
        while (left := start - time.monotonic()) > 0 and not self._stopped.wait(left):
            pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._window:
            with self._changed:
                heapq.heappush(self._free, time.monotonic() + self._window)
                self._changed.notify()
