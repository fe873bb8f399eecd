"""Pairs of duplicates are merged and narrowed down as loops over all of them would do it."""

from __future__ import annotations

from itertools import combinations
from unittest.mock import patch

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from steamdino.analysis import duplicate_detection
from steamdino.analysis.duplicate_detection import IDENTICAL, NO_TIER, TIERS, DuplicatePairs
from steamdino.analysis.pair_narrowing import merge, narrowed

COUNT = 12
NEAR = TIERS.index("near")


def pairs_of(part: list[DuplicatePairs], tier: int) -> set[tuple[int, int]]:
    return {
        (min(a, b), max(a, b))
        for one in part
        for a, b, kind in zip(one.first.tolist(), one.second.tolist(), one.tiers.tolist(), strict=True)
        if kind == tier
    }


def stars(pictures: list[int]) -> DuplicatePairs:
    """Identical rows, as `find_pairs` returns them: the first row of a picture with each other one."""
    found = [(pictures.index(one), row) for row, one in enumerate(pictures) if pictures.index(one) != row]
    array = np.array(found, np.intp).reshape(-1, 2)
    tiers = np.full(len(found), TIERS.index(IDENTICAL), np.uint8)
    return DuplicatePairs(array[:, 0].copy(), array[:, 1].copy(), tiers)


def near(pairs: set[tuple[int, int]]) -> DuplicatePairs:
    array = np.array(sorted(pairs), np.intp).reshape(-1, 2)
    return DuplicatePairs(array[:, 0].copy(), array[:, 1].copy(), np.full(len(array), NEAR, np.uint8))


def connected(pairs: set[tuple[int, int]]) -> set[frozenset[int]]:
    groups = {row: {row} for row in range(COUNT)}
    for a, b in pairs:
        joined = groups[a] | groups[b]
        for row in joined:
            groups[row] = joined
    return {frozenset(group) for group in groups.values() if len(group) > 1}


rows = st.integers(0, COUNT - 1)
pictures = st.lists(st.integers(0, 4), min_size=COUNT, max_size=COUNT)
places = st.lists(st.integers(0, 3), min_size=COUNT, max_size=COUNT)
near_pairs = st.sets(st.tuples(rows, rows).filter(lambda pair: pair[0] < pair[1]), max_size=20)


@given(pictures, places, near_pairs, st.booleans(), st.integers(1, 30))
def test_pairs_within_or_across_places_are_those_that_a_loop_finds(
    pictures: list[int], places: list[int], close: set[tuple[int, int]], across: bool, chunk: int
) -> None:
    def counts(a: int, b: int) -> bool:
        return (places[a] != places[b]) == across

    with patch.object(duplicate_detection, "CHUNK", chunk):
        found = narrowed([stars(pictures), near(close)], np.array(places), across=across)
    assert pairs_of(found, NEAR) == {pair for pair in close if counts(*pair)}
    every = {(a, b) for a, b in combinations(range(COUNT), 2) if pictures[a] == pictures[b] and counts(a, b)}
    identical = pairs_of(found, TIERS.index(IDENTICAL))
    assert identical <= every
    assert connected(identical) == connected(every)


@given(pictures, near_pairs, st.dictionaries(rows, rows, max_size=4))
def test_merged_rows_are_in_the_places_of_others_and_no_row_is_in_a_pair_with_itself(
    pictures: list[int], close: set[tuple[int, int]], into: dict[int, int]
) -> None:
    into = {row: other for row, other in into.items() if other not in into and other != row}
    parts = [stars(pictures), near(close)]
    before = pairs_of(parts, NEAR)
    merge(parts, np.array(list(into), np.intp), np.array(list(into.values()), np.intp), COUNT)
    moved = {tuple(sorted((into.get(a, a), into.get(b, b)))) for a, b in before}
    assert pairs_of(parts, NEAR) == {pair for pair in moved if pair[0] != pair[1]}
    assert all(
        one.tiers[place] == NO_TIER for one in parts for place in np.flatnonzero(one.first == one.second)
    )
