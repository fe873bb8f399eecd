from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from steamdino.analysis.duplicate_detection import TIERS, DuplicatePair, find_pairs, groups
from steamdino.index.exact import ExactIndex

networkx = pytest.importorskip("networkx", reason="the oracle for connected components")


def unit_rows(count: int, dim: int, seed: int) -> NDArray[np.float32]:
    rows = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


PAIRS = st.lists(
    st.tuples(st.integers(0, 14), st.integers(0, 14), st.sampled_from(TIERS)).filter(lambda p: p[0] != p[1]),
    max_size=25,
)


@given(PAIRS)
def test_groups_are_the_connected_components_of_each_tier_and_stricter_ones(
    drawn: list[tuple[int, int, str]],
) -> None:
    pairs = [DuplicatePair(min(a, b), max(a, b), tier, 0.5) for a, b, tier in drawn]
    found = groups(pairs, lambda row: (row,))
    for number, tier in enumerate(TIERS):
        graph = networkx.Graph()
        own = {(p.first, p.second) for p in pairs if p.tier == tier}
        graph.add_edges_from((p.first, p.second) for p in pairs if TIERS.index(p.tier) <= number)
        expected = {
            frozenset(component)
            for component in networkx.connected_components(graph)
            if any(a in component for a, _ in own)
        }
        got = [group for group in found if group.tier == tier]
        assert {frozenset({group.representative, *group.others}) for group in got} == expected
        assert len(got) == len(expected)
        assert all(group.representative == min((group.representative, *group.others)) for group in got)


def test_each_tier_takes_what_belongs_to_it() -> None:
    vectors = unit_rows(8, 64, 1)
    for row, (source, share) in {1: (0, 0.99), 2: (0, 0.95), 4: (3, 0.65), 6: (5, 0.48)}.items():
        aside = unit_rows(8, 64, 9)[row]
        other = aside - (aside @ vectors[source]) * vectors[source]
        other /= np.linalg.norm(other)
        vectors[row] = share * vectors[source] + np.sqrt(1 - share**2) * other
    hashes = {row: np.full(32, row, np.uint8) for row in range(8)}
    hashes[1] = hashes[0].copy()
    hashes[1][0] ^= 0b111  # three bits
    hashes[2] = ~hashes[0]
    found = find_pairs(ExactIndex(vectors), list("abcdefgh"), 0.0, hashes.get, tiers=TIERS)
    tiers = {(pair.first, pair.second): pair.tier for pair in found}
    assert tiers[0, 1] == "re-encoded"
    assert tiers[0, 2] == "near"  # as close, but its hash says that it is another picture
    assert tiers[3, 4] == "near"
    assert tiers[5, 6] == "similar"


def test_equal_bytes_are_identical_whatever_the_vectors_say() -> None:
    vectors = unit_rows(5, 16, 2)
    found = find_pairs(
        ExactIndex(vectors), ["a", "b", "a", "c", "a"], 0.0, lambda row: None, tiers=["identical"]
    )
    assert [(pair.first, pair.second, pair.tier) for pair in found] == [
        (0, 2, "identical"),
        (0, 4, "identical"),
    ]


def test_hashes_are_made_of_close_pairs_only() -> None:
    vectors = unit_rows(200, 64, 3)
    vectors[1] = vectors[0]
    asked: list[int] = []

    def hash_of(row: int) -> NDArray[np.uint8]:
        asked.append(row)
        return np.zeros(32, np.uint8)

    find_pairs(ExactIndex(vectors), [str(n) for n in range(200)], 0.0, hash_of)
    assert sorted(asked) == [0, 1]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_games_have_few_pairs(count: int) -> None:
    vectors = unit_rows(count, 8, 0)
    assert (
        len(
            find_pairs(
                ExactIndex(vectors), [str(n) for n in range(count)], 0.0, lambda row: None, tiers=TIERS
            )
        )
        <= 1
    )
