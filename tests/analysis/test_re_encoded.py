"""Pairs of re-encoded pictures are confirmed one by one, as a loop over all pairs would do it."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from steamdino.analysis import re_encoded
from steamdino.analysis.duplicate_detection import NO_TIER, TIERS, DuplicatePairs
from steamdino.analysis.re_encoded import confirm
from steamdino.banners.miniature import GREYS, LENGTH
from steamdino.thresholds import USUAL

COUNT = 10
RE_ENCODED, NEAR = TIERS.index("re-encoded"), TIERS.index("near")
rows = st.integers(0, COUNT - 1)


@given(
    st.lists(st.tuples(rows, rows, st.sampled_from([0, 1, 2, NO_TIER])), max_size=30),
    st.lists(st.tuples(st.integers(0, 60), st.integers(1, 2)), min_size=COUNT, max_size=COUNT),
    st.sets(rows),
    st.booleans(),
    st.integers(1, 5),
)
def test_a_pair_stays_re_encoded_if_both_miniatures_are_known_and_alike(
    drawn: list[tuple[int, int, int]],
    shown: list[tuple[int, int]],
    unknown: set[int],
    near: bool,
    block: int,
) -> None:
    table = np.zeros((COUNT, LENGTH), np.uint8)
    for row, (grey, frames) in enumerate(shown):
        table[row, 0] = frames
        table[row, 4 + row :: 97] = grey  # in some places
        table[row, 7] = grey
    known = np.array([row not in unknown for row in range(COUNT)])
    asked: list[NDArray[np.intp]] = []

    def miniatures(rows: NDArray[np.intp]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        asked.append(rows)
        return table[rows], known[rows]

    first, second, tiers = (
        np.array(part, np.intp) for part in (zip(*drawn, strict=True) if drawn else ([], [], []))
    )
    pairs = [DuplicatePairs(first, second, tiers.astype(np.uint8))]
    with patch.object(re_encoded, "BLOCK", block):
        confirm(pairs, COUNT, miniatures, near=near)
    expected = []
    for a, b, tier in drawn:
        largest = int(np.abs(table[a, 4:].astype(int) - table[b, 4:]).max())
        same = known[a] and known[b] and shown[a][1] == shown[b][1] and largest <= USUAL.colour
        expected.append(tier if tier != RE_ENCODED or same else NEAR if near else NO_TIER)
    assert pairs[0].tiers.tolist() == expected
    wanted = sorted({row for a, b, tier in drawn if tier == RE_ENCODED for row in (a, b)})
    assert [rows.tolist() for rows in asked] == ([wanted] if wanted else [])


def test_nothing_is_read_where_no_pair_is_re_encoded() -> None:
    confirm([], COUNT, lambda _: pytest.fail("there is nothing to confirm"), near=True)


def test_a_spot_that_differs_makes_a_pair_near() -> None:
    table = np.full((3, LENGTH), 100, np.uint8)
    for row, grey in ((1, 100 + USUAL.spot), (2, 101 + USUAL.spot)):
        table[row, LENGTH - GREYS :].reshape(72, 48)[10:14, 20:24] = grey
    rows, others = np.array([0, 0]), np.array([1, 2])
    pairs = DuplicatePairs(rows, others, np.full(2, RE_ENCODED, np.uint8))
    confirm([pairs], 3, lambda asked: (table[asked], np.ones(len(asked), np.bool_)), near=True)
    assert pairs.tiers.tolist() == [RE_ENCODED, NEAR]
