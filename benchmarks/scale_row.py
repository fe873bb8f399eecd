"""One figure that `scale.py` measures, and the target that it must reach."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from scale_made import Made


@dataclass(frozen=True)
class Target:
    """What a figure must reach: a multiple of the one before, or a limit.

    Attributes:
        times: how many times as good as before it must be.
        limit: the highest value, or the lowest if more is better.
    """

    times: float | None = None
    limit: float | None = None


@dataclass(frozen=True)
class Row:
    """One figure.

    Attributes:
        name: what `--only` takes.
        title: what the table shows.
        unit: of the figure.
        measure: returns it for a program's gallery, or raises a `MeasureError`.
        target: what it must reach; None if it is only reported.
        more: whether more is better.
        rounds: how often it is measured in turns; the best one counts.
        compared: whether it is measured for the program before, too.
        million: whether it belongs to a run with a million games.
    """

    name: str
    title: str
    unit: str
    measure: Callable[[Made], float]
    target: Target | None = None
    more: bool = False
    rounds: int = 1
    compared: bool = True
    million: bool = False

    def ratio(self, before: float | None, now: float | None) -> float | None:
        """Return how many times as good as before the figure is; None if that is unknown."""
        if before is None or now is None or min(before, now) <= 0:
            return None
        return now / before if self.more else before / now

    def met(self, before: float | None, now: float | None, *, compared: bool) -> bool | None:
        """Return whether the target is reached; None if there is none, or nothing to compare with.

        Args:
            before, now: the figures; None for one that could not be measured.
            compared: whether there is a program before.
        """
        if self.target is None:
            return None
        if now is None:
            return False
        if self.target.limit is not None:
            return now >= self.target.limit if self.more else now <= self.target.limit
        assert self.target.times is not None
        if not compared:
            return None
        ratio = self.ratio(before, now)
        return ratio is not None and ratio >= self.target.times

    def wanted(self) -> str:
        """Return the target as a text."""
        if self.target is None:
            return ""
        if self.target.times is not None:
            return "not slower" if self.target.times < 1 else f"{self.target.times:g} times"
        return f"{'at least' if self.more else 'at most'} {self.target.limit:g} {self.unit}".rstrip()
