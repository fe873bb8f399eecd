"""Estimates how long a build takes, from its first batches."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from steamdino.engines import Engine

SAMPLE = 4
"""How often an engine must have filled its concurrency before the estimate is made."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a build is about to do.

    Attributes:
        banners: different pictures to encode.
        seconds: about how long that takes on this machine, judging by the first few.
        precision: the inference precision.
    """

    banners: int
    seconds: float
    precision: str


class Estimator:
    """Announces a plan once, as soon as the rate is known."""

    def __init__(self, total: int, engine: Engine, announce: Callable[[Plan], None] | None) -> None:
        """Start the clock.

        Args:
            total: banners to encode.
            engine: that encodes them.
            announce: called once; None to announce nothing.
        """
        self._total = total
        self._precision = engine.inference_precision
        self._enough = min(SAMPLE * engine.concurrency, ceil(total / 4))
        self._announce = announce
        self._started = time.perf_counter()

    def update(self, done: int) -> None:
        """Announce the plan if enough banners are done and it was not announced yet."""
        if self._announce is None or done < self._enough:
            return
        seconds = (time.perf_counter() - self._started) * self._total / done
        self._announce(Plan(self._total, seconds, self._precision))
        self._announce = None
