"""The least that a match must have: a similarity, a percentile, or both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steamdino.errors import UsageError
from steamdino.index.similarity_distribution import ALIKE

HALF_SIMILARITY, HALF_PERCENTILE = 0.5e-6, 0.5e-5
"""Half a unit of the last decimal with which answers show similarities (6 decimals) and percentiles (5). A value that
was copied from an answer therefore still finds its match."""


@dataclass(frozen=True, slots=True)
class Cutoff:
    """The lowest similarity and percentile that a match may have. It is false if it has no condition.

    A ranking falls in both, so a cutoff shortens it and changes nothing else about it.

    Attributes:
        min_similarity: lowest cosine, from -1 to 1; None for any.
        min_percentile: lowest percentile, from 0 to 100; None for any. A match whose percentile is unknown fails it.

    Raises:
        UsageError: a value is out of its range.
    """

    min_similarity: float | None = None
    min_percentile: float | None = None

    def __post_init__(self) -> None:
        for name, value, low, high in (
            ("similarity", self.min_similarity, -1, 1),
            ("percentile", self.min_percentile, 0, 100),
        ):
            if value is not None and not low <= value <= high:  # NaN is in no range
                raise UsageError(f"the minimum {name} is {value:g}; it must be from {low} to {high}")

    @classmethod
    def of(cls, min_similarity: float | None, min_percentile: float | None, *, alike: bool) -> Cutoff:
        """Make a cutoff; `alike` raises the percentile to `index.similarity_distribution.ALIKE`.

        Raises:
            UsageError: a value is out of its range.
        """
        if min_similarity is None and min_percentile is None:
            return ALIKE_MATCHES if alike else EVERY_MATCH  # as nearly every search has it
        made = cls(min_similarity, min_percentile)
        return cls(made.min_similarity, max(ALIKE, made.min_percentile or 0.0)) if alike else made

    def __bool__(self) -> bool:
        return self.min_similarity is not None or self.min_percentile is not None

    def passes(self, cosines: NDArray[np.float32], percentiles: Any) -> NDArray[np.bool_]:
        """Find the matches that have enough of both.

        Args:
            cosines: float32, of any shape.
            percentiles: numbers of the same shape; None or NaN where one is unknown.

        Returns:
            bool, of that shape.
        """
        passing = np.ones(cosines.shape, np.bool_)
        if self.min_similarity is not None:
            passing &= cosines.astype(np.float64) >= self.min_similarity - HALF_SIMILARITY
        if self.min_percentile is not None:
            passing &= np.array(percentiles, np.float64) >= self.min_percentile - HALF_PERCENTILE
        return passing

    def __str__(self) -> str:
        """What a match must have, in words: "a similarity of 0.5 and the 99th percentile"."""
        parts = []
        if self.min_similarity is not None:
            parts.append(f"a similarity of {self.min_similarity:g}")
        if self.min_percentile is not None:
            parts.append(f"a percentile of {self.min_percentile:g}")
        return " and ".join(parts)


EVERY_MATCH, ALIKE_MATCHES = Cutoff(), Cutoff(min_percentile=ALIKE)
"""The cutoff that all matches pass, and that of ``--alike``."""
