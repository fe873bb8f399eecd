"""The deadline of a request, for all code that waits on its behalf."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_UNTIL: ContextVar[float] = ContextVar("until", default=math.inf)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Set a deadline in so many seconds for the block and the threads that it starts."""
    token = _UNTIL.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _UNTIL.reset(token)


def left() -> float:
    """Return the seconds that are left, at least 0; infinity if no request is being answered."""
    return max(0.0, _UNTIL.get() - time.monotonic())
