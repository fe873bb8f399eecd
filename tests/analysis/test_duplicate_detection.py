from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from steamdino.analysis import distinct_pairs
from steamdino.analysis.duplicate_detection import TIERS, DuplicatePairs, Hashes, find_pairs
from steamdino.analysis.duplicate_grouping import groups
from steamdino.index.exact import ExactIndex

networkx = pytest.importorskip("networkx", reason="the oracle for identical pictures")


def unit_rows(count: int, dim: int, seed: int) -> NDArray[np.float32]:
    rows = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def pairs_of(drawn: Sequence[tuple[int, int, str]]) -> DuplicatePairs:
    rows = np.array([(min(a, b), max(a, b)) for a, b, _ in drawn], np.intp).reshape(-1, 2)
    tiers = np.array([TIERS.index(tier) for _, _, tier in drawn], np.uint8)
    return DuplicatePairs(rows[:, 0], rows[:, 1], tiers)


def tiers_of(found: Sequence[DuplicatePairs]) -> dict[tuple[int, int], str]:
    return {
        pair: tier
        for part in found
        for tier in TIERS
        for first, second in part.of_tier(tier)
        for pair in zip(first.tolist(), second.tolist(), strict=True)
    }


def hashes_of(known: Mapping[int, NDArray[np.uint8]]) -> Hashes:
    def of(rows: NDArray[np.intp]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        made = [known.get(row, np.zeros(32, np.uint8)) for row in rows.tolist()]
        return np.stack(made), np.array([row in known for row in rows.tolist()])

    return of


PAIRS = st.lists(
    st.tuples(st.integers(0, 14), st.integers(0, 14), st.sampled_from(TIERS)).filter(lambda p: p[0] != p[1]),
    max_size=25,
)


def one_by_one(drawn: Sequence[tuple[int, int, str]], tier: str) -> list[tuple[int, set[int], bool]]:
    """Go through the rows, the lowest first, and let each lead the later rows that it is in a pair with.

    Returns:
        each leader, the rows that it leads with those that have the same bytes, and whether a pair of just this tier
        joins it with one that it leads.
    """
    alike = networkx.Graph()
    alike.add_nodes_from(range(15))
    alike.add_edges_from((a, b) for a, b, its in drawn if its == "identical")
    picture = {row: min(part) for part in networkx.connected_components(alike) for row in part}
    partners: dict[int, dict[int, set[str]]] = {row: {} for row in picture.values()}
    for a, b, its in drawn:
        if its in TIERS[1 : TIERS.index(tier) + 1] and picture[a] != picture[b]:
            for one, other in ((picture[a], picture[b]), (picture[b], picture[a])):
                partners[one].setdefault(other, set()).add(its)
    led: dict[int, int] = {}
    for one in sorted(partners):
        if one not in led:
            led |= {other: one for other in partners[one] if other not in led}
    leaders = [one for one in partners if one not in led]
    found = []
    for one in leaders:
        mine = [other for other in led if led[other] == one]
        copies = {row for row in picture if picture[row] in (one, *mine)}
        found.append((one, copies, tier == "identical" or any(tier in partners[one][mate] for mate in mine)))
        if not mine and partners[one] and tier in partners[one][mate := min(partners[one])]:
            found.append((one, {one, mate}, True))
    return [one for one in found if one[2] and len(one[1]) > 1]


@given(PAIRS)
def test_each_row_of_a_group_is_in_a_pair_with_the_best_one(drawn: list[tuple[int, int, str]]) -> None:
    half = len(drawn) // 2  # in parts, as they are found
    found = groups([pairs_of(drawn[:half]), pairs_of(drawn[half:])], 15, lambda row: (row,), lambda a, b: 0.5)
    for tier in TIERS:
        got = [(one.representative, {one.representative, *one.others}) for one in found if one.tier == tier]
        expected = [(leader, rows) for leader, rows, _ in one_by_one(drawn, tier)]
        assert sorted(got, key=str) == sorted(expected, key=str)


@given(PAIRS, st.permutations(range(15)))
def test_of_each_row_that_is_removed_a_copy_stays(
    drawn: list[tuple[int, int, str]], order: list[int]
) -> None:
    safe = ("identical", "re-encoded")
    found = groups([pairs_of(drawn)], 15, lambda row: (order[row],), lambda a, b: 0.5, safe)
    removed = {row for one in found for row in one.others}
    alike, copies = networkx.Graph(), networkx.Graph()
    alike.add_nodes_from(range(15))
    alike.add_edges_from((a, b) for a, b, its in drawn if its == "identical")
    copies.add_edges_from((a, b) for a, b, its in drawn if its == "re-encoded")
    for row in removed:
        same = networkx.node_connected_component(alike, row)
        like = {mate for one in same & set(copies) for mate in copies[one]}
        shown = same | {one for mate in like for one in networkx.node_connected_component(alike, mate)}
        assert shown - removed


def test_a_chain_of_small_changes_is_divided() -> None:
    drawn = [(row, row + 1, "re-encoded") for row in range(6)]
    found = groups([pairs_of(drawn)], 7, lambda row: (row,), lambda a, b: 1 - abs(a - b) / 10)
    assert [(one.representative, one.others) for one in found] == [(0, (1,)), (2, (3,)), (4, (5,)), (6, (5,))]


def test_a_chain_in_the_worst_order_takes_few_passes_of_all_pairs() -> None:
    """Each row waits for the one before. 20,000 passes of all pairs would take a minute."""
    drawn = np.arange(4_000)
    pairs = DuplicatePairs(drawn, drawn + 1, np.full(4_000, TIERS.index("near"), np.uint8))
    found = groups([pairs], 4_001, lambda row: (row,), lambda a, b: 0.5)
    assert len(found) == 2_001


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
    hashes[4] = hashes[3].copy()
    hashes[4][:20] ^= 1
    tiers = tiers_of(find_pairs(ExactIndex(vectors), list("abcdefgh"), 0.0, hashes_of(hashes), tiers=TIERS))
    assert tiers[0, 1] == "re-encoded"
    assert tiers[0, 2] == "near"  # as close, but its hash says that it is another picture
    assert tiers[3, 4] == "near"
    assert tiers[5, 6] == "similar"


def test_equal_bytes_are_identical_whatever_the_vectors_say() -> None:
    vectors = unit_rows(5, 16, 2)
    found = find_pairs(
        ExactIndex(vectors), ["a", "b", "a", "c", "a"], 0.0, hashes_of({}), tiers=["identical"]
    )
    assert tiers_of(found) == {(0, 2): "identical", (0, 4): "identical"}


def test_hashes_are_made_of_close_pairs_only() -> None:
    vectors = unit_rows(200, 64, 3)
    vectors[1] = vectors[0]
    asked: list[int] = []

    def of(rows: NDArray[np.intp]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        asked.extend(rows.tolist())
        return np.zeros((len(rows), 32), np.uint8), np.ones(len(rows), np.bool_)

    find_pairs(ExactIndex(vectors), [str(n) for n in range(200)], 0.0, of)
    assert asked == [0, 1]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_games_have_few_pairs(count: int) -> None:
    vectors = unit_rows(count, 8, 0)
    found = find_pairs(ExactIndex(vectors), [str(n) for n in range(count)], 0.0, hashes_of({}), tiers=TIERS)
    assert len(tiers_of(found)) <= 1


def agreeing(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    """Whether hashes differ in less than 0.7 of the bits in which unrelated ones do that have as many ones."""
    ones, others = (float(np.unpackbits(side).mean()) for side in (one, other))
    expected = 256 * (ones * (1 - others) + others * (1 - ones))
    return bool(np.unpackbits(one ^ other).sum() <= 0.7 * expected + 1e-4)


def flipped(made: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.packbits(1 - np.unpackbits(made).reshape(16, 16)[:, ::-1])


def by_the_definition(
    vectors: NDArray[np.float32],
    pictures: Sequence[str],
    usual: float,
    hashes: Mapping[int, NDArray[np.uint8]],
) -> dict[tuple[int, int], str]:
    """Compare each pair of rows, one by one."""
    first = [pictures.index(one) for one in pictures]
    shown = sorted(set(first))
    cosines = vectors.astype(np.float64) @ vectors.T.astype(np.float64)
    found = {(first[row], row): "identical" for row in range(len(first)) if first[row] != row}
    nearest = {row: max((x for x in shown if x != row), key=lambda x: cosines[row, x]) for row in shown}
    for one, other in combinations(shown, 2):
        standard = (cosines[one, other] - usual) / (1 - usual)
        both = {one, other} <= hashes.keys()
        bits = int(np.unpackbits(hashes[one] ^ hashes[other]).sum()) if both else 256
        agree = (
            not both or agreeing(hashes[one], hashes[other]) or agreeing(hashes[one], flipped(hashes[other]))
        )
        if standard >= 0.5 and (agree or standard >= 0.75):
            found[one, other] = "re-encoded" if bits <= 18 else "near"
        elif standard >= 0.42 and (nearest[one], nearest[other]) == (other, one):
            found[one, other] = "similar"
    return found


@pytest.mark.parametrize("most_pairs", [0, 1_000_000])  # copied to a file, and compared with all others
@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), count=st.integers(3, 40), usual=st.sampled_from([0.0, 0.3, -0.1]))
def test_pairs_are_those_of_comparing_each_with_each(
    most_pairs: int, seed: int, count: int, usual: float
) -> None:
    rng = np.random.default_rng(seed)
    pictures = [str(n) for n in rng.integers(0, count, count)]
    vectors = unit_rows(count, 6, seed)
    hashes = {n: rng.integers(0, 2, 32, dtype=np.uint8) for n in range(count) if rng.random() < 0.8}
    for row, picture in enumerate(pictures):
        vectors[row] = vectors[pictures.index(picture)]
        if pictures.index(picture) in hashes:
            hashes[row] = hashes[pictures.index(picture)]
    if len(set(pictures)) < 2:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distinct_pairs, "MOST_PAIRS", most_pairs)
        found = find_pairs(ExactIndex(vectors), pictures, usual, hashes_of(hashes), tiers=TIERS)
    expected = by_the_definition(vectors, pictures, usual, hashes)
    assert tiers_of(found) == expected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distinct_pairs, "MOST_PAIRS", most_pairs)
        strict = find_pairs(
            ExactIndex(vectors), pictures, usual, hashes_of(hashes), tiers=("identical", "re-encoded")
        )
    assert tiers_of(strict) == {
        pair: tier for pair, tier in expected.items() if tier in ("identical", "re-encoded")
    }


def test_the_most_similar_come_first() -> None:
    likeness = {(1, 0): 0.4, (2, 0): 0.9, (3, 0): 0.6}
    drawn = [(0, 1, "near"), (0, 2, "near"), (0, 3, "near")]
    (group,) = groups([pairs_of(drawn)], 4, lambda row: (row,), lambda a, b: likeness[a, b])
    assert (group.representative, group.others) == (0, (2, 3, 1))


def test_thousands_of_near_copies_become_one_group() -> None:
    """1,500 near copies make a million pairs, and 1,500 identical banners another million if each were compared."""
    rng = np.random.default_rng(5)
    base = unit_rows(1, 32, 1)
    copies = base + 0.005 * rng.normal(size=(1500, 32)).astype(np.float32)
    vectors = np.concatenate((np.repeat(unit_rows(1, 32, 2), 1500, axis=0), copies, unit_rows(20, 32, 3)))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    pictures = ["blank"] * 1500 + [str(n) for n in range(1520)]
    index = ExactIndex(vectors)
    hashes = {row: np.zeros(32, np.uint8) for row in range(1500, 3000)}
    found = find_pairs(index, pictures, 0.0, hashes_of(hashes))
    large = [
        one
        for one in groups(found, len(vectors), lambda row: (row,), index.similarity)
        if len(one.others) > 99
    ]
    assert [(one.tier, one.representative, len(one.others)) for one in large] == [
        ("identical", 0, 1499),
        ("re-encoded", 1500, 1499),
    ]
