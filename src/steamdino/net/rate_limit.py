"""A limit on the request rate that holds at the server."""

from __future__ import annotations

import heapq
import math
import threading
import time
from types import TracebackType

NEVER = float("-inf")


class RateLimiter:
    """A rate limiter: at most `rate` requests arrive in any period of one second; 0 for no limit.

    There are as many permits as requests in a window of time. A request takes a permit and returns it when it is
    answered; the permit can be taken again only after another window has passed. If more requests than permits arrived
    within one window, two of them would have used the same permit; but the second was sent a window after the first
    had been *answered*, hence had arrived. So the bound holds at the server, however long requests travel and threads
    sleep. Requests are also spread evenly.

    Use it as a context manager around each request, from any thread.
    """

    def __init__(self, rate: float, stopped: threading.Event | None = None) -> None:
        """Create a rate limiter.

        Args:
            rate: requests per second; may be below 1; 0 for no limit.
            stopped: when set, waiting ends at once; callers must check it.
        """
        self._stopped = stopped or threading.Event()
        permits = max(1, math.floor(rate))
        self._window = max(1.0, permits / rate) if rate else 0.0
        self._step = self._window / permits
        self._free = (
            [NEVER] * permits if rate else []
        )  # a heap of the times from which each permit may be taken
        self._next = NEVER  # the earliest time of the next request
        self._changed = threading.Condition()

    def hold(self, seconds: float) -> None:
        """Delay all requests by some seconds: an overloaded server asked every client to wait, not one request."""
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
