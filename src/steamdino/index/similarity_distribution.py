"""The distribution of cosines over the pairs of one gallery, which gives a similarity its meaning.

A cosine of 0.62 is not "62 % alike", and cosines under two recipes cannot be compared, since each recipe has its own
scale. Percentiles among the pairs of the same snapshot can be compared: "closer than 99.98 % of pairs".

Only pairs of different pictures count. Copies of one file say nothing about how alike two banners look.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 1 << 13
"""Bins of the histogram from -1 to 1. Each is 0.00024 wide, which is finer than cosines of float16 vectors."""

PAIRS = 1 << 23
"""Maximum number of pairs to sample: takes less than a second, and is enough for a percentile of 99.9999."""

ROWS = 1000
"""Maximum number of rows whose pairs are sampled, evenly spaced over the snapshot."""

BLOCK, OTHERS = 32, 1 << 15
"""Rows at a time, and rows that they are compared with at a time. Their cosines take a few megabytes, however many rows
there are."""

ALIKE = 99.9
"""Lowest percentile of pairs at which two banners count as alike (``--alike``)."""

SAME_THING = 0.5
"""Standardised similarity, ``(cosine - median) / (1 - median)``, from which two banners show the same thing."""

FEWEST_PAIRS = 1_000
"""Pairs from which the level of chance is known: fewer do not show the 99th percentile."""

SHARES, SCORES = (0.5, 0.9, 0.99), (0.0, 1.2815515655446004, 2.3263478740408408)
"""Shares of pairs whose cosines are extrapolated to the level of chance, and the standard normal quantiles there."""

FRACTIONS = (
    *(step / 100 for step in range(100)),
    *(1 - 10**-power * (10 - step) / 10 for power in (2, 3, 4, 5) for step in range(power == 2, 10)),
)
"""The quantiles to keep: dense near 1, where similar banners are."""


@dataclass(frozen=True)
class Distribution:
    """The distribution of a snapshot's cosines. It is immutable, so threads may share it.

    Attributes:
        pairs: number of sampled pairs.
        quantiles: (share of the pairs with a smaller cosine, cosine), rising in both, as far as `pairs` allows.
        nearest: the same for the cosine of each row and its nearest neighbour.
    """

    pairs: int
    quantiles: tuple[tuple[float, float], ...]
    nearest: tuple[tuple[float, float], ...]

    def percentiles(self, cosines: NDArray[np.float32]) -> list[Any]:
        """Return the percentile of each cosine among the pairs, at most what the sample can resolve.

        Args:
            cosines: float32, of any shape.

        Returns:
            floats, as lists nested like the shape.
        """
        found: list[Any] = (100 * np.interp(cosines, self._table[:, 1], self._table[:, 0])).tolist()
        return found

    @property
    def usual(self) -> dict[str, float]:
        """The median cosine of pairs and of nearest neighbours, and the lowest cosine of banners that are alike."""
        nearest = np.array(self.nearest)
        return {
            "pairs": float(np.interp(0.5, *self._table.T)),
            "nearest": float(np.interp(0.5, *nearest.T)),
            "alike": float(np.interp(ALIKE / 100, *self._table.T)),
        }

    def chance(self, games: int) -> float | None:
        """Compute the level of chance: the cosine that the best of so many random pairs reaches every other time.

        A query has a best match even if no banner looks like it, because one of many is always the closest. A match
        below this level is no closer than that.

        The highest quantiles belong to banners that do look alike, so the random pairs' are extrapolated from those of
        `SHARES`, by a parabola through the cosines as a function of the normal quantile. That is exact for a normal
        distribution, and follows one that is skewed. Pairs that look alike only raise a quantile, so the level is at
        most that of all pairs. It is also at most the cosine of banners that show the same thing (`SAME_THING`).

        Args:
            games: how many games the best one is chosen from.

        Returns:
            None if there are too few games, or fewer pairs than `FEWEST_PAIRS`.
        """
        if games < 2 or self.pairs < FEWEST_PAIRS:
            return None
        share = 0.5 ** (1 / games)  # the median of the highest of so many
        middle, ninety, ninety_nine, highest = (
            float(np.interp(one, *self._table.T)) for one in (*SHARES, share)
        )
        first = (ninety - middle) / (SCORES[1] - SCORES[0])
        second = (ninety_nine - ninety) / (SCORES[2] - SCORES[1])
        bend = max(0.0, (second - first) / (SCORES[2] - SCORES[0]))
        score = _normal_quantile(share)
        random = middle + first * score + bend * score * (score - SCORES[1])
        return min(random, highest, middle + SAME_THING * (1 - middle))

    @cached_property
    def _table(self) -> NDArray[np.float64]:
        return np.array(self.quantiles)

    @property
    def record(self) -> dict[str, Any]:
        """Its form in a manifest, which `from_record` reads."""
        return {
            "pairs": self.pairs,
            "quantiles": [[round(share, 7), round(cosine, 5)] for share, cosine in self.quantiles],
            "nearest": [[round(share, 7), round(cosine, 5)] for share, cosine in self.nearest],
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Distribution:
        """Read what `record` returned.

        Raises:
            ValueError, TypeError, KeyError: it is not such a record.
        """

        def rising(rows: Sequence[Sequence[float]]) -> tuple[tuple[float, float], ...]:
            pairs = tuple((float(share), float(cosine)) for share, cosine in rows)
            ordered = sorted(pairs) == list(pairs) and sorted(pairs, key=lambda pair: pair[1]) == list(pairs)
            if (
                not pairs
                or not ordered
                or not all(0 <= share < 1 and -1.01 <= c <= 1.01 for share, c in pairs)
            ):
                raise ValueError("quantiles do not rise")
            return pairs

        return cls(int(record["pairs"]), rising(record["quantiles"]), rising(record["nearest"]))


def distribution(vectors: NDArray[np.float32], pictures: Iterable[str]) -> Distribution | None:
    """Measure the cosines of evenly spaced rows with all other rows.

    It needs 8 bytes of memory for each row besides the vectors, which may be mapped from a file.

    Args:
        vectors: float32, shape (n, dim), rows of length 1.
        pictures: the sha256 of each row's picture; consumed one by one.

    Returns:
        None if there is no pair of different pictures.
    """
    count = len(vectors)
    # 64 bits distinguish pictures well enough. The whole digests would take more memory than short vectors.
    content = np.fromiter(map(hash, pictures), np.int64, count)
    chosen = np.linspace(0, count - 1, min(count, ROWS, max(1, PAIRS // max(count, 1)))).astype(np.int64)
    histogram = np.zeros(BINS, np.int64)
    best = []
    for start in range(0, len(chosen), BLOCK):
        rows = chosen[start : start + BLOCK]
        nearest_of = np.full(len(rows), -np.inf, np.float32)
        for left in range(0, count, OTHERS):
            cosines = vectors[rows] @ vectors[left : left + OTHERS].T
            others = content[rows][:, np.newaxis] != content[left : left + OTHERS]
            levels = ((cosines + 1) * (BINS / 2)).astype(np.int32).clip(0, BINS - 1)
            histogram += np.bincount(levels[others], minlength=BINS)
            cosines[~others] = -np.inf
            np.maximum(nearest_of, cosines.max(axis=1), out=nearest_of)
        best += nearest_of[np.isfinite(nearest_of)].tolist()
    pairs = int(histogram.sum())
    if not pairs:
        return None
    below = np.cumsum(histogram) - histogram
    edges = np.arange(BINS) / (BINS / 2) - 1
    resolved = [share for share in FRACTIONS if share <= 1 - 1 / pairs]
    # The lower edge of the bin in which the share is reached, so that at most that share lies below.
    reached = [edges[np.searchsorted(below, share * pairs, "right") - 1] for share in resolved]
    nearest = np.quantile(best, [step / 20 for step in range(20)])
    return Distribution(
        pairs,
        tuple((share, float(cosine)) for share, cosine in zip(resolved, reached, strict=True)),
        tuple((step / 20, float(cosine)) for step, cosine in enumerate(nearest)),
    )


def _normal_quantile(share: float) -> float:
    """The standard normal distribution's quantile, by bisection: importing `statistics` takes longer than a search."""
    low, high = -10.0, 10.0
    for _ in range(60):
        middle = (low + high) / 2
        if math.erfc(-middle / math.sqrt(2)) / 2 < share:
            low = middle
        else:
            high = middle
    return low
