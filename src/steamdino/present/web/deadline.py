"""When the answer to a request must be there, for whatever waits on its behalf."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_UNTIL: ContextVar[float] = ContextVar("until", default=math.inf)


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Gives what runs inside, and the threads that it starts, so many seconds."""
    token = _UNTIL.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _UNTIL.reset(token)


def left() -> float:
    """The seconds that are left, at least 0; infinity where no request is being answered."""
    return max(0.0, _UNTIL.get() - time.monotonic())
