"""Limits on how many requests run slow work, or wait for it, at the same time.

A waiting request holds one of the server's few threads (40, anyio's default). When too many wait already, further
requests are refused at once with 503 and Retry-After, so that threads remain for all other requests.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from steamdino.errors import BusyError
from steamdino.present.web.deadline import left

FETCHING = 8
"""Pictures that one process fetches from addresses at the same time. No fetch waits for another."""

ENCODING = 16
"""Requests per process that run a model or wait for it. One runs at a time: it uses all cores, and little memory."""

COMPUTING = 8
"""Requests per process that compute a cached list that takes minutes (unique games, duplicates), or wait for one."""

READING = 16
"""Requests per process that compare changes, or wait for that. One does at a time: it reads much of the database."""


class ConcurrencyLimit:
    """A limit on simultaneous work. Threads may share it."""

    def __init__(self, most: int, busy: str, retry: int) -> None:
        """Create a limit.

        Args:
            most: maximum number of simultaneous requests, including those that wait for a lock.
            busy: what the server is busy with, for the error message.
            retry: seconds after which a refused client may try again.
        """
        self._places = threading.BoundedSemaphore(most)
        self._busy = busy
        self._retry = retry

    @contextmanager
    def taken(self, lock: threading.Lock | None = None) -> Iterator[None]:
        """Hold a place, and a lock for which it waits as long as the request may take.

        Raises:
            BusyError: all places are taken, or the request's time is up.
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
                if not left():  # the client no longer waits for the answer
                    raise self._refusal()
                yield
            finally:
                lock.release()
        finally:
            self._places.release()

    def _refusal(self) -> BusyError:
        return BusyError(f"this server is busy {self._busy}; try again in {self._retry} s", self._retry)


class WorkLimits:
    """Limits on slow work in one process: models run one at a time, and lists are computed once."""

    def __init__(self) -> None:
        self._models = threading.Lock()
        self._encoding = ConcurrencyLimit(ENCODING, "with other pictures", 2)
        self._computing = ConcurrencyLimit(COMPUTING, "computing that for the first time", 10)
        self._history = threading.Lock()
        self._reading = ConcurrencyLimit(READING, "with other lists of changes", 2)

    def encoding(self) -> AbstractContextManager[None]:
        """Hold the permission to run a model, whichever recipe it belongs to.

        Raises:
            BusyError: too many requests are waiting for it already.
        """
        return self._encoding.taken(self._models)

    def computing(self, lock: threading.Lock) -> AbstractContextManager[None]:
        """Hold the permission to compute a list, and its lock.

        Raises:
            BusyError: too many requests are waiting for it already.
        """
        return self._computing.taken(lock)

    def reading(self) -> AbstractContextManager[None]:
        """Hold the permission to compare changes, one request at a time: a list may go back for years.

        Raises:
            BusyError: too many requests are waiting for it already.
        """
        return self._reading.taken(self._history)
