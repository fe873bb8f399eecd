"""All neighbours, close pairs and cosines of pairs: exact whatever the tiles, against a full sort of all cosines."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from steamdino.index import all_neighbours, candidate_pool, close_pairs, score_products
from steamdino.index.all_neighbours import entering, find
from steamdino.index.exact import ExactIndex
from steamdino.index.pair_cosines import pair_cosines, query_cosines, rounding
from steamdino.index.vector_index import Neighbours

Vectors = NDArray[np.float32]


@st.composite
def unit_vectors(draw: st.DrawFn, least: int = 1, most: int = 150) -> Vectors:
    """Rows without equal cosines, with identical rows, nearly identical ones, or with many equal cosines."""
    count, dim = draw(st.integers(least, most)), draw(st.sampled_from([1, 2, 3, 8, 67, 384]))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    rows = rng.standard_normal((count, dim)).astype(np.float32)
    kind = draw(st.sampled_from(["random", "identical", "near copies", "few values"]))
    if kind == "identical":
        rows = rows[rng.integers(0, max(1, count // 5), count)]
    if kind == "near copies":
        rows = rows[:1] + np.float32(1e-3) * rows
    if kind == "few values":
        rows = rng.integers(-1, 2, (count, dim)).astype(np.float32)
        rows[(rows == 0).all(axis=1)] = 1
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@st.composite
def small_tiles(draw: st.DrawFn) -> dict[str, int]:
    """Sizes whose borders fall between few rows."""
    queries = draw(st.integers(1, 40))
    return {
        "QUERIES": queries,
        "TARGETS": draw(st.integers(1, 60)),
        "TOGETHER": draw(st.integers(1, 20)),
        "RANKED": draw(st.integers(1, 9)),
        "MANY": draw(st.sampled_from([0, 10**9])),
        "SPARE": draw(st.sampled_from([0, 1, 5, 256])),
    }


def found(
    vectors: Vectors, rows: NDArray[np.intp], k: int, among: NDArray[np.bool_] | None, sizes: dict[str, int]
) -> Iterator[tuple[slice, Neighbours]]:
    spare = patch.object(candidate_pool, "SPARE", sizes["SPARE"])
    tiles = patch.multiple(all_neighbours, **{key: size for key, size in sizes.items() if key != "SPARE"})
    with spare, tiles:
        yield from find(vectors, rows, k, among=among)


def sorted_all(
    vectors: Vectors, row: int, k: int, among: NDArray[np.bool_] | None
) -> tuple[list[int], list[float]]:
    """The oracle: all cosines, sorted; of equal ones the lower row first."""
    others = np.arange(len(vectors)) if among is None else np.flatnonzero(among)
    others = others[others != row]
    cosines = pair_cosines(vectors, np.full(len(others), row), others)
    best = np.lexsort((others, -cosines))[:k]
    short = k - len(best)
    return others[best].tolist() + [-1] * short, cosines[best].tolist() + [-1.0] * short


@given(unit_vectors(), small_tiles(), st.data())
def test_the_neighbours_are_those_of_a_full_sort_whatever_the_tiles(
    vectors: Vectors, sizes: dict[str, int], data: st.DataObject
) -> None:
    count = len(vectors)
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    rows = rng.permutation(count)[: data.draw(st.integers(1, count))]
    share = data.draw(st.sampled_from([None, 0.0, 0.1, 0.9]))
    among = None if share is None else rng.random(count) < share
    k = data.draw(st.integers(1, count + 5))
    place = 0
    for block, neighbours in found(vectors, rows, k, among, sizes):
        assert block.start == place
        place = block.stop
        for row, own, cosines in zip(rows[block], *neighbours, strict=True):
            assert (own.tolist(), cosines.tolist()) == sorted_all(vectors, row, k, among)
    assert place == len(rows)


@pytest.mark.slow
@settings(max_examples=25)  # compiling a product takes longer than using it
@given(unit_vectors(least=2), small_tiles(), st.integers(1, 150))
def test_the_neighbours_are_the_same_if_bfloat16_estimates_the_cosines(
    vectors: Vectors, sizes: dict[str, int], k: int
) -> None:
    rows = np.arange(len(vectors))
    with patch.multiple(score_products, WORTH=0, CROWDED=np.inf, multiplies_bfloat16=lambda: True):
        for block, neighbours in found(vectors, rows, k, None, sizes):
            for row, own, cosines in zip(rows[block], *neighbours, strict=True):
                assert (own.tolist(), cosines.tolist()) == sorted_all(vectors, row, k, None)


@given(unit_vectors(most=60), small_tiles(), st.integers(0, 10**6))
def test_rows_enter_the_lists_of_those_that_they_are_near_enough_to(
    vectors: Vectors, sizes: dict[str, int], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    count = len(vectors)
    rows = rng.permutation(count)[: rng.integers(1, count + 1)]
    table = np.stack([query_cosines(vectors, np.arange(count), row) for row in vectors])
    least = table[np.arange(count), rng.integers(0, count, count)]  # so that some cosines are equal to it
    with patch.multiple(all_neighbours, QUERIES=sizes["QUERIES"], TARGETS=sizes["TARGETS"]):
        targets, sources, cosines = entering(vectors, rows, least)
    pairs = list(zip(targets.tolist(), sources.tolist(), cosines.tolist(), strict=True))
    expected = [
        (target, int(source), float(table[target, source]))
        for target in range(count)
        for source in rows
        if source != target and table[target, source] >= least[target]
    ]
    assert sorted(pairs) == sorted(expected)


@given(unit_vectors(most=40), st.integers(1, 20), st.integers(1, 3), st.data())
def test_close_pairs_are_those_of_a_table_of_all_cosines_whatever_the_tiles(
    vectors: Vectors, rows: int, times: int, data: st.DataObject
) -> None:
    first, second = np.triu_indices(len(vectors), 1)
    cosines = pair_cosines(vectors, first, second)
    least = data.draw(st.sampled_from([-1.0, 0.9, 1.0, None]))
    if least is None:  # as high as a pair is
        least = float(cosines[data.draw(st.integers(0, 10**6)) % len(cosines)]) if len(cosines) else 0.0
    expected = {
        (int(a), int(b)): float(cosine)
        for a, b, cosine in zip(first, second, cosines, strict=True)
        if cosine >= np.float32(least)
    }
    for row in range(len(vectors) if len(vectors) > 1 else 0):
        (nearest,), (cosine,) = sorted_all(vectors, row, 1, None)
        expected[min(row, nearest), max(row, nearest)] = cosine
    with patch.multiple(close_pairs, ROWS=rows, COLUMNS=rows * times, TOGETHER=7):
        pairs = close_pairs.close_pairs(vectors, least)
    assert sorted(expected) == list(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
    assert [expected[pair] for pair in sorted(expected)] == pairs.cosines.tolist()


@pytest.mark.parametrize("rows", [1, 2, 9])
def test_of_equally_near_rows_the_lowest_is_the_nearest(rows: int) -> None:
    with patch.multiple(close_pairs, ROWS=rows, COLUMNS=rows):
        pairs = close_pairs.close_pairs(np.full((9, 1), 0.5, np.float32), 0.9)
    assert pairs.first.tolist() == [0] * 8
    assert pairs.second.tolist() == list(range(1, 9))


@given(unit_vectors(least=2), st.integers(0, 10**6))
def test_the_cosine_of_two_rows_depends_on_nothing_else(vectors: Vectors, seed: int) -> None:
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, len(vectors), (2, 300))
    cosines = pair_cosines(vectors, first, second)
    assert cosines.tobytes() == pair_cosines(vectors, second, first).tobytes()
    order = rng.permutation(300)
    assert cosines[order].tobytes() == pair_cosines(vectors, first[order], second[order]).tobytes()
    # At another alignment, in another order, and in rows that are not next to each other.
    memory = np.empty(vectors.size + 1, np.float32)
    moved = memory[1:].reshape(vectors.shape)
    moved[:] = vectors[::-1]
    last = len(vectors) - 1
    assert cosines.tobytes() == pair_cosines(moved, last - first, last - second).tobytes()
    wide = np.repeat(vectors, 2, axis=1)[:, ::2]
    assert cosines.tobytes() == pair_cosines(wide, first, second).tobytes()
    for place in range(10):
        alone = slice(place, place + 1)
        assert cosines[alone].tobytes() == pair_cosines(vectors, first[alone], second[alone]).tobytes()
        asked = query_cosines(vectors, first, vectors[second[place]])
        assert cosines[alone].tobytes() == asked[alone].tobytes()
        assert (
            cosines[alone].tobytes()
            == query_cosines(vectors, first[alone], moved[last - second[place]]).tobytes()
        )


@pytest.mark.parametrize("dim", [1, 5, 64, 512, 1536])
def test_matrix_products_differ_from_cosines_by_less_than_the_bound(dim: int) -> None:
    rng = np.random.default_rng(dim)
    for rows in (np.ones((40, dim)), rng.normal(size=(40, dim)), 9 + rng.normal(size=(40, dim))):
        vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
        first, second = np.indices((40, 40)).reshape(2, -1)
        cosines = pair_cosines(vectors, first, second).reshape(40, 40)
        assert np.abs(vectors @ vectors.T - cosines).max() <= rounding(dim)
        true = vectors.astype(np.float64) @ vectors.T.astype(np.float64)
        assert np.abs(true - cosines).max() <= rounding(dim)


def test_a_row_that_is_not_a_number_spoils_no_other() -> None:
    rows = np.random.default_rng(0).standard_normal((600, 16)).astype(np.float32)
    vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    damaged = vectors.copy()
    damaged[300] = np.nan
    others = np.delete(np.arange(600), 300)
    among = np.ones(600, np.bool_)
    among[300] = False
    with patch.multiple(all_neighbours, TARGETS=400), patch.object(candidate_pool, "SPARE", 0):
        mine = ExactIndex(damaged).neighbours(7, rows=others)
    theirs = ExactIndex(vectors).neighbours(7, rows=others, among=among)
    assert mine.rows.tobytes() == theirs.rows.tobytes()
    assert mine.cosines.tobytes() == theirs.cosines.tobytes()


def test_many_identical_rows_take_little_memory() -> None:
    rows = np.random.default_rng(0).standard_normal((30_000, 8)).astype(np.float32)
    rows[5_000:15_000] = rows[0]
    vectors = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    asked = np.arange(4_900, 5_100)
    tracemalloc.start()
    try:
        ((_, neighbours),) = find(vectors, asked, 100)
        targets, _, _ = entering(vectors, asked[-3:], np.full(30_000, neighbours.cosines[-1, 0]))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert neighbours.rows[-1].tolist() == [0, *range(5_000, 5_099)]
    assert len(targets) == 3 * 10_000
    assert peak < 30e6
