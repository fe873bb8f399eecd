from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from steamdino.analysis import duplicates
from steamdino.analysis.duplicates import TIERS, DuplicatePair, close_pairs, find_pairs, groups

networkx = pytest.importorskip("networkx", reason="the oracle for connected components")


def unit_rows(count: int, dim: int, seed: int) -> NDArray[np.float32]:
    rows = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 40), st.integers(0, 10_000), st.floats(-0.5, 0.9), st.integers(1, 16))
def test_close_pairs_are_those_that_a_table_of_all_cosines_has(
    count: int, seed: int, least: float, block: int
) -> None:
    vectors = unit_rows(count, 4, seed)
    before = duplicates.BLOCK
    duplicates.BLOCK = block
    try:
        first, second, cosines = close_pairs(vectors, least)
    finally:
        duplicates.BLOCK = before
    table = vectors.astype(np.float64) @ vectors.T.astype(np.float64)
    np.fill_diagonal(table, -9)
    found = {(a, b): c for a, b, c in zip(first.tolist(), second.tolist(), cosines.tolist(), strict=True)}
    assert len(found) == len(first)  # each once
    assert all(a < b for a, b in found)
    for (a, b), cosine in found.items():
        assert cosine == pytest.approx(table[a, b], abs=1e-5)
        assert (
            table[a, b] >= least - 1e-5
            or table[a, b] >= table[a].max() - 1e-5
            or table[a, b] >= table[b].max() - 1e-5
        )
    for a, b in combinations(range(count), 2):
        if table[a, b] >= least + 1e-5:
            assert (a, b) in found
    for row in range(count if count > 1 else 0):
        best = max(c for (a, b), c in found.items() if row in (a, b))
        assert best == pytest.approx(table[row].max(), abs=1e-5)


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
    found = find_pairs(vectors, list("abcdefgh"), 0.0, hashes.get, tiers=TIERS)
    tiers = {(pair.first, pair.second): pair.tier for pair in found}
    assert tiers[0, 1] == "re-encoded"
    assert tiers[0, 2] == "near"  # as close, but its hash says that it is another picture
    assert tiers[3, 4] == "near"
    assert tiers[5, 6] == "similar"


def test_equal_bytes_are_identical_whatever_the_vectors_say() -> None:
    vectors = unit_rows(5, 16, 2)
    found = find_pairs(vectors, ["a", "b", "a", "c", "a"], 0.0, lambda row: None, tiers=["identical"])
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

    find_pairs(vectors, [str(n) for n in range(200)], 0.0, hash_of)
    assert sorted(asked) == [0, 1]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_games_have_few_pairs(count: int) -> None:
    vectors = unit_rows(count, 8, 0)
    assert len(find_pairs(vectors, [str(n) for n in range(count)], 0.0, lambda row: None, tiers=TIERS)) <= 1
