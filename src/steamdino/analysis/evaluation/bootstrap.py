"""Confidence intervals by the bootstrap, over clusters of queries that belong together.

The queries of one franchise are not independent: they stand before the same covers. Drawing single queries would count
them as though they were, and the intervals would come out too narrow. So whole clusters are drawn, with all their
queries ("cluster bootstrap": Davison, Hinkley, "Bootstrap Methods and their Application", 1997, section 3.8), and the
interval reaches from the 2.5th to the 97.5th percentile of the averages.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DRAWS = 2000
FEWEST = 10
"""Clusters: with fewer, drawing them again says little about others that might have been there."""

LEAST = 0.0005
"""A difference that counts as none, however sure it is: tables round it to zero."""

LEVEL = 95
"""Per cent of the draws that an interval holds."""

_BLOCK = 100  # draws at a time: their weights are a matrix of that many rows and a column for each cluster


@dataclass(frozen=True, slots=True)
class Estimate:
    """An average and its 95 % interval; None for both ends where there are too few clusters for one."""

    value: float
    low: float | None
    high: float | None

    @property
    def apart_from_zero(self) -> bool:
        """Whether the interval leaves zero out, and what is within `LEAST` of it."""
        return self.low is not None and self.high is not None and (self.low > LEAST or self.high < -LEAST)


def averages(
    values: NDArray[np.float64], clusters: NDArray[np.intp], *, draws: int = DRAWS, seed: int = 0
) -> NDArray[np.float64]:
    """The averages of clusters drawn with replacement.

    Args:
        values: float64, shape (queries, columns). All columns share each draw, so that the differences of two of them
            are paired.
        clusters: the cluster of each query, numbered from 0 without gaps.
        draws: how many.
        seed: of the drawing.

    Returns:
        float64, shape (draws, columns).
    """
    sizes = np.bincount(clusters).astype(np.float64)
    sums = np.zeros((len(sizes), values.shape[1]))
    np.add.at(sums, clusters, values)
    rng = np.random.default_rng(seed)
    even = np.full(len(sizes), 1 / len(sizes))
    parts = []
    for start in range(0, draws, _BLOCK):
        times = rng.multinomial(len(sizes), even, size=min(_BLOCK, draws - start)).astype(np.float64)
        parts.append((times @ sums) / (times @ sizes)[:, None])
    return np.concatenate(parts)


def estimates(
    values: NDArray[np.float64], clusters: NDArray[np.intp], *, draws: int = DRAWS, seed: int = 0
) -> list[Estimate]:
    """The average of each column with its interval; the arguments are those of `averages`."""
    means = values.mean(axis=0)
    if clusters.max() + 1 < FEWEST:
        return [Estimate(float(mean), None, None) for mean in means]
    drawn = averages(values, clusters, draws=draws, seed=seed)
    lows, highs = np.percentile(drawn, [(100 - LEVEL) / 2, (100 + LEVEL) / 2], axis=0)
    return [
        Estimate(float(mean), float(low), float(high))
        for mean, low, high in zip(means, lows, highs, strict=True)
    ]
