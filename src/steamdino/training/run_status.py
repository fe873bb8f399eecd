"""The progress of a run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Status:
    """The progress of a run.

    Attributes:
        epoch, epochs: the current epoch, counted from 1, and their number.
        step, steps: the current step over the whole run, and their number.
        loss, entropy: averages over the epoch so far.
        rate: banners per second since the run was started.
        seconds_left: estimated at that rate.
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
    """Sums over an epoch; stored in its checkpoints."""

    passes: int = 0
    loss: float = 0.0
    entropy: float = 0.0

    @property
    def averages(self) -> tuple[float, float]:
        """The averages of the loss and of the entropy; 0 before the first pass."""
        passes = max(self.passes, 1)
        return self.loss / passes, self.entropy / passes
