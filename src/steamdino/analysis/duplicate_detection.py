"""Finds duplicate banners, by their bytes, difference hashes and vectors, and groups them in tiers.

Cosines have a different scale under each recipe. Tiers therefore go by a standardised similarity, ``(cosine - u) /
(1 - u)``, with u the median cosine of the snapshot's pairs: 0 for a usual pair, 1 for equal vectors.

===============  ============================================================================================
``identical``    the same bytes (sha256)
``re-encoded``   the same picture, encoded again or scaled: the difference hashes differ in few bits, and the
                 vectors confirm it
``near``         by the vectors alone: cropped, recoloured, mirrored, with other lettering, a reskin
``similar``      each is the other's nearest neighbour, and closer than most pairs, but not the same
===============  ============================================================================================
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steamdino.index.vector_index import Index
from steamdino.records import Progress

IDENTICAL, RE_ENCODED, NEAR, SIMILAR = TIERS = ("identical", "re-encoded", "near", "similar")

LEAST = {RE_ENCODED: 0.72, NEAR: 0.5, SIMILAR: 0.42}
"""Lowest standardised similarity of each tier."""

MOST_BITS = 18
"""Bits, of 256, in which the difference hashes of the same picture may differ."""


@dataclass(frozen=True, slots=True)
class DuplicatePair:
    """Two rows that look alike.

    Attributes:
        first, second: rows, the lower one first.
        tier: one of `TIERS`.
        similarity: their cosine.
    """

    first: int
    second: int
    tier: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that are connected by pairs of one tier or a stricter one.

    Attributes:
        tier: the loosest of its pairs.
        representative: the row to keep.
        others: the rest, the most similar to it first.
        pairs: the pairs that connect them.
    """

    tier: str
    representative: int
    others: tuple[int, ...]
    pairs: tuple[DuplicatePair, ...]


def find_pairs(
    index: Index,
    sha256: Sequence[str],
    usual: float,
    hash_of: Callable[[int], NDArray[np.uint8] | None],
    *,
    tiers: Iterable[str] = TIERS[:3],
    progress: Progress | None = None,
) -> list[DuplicatePair]:
    """Find pairs of rows in tiers, from the strictest tier to the loosest.

    Args:
        index: of n rows.
        sha256: of each row's picture.
        usual: the median cosine of the snapshot's pairs.
        hash_of: returns a row's difference hash, uint8, shape (32,); None if its picture cannot be read. Called only
            for rows in a close pair.
        tiers: the tiers to look for.
        progress: called with (rows, n).
    """
    wanted = set(tiers)
    pairs = [
        DuplicatePair(first, second, IDENTICAL, 1.0)
        for group in _same(sha256).values()
        for first, second in ((group[0], other) for other in group[1:])
        if IDENTICAL in wanted
    ]
    if wanted <= {IDENTICAL}:
        return pairs
    distinct = np.array([group[0] for group in _same(sha256).values()], np.intp)
    distinct.sort()
    firsts, seconds, cosines = index.subset(distinct).close_pairs(
        usual + LEAST[NEAR] * (1 - usual), progress=progress
    )
    nearest = _nearest(firsts, seconds, cosines, len(distinct))
    for first, second, cosine in zip(firsts.tolist(), seconds.tolist(), cosines.tolist(), strict=True):
        standard = (cosine - usual) / (1 - usual) if usual < 1 else 0.0
        one, other = int(distinct[first]), int(distinct[second])
        if standard >= LEAST[NEAR]:
            same = standard >= LEAST[RE_ENCODED] and _few_bits(hash_of(one), hash_of(other))
            tier = RE_ENCODED if same else NEAR
        elif standard >= LEAST[SIMILAR] and nearest[first] == second and nearest[second] == first:
            tier = SIMILAR
        else:
            continue
        if tier in wanted:
            pairs.append(DuplicatePair(one, other, tier, cosine))
    return sorted(pairs, key=lambda pair: (TIERS.index(pair.tier), -pair.similarity, pair.first, pair.second))


def groups(pairs: Sequence[DuplicatePair], rank: Callable[[int], tuple[object, ...]]) -> list[Group]:
    """Group connected rows, tier by tier. The pairs of a tier join the groups of the stricter tiers.

    Args:
        pairs: as `find_pairs` returns them.
        rank: sort key of a row; the lowest row of a group is its representative.

    Returns:
        the groups, those of the strictest tier first, and within a tier the largest first.
    """
    found: list[Group] = []
    for tier in TIERS:
        own = [pair for pair in pairs if TIERS.index(pair.tier) <= TIERS.index(tier)]
        inside: dict[int, list[DuplicatePair]] = defaultdict(list)
        leader = _components(own)
        for pair in own:
            inside[leader[pair.first]].append(pair)
        members: dict[int, list[int]] = defaultdict(list)
        for row, lead in leader.items():
            members[lead].append(row)
        made = []
        for lead, rows in members.items():
            if not any(pair.tier == tier for pair in inside[lead]):
                continue  # a group of a stricter tier, which this tier does not extend
            best = min(rows, key=rank)
            likeness = _likeness(inside[lead], best)
            others = sorted(
                (row for row in rows if row != best), key=lambda row: (-likeness.get(row, -1.0), rank(row))
            )
            made.append(Group(tier, best, tuple(others), tuple(inside[lead])))
        found += sorted(made, key=lambda group: (-len(group.others), rank(group.representative)))
    return found


def _same(sha256: Sequence[str]) -> Mapping[str, list[int]]:
    by_content: dict[str, list[int]] = defaultdict(list)
    for row, content in enumerate(sha256):
        by_content[content].append(row)
    return by_content


def _nearest(
    firsts: NDArray[np.intp], seconds: NDArray[np.intp], cosines: NDArray[np.float32], count: int
) -> NDArray[np.intp]:
    """Find each row's nearest neighbour among the pairs; -1 if it is in none."""
    rows, mates = np.concatenate((firsts, seconds)), np.concatenate((seconds, firsts))
    order = np.argsort(np.tile(cosines, 2), kind="stable")
    nearest = np.full(count, -1, np.intp)
    nearest[rows[order]] = mates[order]  # of several values for a row the last one is kept: the closest
    return nearest


def _few_bits(one: NDArray[np.uint8] | None, other: NDArray[np.uint8] | None) -> bool:
    if one is None or other is None:
        return False
    return int(np.unpackbits(one ^ other).sum()) <= MOST_BITS


def _components(pairs: Iterable[DuplicatePair]) -> dict[int, int]:
    """Map each row to the lowest row that it is connected with."""
    leader: dict[int, int] = {}

    def find(row: int) -> int:
        while leader.setdefault(row, row) != row:
            leader[row] = leader[leader[row]]
            row = leader[row]
        return row

    for pair in pairs:
        one, other = sorted((find(pair.first), find(pair.second)))
        leader[other] = one
    return {row: find(row) for row in leader}


def _likeness(pairs: Iterable[DuplicatePair], row: int) -> dict[int, float]:
    """Map the rows that are paired with a row to their cosines."""
    return {
        pair.second if pair.first == row else pair.first: pair.similarity
        for pair in pairs
        if row in (pair.first, pair.second)
    }
