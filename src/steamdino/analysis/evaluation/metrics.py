"""Retrieval metrics: the rank of the first relevant item, and average precision. Pure functions over arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Doubles = NDArray[np.float64]
Mask = NDArray[np.bool_]
Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Judged:
    """The quality of the rankings of some queries.

    Attributes:
        first: the rank of each query's first relevant item, 1 for the best; int64, shape (queries,).
        precision: the average precision of each query; float64, shape (queries,).
    """

    first: NDArray[np.int64]
    precision: Doubles

    def __len__(self) -> int:
        return len(self.first)

    def recalled(self, k: int) -> Doubles:
        """For each query 1 if a relevant item is among the first k, else 0. The mean is R@k."""
        return (self.first <= k).astype(np.float64)


def judge(scores: Floats, relevant: Mask, left_out: Mask) -> Judged:
    """Rank the items of each query by falling score and find the ranks of the relevant ones.

    R@k is the share of queries with at least one relevant item among the first k. The average precision of a query is
    the mean, over its relevant items, of the precision at their ranks in the whole ranking. mAP is its mean over
    queries (Manning, Raghavan, Schütze, "Introduction to Information Retrieval", 2008, section 8.4).

    Args:
        scores: float32, shape (queries, items); finite. Of equal scores the lower item comes first.
        relevant: bool, the same shape; each query needs at least one.
        left_out: bool, the same shape: items that are removed from the query's ranking.

    Raises:
        ValueError: a query has no relevant item, or a relevant item is left out.
    """
    if (relevant & left_out).any():
        raise ValueError("an item is both relevant and left out")
    counts = relevant.sum(axis=1)
    if not counts.all():
        raise ValueError(f"query {int(np.argmin(counts))} has no relevant item")
    # Items that are left out are sorted to the end, where they change no other rank.
    order = np.argsort(np.where(left_out, np.inf, -scores), axis=1, kind="stable")
    queries, places = np.nonzero(np.take_along_axis(relevant, order, axis=1))
    ranks = places + 1
    starts = np.cumsum(counts) - counts
    found = np.arange(len(ranks)) - np.repeat(starts, counts) + 1
    total = np.bincount(queries, weights=found / ranks, minlength=len(counts))
    return Judged(ranks[starts].astype(np.int64), total / counts)
