"""What a similarity means in one gallery: how the cosines of its pairs are distributed.

A cosine of 0.62 is not "62 % alike", and cosines of two recipes cannot be compared: each has a scale of its own. Its
percentile among the pairs of the same snapshot can be: "closer than 99.98 % of pairs".

Pairs are those of different pictures: copies of one file say nothing about how alike two banners look.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 1 << 13
"""Of the histogram from -1 to 1: 0.00024 wide, finer than float16 vectors make a cosine."""

PAIRS = 1 << 23
"""The most pairs to look at: under a second, and enough for a percentile of 99.9999."""

ROWS = 1000
"""The most rows whose pairs are looked at, evenly spaced over the snapshot."""

BLOCK, OTHERS = 32, 1 << 15
"""Rows at a time, and of those that they are compared with: their cosines stay in a few megabytes, however many rows
there are."""

ALIKE = 99.9
"""The percentile of pairs from which on two banners count as alike (``--alike``)."""

FRACTIONS = (
    *(step / 100 for step in range(100)),
    *(1 - 10**-power * (10 - step) / 10 for power in (2, 3, 4, 5) for step in range(power == 2, 10)),
)
"""At which quantiles are kept: dense where it matters, near 1."""


@dataclass(frozen=True)
class Distribution:
    """The distribution of a snapshot's cosines. Threads may share it: it does not change.

    Attributes:
        pairs: how many were looked at.
        quantiles: (share of the pairs that are less alike, cosine), rising in both; to what `pairs` can tell.
        nearest: the same of each row's best match, for people who want to know what is usual.
    """

    pairs: int
    quantiles: tuple[tuple[float, float], ...]
    nearest: tuple[tuple[float, float], ...]

    def percentiles(self, cosines: NDArray[np.float32]) -> list[float]:
        """How many of a hundred pairs are less alike than each cosine; at most what the pairs looked at can tell."""
        found: list[float] = (100 * np.interp(cosines, self._table[:, 1], self._table[:, 0])).tolist()
        return found

    @property
    def usual(self) -> dict[str, float]:
        """The median cosine of the pairs and of each row's best match, and from which one on banners are alike."""
        nearest = np.array(self.nearest)
        return {
            "pairs": float(np.interp(0.5, *self._table.T)),
            "nearest": float(np.interp(0.5, *nearest.T)),
            "alike": float(np.interp(ALIKE / 100, *self._table.T)),
        }

    @cached_property
    def _table(self) -> NDArray[np.float64]:
        return np.array(self.quantiles)

    @property
    def record(self) -> dict[str, Any]:
        """What `from_record` reads."""
        return {
            "pairs": self.pairs,
            "quantiles": [[round(share, 7), round(cosine, 5)] for share, cosine in self.quantiles],
            "nearest": [[round(share, 7), round(cosine, 5)] for share, cosine in self.nearest],
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Distribution:
        """Reads it back.

        Raises:
            ValueError, TypeError, KeyError: it is none.
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
    """Looks at the pairs of evenly spaced rows with all others.

    Besides the vectors, which may be mapped, it takes 8 bytes a row.

    Args:
        vectors: float32, shape (n, dim), rows of length 1.
        pictures: the sha256 of each row's picture; taken one by one.

    Returns:
        None if there is no pair of different pictures.
    """
    count = len(vectors)
    # 64 bits tell pictures apart as well as their whole digests, which would take more room than short vectors.
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
    told = [share for share in FRACTIONS if share <= 1 - 1 / pairs]
    # The bin in which the share is reached; its lower edge has at most that share below.
    reached = [edges[np.searchsorted(below, share * pairs, "right") - 1] for share in told]
    nearest = np.quantile(best, [step / 20 for step in range(20)])
    return Distribution(
        pairs,
        tuple((share, float(cosine)) for share, cosine in zip(told, reached, strict=True)),
        tuple((step / 20, float(cosine)) for step, cosine in enumerate(nearest)),
    )
