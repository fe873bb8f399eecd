"""Groups duplicates that are connected by pairs, tier by tier."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steamdino.analysis.duplicate_detection import TIERS, DuplicatePairs


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that are connected by pairs of one tier or a stricter one.

    Attributes:
        tier: the loosest of its pairs.
        representative: the row to keep.
        others: the rest, the most similar to it first.
    """

    tier: str
    representative: int
    others: tuple[int, ...]


def groups(
    pairs: Sequence[DuplicatePairs],
    count: int,
    rank: Callable[[int], tuple[object, ...]],
    similarity: Callable[[int, int], float],
    tiers: Sequence[str] = TIERS,
) -> list[Group]:
    """Group connected rows, tier by tier. The pairs of a tier join the groups of the stricter tiers.

    It needs some 30 bytes for each row, however many pairs there are.

    Args:
        pairs: as `find_pairs` returns them.
        count: how many rows there are.
        rank: sort key of a row; the lowest row of a group is its representative.
        similarity: cosine of two rows.
        tiers: of the groups to return.

    Returns:
        the groups, those of the strictest tier first, and within a tier the largest first.
    """
    found: list[Group] = []
    leaders = np.arange(count)
    for tier in TIERS:
        paired = np.zeros(count, np.bool_)
        for part in pairs:
            for first, second in part.of_tier(tier):
                paired[first] = paired[second] = True
                _connect(leaders, first, second)
        if tier not in tiers:
            continue
        made = []
        for rows in _members(leaders, paired):
            best = min(rows, key=rank)
            likeness = {row: similarity(row, best) for row in rows if row != best}
            others = sorted(likeness, key=lambda row: (-likeness[row], rank(row)))
            made.append(Group(tier, best, tuple(others)))
        found += sorted(made, key=lambda group: (-len(group.others), rank(group.representative)))
    return found


def paired_rows(pairs: Sequence[DuplicatePairs], count: int) -> NDArray[np.intp]:
    """Return the rows that are in a pair of any tier, rising."""
    paired = np.zeros(count, np.bool_)
    for tier in TIERS:
        for part in pairs:
            for first, second in part.of_tier(tier):
                paired[first] = paired[second] = True
    return np.flatnonzero(paired)


def _connect(leaders: NDArray[np.intp], first: NDArray[np.intp], second: NDArray[np.intp]) -> None:
    """Connect the rows of pairs; each row's leader is the lowest row that it is connected with, before and after."""
    while True:
        one, other = leaders[first], leaders[second]
        apart = one != other
        if not apart.any():
            return
        first, second = first[apart], second[apart]
        one, other = one[apart], other[apart]
        np.minimum.at(leaders, np.maximum(one, other), np.minimum(one, other))
        while not np.array_equal(jumped := leaders[leaders], leaders):
            leaders[:] = jumped


def _members(leaders: NDArray[np.intp], paired: NDArray[np.bool_]) -> Iterator[list[int]]:
    """Yield the connected rows, rising, of each group in which a row is paired."""
    extended = np.zeros(len(leaders), np.bool_)
    extended[leaders[paired]] = True
    rows = np.flatnonzero(extended[leaders])
    rows = rows[np.argsort(leaders[rows], kind="stable")]
    edges = np.flatnonzero(np.diff(leaders[rows])) + 1
    for part in np.split(rows, edges) if len(rows) else ():
        yield part.tolist()
