"""Bounds how many requests do something that takes long, or wait for it.

A request that waits in a thread holds one of the server's few threads (40, anyio's default). So that some are left for
everybody else, whoever comes when too many wait already is refused at once: 503 with Retry-After.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from steamdino.errors import BusyError
from steamdino.present.web.deadline import left

FETCHING = 8
"""Pictures that one process fetches by their addresses at the same time. None waits for another."""

ENCODING = 16
"""Requests of one process that run a model or wait for it. One runs at a time: it uses all cores, and little memory."""

COMPUTING = 8
"""Requests of one process that compute a list which takes minutes and is kept (unique games, duplicates), or wait for
one."""


class ConcurrencyLimit:
    """So many requests at the same time, and no more. Threads may share it."""

    def __init__(self, most: int, busy: str, retry: int) -> None:
        """Makes it.

        Args:
            most: requests at the same time, those included that wait for a lock.
            busy: what the server is busy with, for whoever is refused.
            retry: seconds after which they may ask again.
        """
        self._places = threading.BoundedSemaphore(most)
        self._busy = busy
        self._retry = retry

    @contextmanager
    def taken(self, lock: threading.Lock | None = None) -> Iterator[None]:
        """Holds a place, and a lock, for which it waits as long as the request may take.

        Raises:
            BusyError: all places are taken, or the time is up.
        """
        if not self._places.acquire(blocking=False):
            raise self._refusal()
        try:
            if lock is None:
                yield
                return
            seconds = left()
            if not lock.acquire(timeout=-1 if math.isinf(seconds) else min(seconds, threading.TIMEOUT_MAX)):
                raise self._refusal()
            try:
                if not left():  # nobody is there any more to take the answer
                    raise self._refusal()
                yield
            finally:
                lock.release()
        finally:
            self._places.release()

    def _refusal(self) -> BusyError:
        return BusyError(f"this server is busy {self._busy}; ask again in {self._retry} s", self._retry)
