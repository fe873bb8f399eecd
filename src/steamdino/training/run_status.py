"""Where a run is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Status:
    """Where a run is.

    Attributes:
        epoch, epochs: the one under way, counted from 1.
        step, steps: over the whole run.
        loss, entropy: averages over the epoch so far.
        rate: banners a second, since the run was started.
        seconds_left: at that rate.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    loss: float
    entropy: float
    rate: float
    seconds_left: float


@dataclass(slots=True)
class Sums:
    """What an epoch adds up; kept in its checkpoints."""

    passes: int = 0
    loss: float = 0.0
    entropy: float = 0.0
