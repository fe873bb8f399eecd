"""Computes confidence intervals with the cluster bootstrap.

The queries of one franchise are not independent, since they search for the same covers. Resampling single queries would
treat them as independent and make the intervals too narrow. So whole clusters are drawn, with all their queries
(Davison, Hinkley, "Bootstrap Methods and their Application", 1997, section 3.8). An interval reaches from the 2.5th to
the 97.5th percentile of the drawn means.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DRAWS = 2000
FEWEST = 10
"""Lowest number of clusters for an interval. Resampling fewer says little about clusters that were not observed."""

LEAST = 0.0005
"""A smaller difference counts as none, even if it is significant, since tables round it to zero."""

LEVEL = 95
"""Confidence level in percent."""

_BLOCK = 100  # draws at a time; their weights are a matrix of this many rows and a column for each cluster


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean and its 95 % interval. Both ends are None if there are too few clusters for an interval."""

    value: float
    low: float | None
    high: float | None

    @property
    def apart_from_zero(self) -> bool:
        """Whether the interval excludes zero and everything within `LEAST` of it."""
        return self.low is not None and self.high is not None and (self.low > LEAST or self.high < -LEAST)


def averages(
    values: NDArray[np.float64], clusters: NDArray[np.intp], *, draws: int = DRAWS, seed: int = 0
) -> NDArray[np.float64]:
    """Compute the means of clusters drawn with replacement.

    Args:
        values: float64, shape (queries, columns). All columns share each draw, so differences of columns are paired.
        clusters: intp, shape (queries,): the cluster of each query, numbered from 0 without gaps.
        draws: number of draws.
        seed: of the random generator.

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
    """Compute the mean of each column with its interval. The arguments are those of `averages`."""
    means = values.mean(axis=0)
    if clusters.max() + 1 < FEWEST:
        return [Estimate(float(mean), None, None) for mean in means]
    drawn = averages(values, clusters, draws=draws, seed=seed)
    lows, highs = np.percentile(drawn, [(100 - LEVEL) / 2, (100 + LEVEL) / 2], axis=0)
    return [
        Estimate(float(mean), float(low), float(high))
        for mean, low, high in zip(means, lows, highs, strict=True)
    ]
