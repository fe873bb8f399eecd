"""Groups duplicates around the one to keep, tier by tier."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steamdino.analysis.duplicate_detection import IDENTICAL, TIERS, DuplicatePairs
from steamdino.analysis.leading_rows import Edges, leading

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Group:
    """A row and others that are each in a pair with it, or have the same bytes as one that is.

    Attributes:
        tier: the loosest of these pairs.
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
    """Group rows, tier by tier. The pairs of a tier join the groups of the stricter tiers.

    Pictures that change little by little, each a copy of the one before, may end with one that is no copy of the first.
    So what is grouped is not connected by any way of pairs, but each by a pair with the representative. A row whose
    partners all have better representatives, to which it is not similar, represents itself: its group has the best of
    these partners, which is then in two groups. No representative is removed for the sake of another one, so whoever
    removes the others of all groups still has a copy of each.

    It needs some 60 bytes for each row, however many pairs there are.

    Args:
        pairs: as `find_pairs` returns them.
        count: how many rows there are.
        rank: sort key of a row; the lowest row of a group is its representative.
        similarity: cosine of two rows.
        tiers: of the groups to return.

    Returns:
        the groups, those of the strictest tier first, and within a tier the largest first.
    """
    paired = paired_rows(pairs, count)
    order = np.array(sorted(paired.tolist(), key=rank), np.intp)
    places = np.full(count, count)
    places[order] = np.arange(len(order))
    picture_of = _pictures(pairs, count)
    best = np.full(count, count)  # the best row of each picture, as a place in `order`
    np.minimum.at(best, picture_of[paired], places[paired])
    found: list[Group] = []
    for tier in TIERS:
        if tier not in tiers:
            continue
        made = [
            _group(tier, rows, rank, similarity)
            for rows in _members(tier, pairs, paired, picture_of, best, order)
        ]
        found += sorted(made, key=lambda group: (-len(group.others), rank(group.representative)))
    return found


def paired_rows(pairs: Sequence[DuplicatePairs], count: int) -> Rows:
    """Return the rows that are in a pair of any tier, rising."""
    paired = np.zeros(count, np.bool_)
    for tier in TIERS:
        for part in pairs:
            for first, second in part.of_tier(tier):
                paired[first] = paired[second] = True
    return np.flatnonzero(paired)


def _group(
    tier: str,
    rows: list[int],
    rank: Callable[[int], tuple[object, ...]],
    similarity: Callable[[int, int], float],
) -> Group:
    best, *others = rows
    likeness = {row: similarity(row, best) for row in others}
    return Group(tier, best, tuple(sorted(others, key=lambda row: (-likeness[row], rank(row)))))


def _members(
    tier: str,
    pairs: Sequence[DuplicatePairs],
    paired: Rows,
    picture_of: Rows,
    best: Rows,
    order: Rows,
) -> Iterator[list[int]]:
    """Yield the rows of each group of a tier, the representative first."""
    stricter = TIERS[1 : TIERS.index(tier) + 1]
    leaders, mates = leading(best, lambda: _edges(pairs, stricter, picture_of))
    own = np.zeros(len(best), np.bool_)  # leaders that a pair of just this tier joins with a member
    mated = np.zeros(len(best), np.bool_)
    if tier == IDENTICAL:
        own[:] = True
    else:
        for one, other in _edges(pairs, (tier,), picture_of):
            for left, right in ((one, other), (other, one)):
                own[left[leaders[right] == best[left]]] = True
                mated[left[mates[left] == best[right]]] = True
    own &= leaders == best
    pictures = picture_of[paired]
    lead = leaders[pictures]
    chosen = own[picture_of[order[lead]]]
    rows, lead = paired[chosen], lead[chosen]
    ranks = np.lexsort((rows != order[lead], lead))
    rows, lead = rows[ranks], lead[ranks]
    edges = np.flatnonzero(np.diff(lead)) + 1
    for part in np.split(rows, edges) if len(rows) else ():
        if len(part) > 1:
            yield part.tolist()
    for picture in np.flatnonzero(mated):
        yield [int(order[best[picture]]), int(order[mates[picture]])]


def _edges(pairs: Sequence[DuplicatePairs], tiers: Sequence[str], picture_of: Rows) -> Edges:
    """Yield the pairs of different pictures in some tiers, in chunks."""
    for tier in tiers:
        for part in pairs:
            for first, second in part.of_tier(tier):
                one, other = picture_of[first], picture_of[second]
                differ = one != other
                yield one[differ], other[differ]


def _pictures(pairs: Sequence[DuplicatePairs], count: int) -> Rows:
    """Number the pictures: the lowest of the rows with the same bytes, for each row."""
    numbers = np.arange(count)
    for part in pairs:
        for first, second in part.of_tier(IDENTICAL):
            _connect(numbers, first, second)
    return numbers


def _connect(leaders: Rows, first: Rows, second: Rows) -> None:
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
