"""Durations of the stages of a request."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_STAGES: ContextVar[dict[str, float] | None] = ContextVar("stages", default=None)


@contextmanager
def collecting() -> Iterator[dict[str, float]]:
    """Collect the seconds of each stage within the block, including in threads that it starts."""
    found: dict[str, float] = {}
    token = _STAGES.set(found)
    try:
        yield found
    finally:
        _STAGES.reset(token)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Count the block's time towards a stage."""
    started = time.perf_counter()
    try:
        yield
    finally:
        found = _STAGES.get()
        if found is not None:
            found[name] = found.get(name, 0.0) + time.perf_counter() - started
