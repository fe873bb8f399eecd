"""Results that are computed once for a served snapshot, at the first request that needs them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from steamdino.present.web.concurrency import WorkLimits


class KeptResults:
    """Results by name. Threads may share it."""

    def __init__(self, work: WorkLimits) -> None:
        self._work = work
        self._locks: dict[str, threading.Lock] = {}
        self._kept: dict[str, Any] = {}

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """Return the result that is computed, quickly, at the first call with a name, and then kept."""
        if name not in self._kept:
            with self._lock(name):
                if name not in self._kept:
                    self._kept[name] = make()
        return self._kept[name]

    def once_slowly(self, name: str, make: Callable[[], Any]) -> Any:
        """Return a result that is kept likewise, but takes minutes to compute for a large gallery.

        Raises:
            BusyError: it is being computed, and too many requests are waiting already.
        """
        if name not in self._kept:
            with self._work.computing(self._lock(f"{name} being computed")):
                self.once(name, make)
        return self._kept[name]

    def _lock(self, name: str) -> threading.Lock:
        return self._locks.setdefault(name, threading.Lock())
