"""What every kind of search index in the registry promises, against a full sort by NumPy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from steamdino.index.index_registry import INDEXES
from steamdino.index.listed_index import ListedIndex
from steamdino.index.subset_index import SubsetIndex
from steamdino.index.vector_index import Index, Neighbours

Vectors = NDArray[np.float32]

RECALL_SLACK = 0.02
"""By how much a measured recall may fall below the one that an approximate index claims."""

KINDS: dict[str, type[Index]] = {**INDEXES, "listed": ListedIndex, "subset": SubsetIndex}
every_index = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def unit_rows(count: int, dim: int, seed: int) -> Vectors:
    rows = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def few_values(count: int, dim: int, seed: int) -> Vectors:
    """Rows with many equal dot products, none above 1. Few bits, so that every order of summation rounds alike."""
    return np.random.default_rng(seed).integers(-2, 3, (count, dim)).astype(np.float32) / 8


def sorted_rows(scores: Vectors, allowed: NDArray[np.bool_]) -> NDArray[np.intp]:
    """The oracle: all allowed rows by falling score, of equal ones the lower row first."""
    order = np.lexsort((np.arange(len(scores)), -scores))
    return order[allowed[order]]


def check_one(
    index: Index, found: Neighbours, query: Vectors, allowed: NDArray[np.bool_], k: int, *, exact: bool
) -> None:
    """Checks the neighbours of one query: rows that may be found, true cosines, in order; all of them if exact."""
    scores = index.vectors @ query
    expected = sorted_rows(scores, allowed)[:k]
    assert len(found.rows) == len(found.cosines) == len(expected)
    assert len(set(found.rows.tolist())) == len(found.rows)
    assert allowed[found.rows].all()
    assert found.cosines.dtype == np.float32
    assert found.cosines.tolist() == np.clip(scores[found.rows], -1, 1).tolist()
    assert found.rows.tolist() == sorted(found.rows.tolist(), key=lambda row: (-scores[row], row))
    if exact:
        assert found.rows.tolist() == expected.tolist()


@pytest.mark.quick_cases(1)
@every_index
@given(st.data())
def test_nearest_equals_a_full_sort_under_a_mask_and_exclusions(
    kind: type[Index], data: st.DataObject
) -> None:
    count = data.draw(st.integers(1, 400))
    seed = data.draw(st.integers(0, 10**6))
    index = kind.build(few_values(count, data.draw(st.integers(1, 3)), seed))
    query = index.vectors[data.draw(st.integers(0, count - 1))]
    exclude = data.draw(st.lists(st.integers(0, count - 1), unique=True, max_size=count))
    share = data.draw(st.sampled_from([None, 0, 0.1, 0.5, 0.9, 1]))
    among = None if share is None else np.random.default_rng(seed).random(count) < share
    k = data.draw(st.integers(1, count + 2))
    allowed = np.ones(count, np.bool_) if among is None else among.copy()
    allowed[exclude] = False
    found = index.nearest(query, k, exclude=exclude, among=among)
    check_one(index, found, query, allowed, k, exact=index.recall(k) == 1.0)


@pytest.mark.quick_cases(1)
@every_index
@given(st.data())
def test_neighbours_of_many_rows_are_the_nearest_of_each(kind: type[Index], data: st.DataObject) -> None:
    count, k = data.draw(st.integers(1, 200)), data.draw(st.integers(1, 210))
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    index = kind.build(few_values(count, data.draw(st.integers(1, 3)), int(rng.integers(10**6))))
    share = data.draw(st.sampled_from([None, 0.0, 0.3, 1.0]))
    among = None if share is None else rng.random(count) < share
    rows = data.draw(st.none() | st.just(rng.permutation(count)[: max(1, count // 2)]))
    calls: list[tuple[int, int]] = []
    found = index.neighbours(k, rows=rows, among=among, progress=lambda *done: calls.append(done))
    queries = np.arange(count) if rows is None else rows
    findable = count - 1 if among is None else int(among.sum())
    assert found.rows.shape == found.cosines.shape == (len(queries), min(k, findable))
    assert not found.rows.size or calls[-1] == (len(queries), len(queries))
    exact = index.recall(k) == 1.0
    for query, mates, cosines in zip(queries, found.rows, found.cosines, strict=True):
        allowed = np.ones(count, np.bool_) if among is None else among.copy()
        allowed[query] = False
        short = len(mates) - min(len(mates), int(allowed.sum()))  # it may not find itself
        assert mates[len(mates) - short :].tolist() == [-1] * short
        assert cosines[len(mates) - short :].tolist() == [-1.0] * short
        own = Neighbours(mates[: len(mates) - short], cosines[: len(mates) - short])
        check_one(index, own, index.vectors[query], allowed, len(own.rows), exact=exact)


@every_index
@given(st.integers(0, 40), st.integers(0, 10_000), st.floats(-0.5, 0.9))
def test_close_pairs_reach_the_threshold_or_join_a_row_to_its_nearest(
    kind: type[Index], count: int, seed: int, least: float
) -> None:
    index = kind.build(unit_rows(count, 4, seed))
    check_pairs(index, least)


def check_pairs(index: Index, least: float) -> None:
    """Checks close pairs against a table of all cosines."""
    calls: list[tuple[int, int]] = []
    pairs = index.close_pairs(least, progress=lambda *done: calls.append(done))
    table = index.vectors.astype(np.float64) @ index.vectors.T.astype(np.float64)
    np.fill_diagonal(table, -9)
    found = set(zip(pairs.first.tolist(), pairs.second.tolist(), strict=True))
    assert len(found) == len(pairs.first)  # each once
    assert (pairs.first < pairs.second).all()
    np.testing.assert_allclose(pairs.cosines, table[pairs.first, pairs.second], atol=1e-5)
    assert not len(index) or calls[-1] == (len(index), len(index))
    nearest = table.max(axis=1, initial=-9)
    for a, b in found:
        assert table[a, b] >= min(least, nearest[a], nearest[b]) - 1e-5
    if index.recall(1) == 1.0:
        first, second = np.nonzero(np.triu(table >= least + 1e-5, 1))
        assert found >= set(zip(first.tolist(), second.tolist(), strict=True))
        for row in range(len(index) if len(index) > 1 else 0):
            best = max(table[pair] for pair in found if row in pair)
            assert best == pytest.approx(nearest[row], abs=1e-5)


@every_index
@given(st.integers(0, 60), st.integers(1, 5), st.integers(0, 10**6))
def test_scores_and_similarities_are_exact_in_every_index(
    kind: type[Index], count: int, queries: int, seed: int
) -> None:
    index = kind.build(unit_rows(count, 8, seed))
    asked = 3 * unit_rows(queries, 8, seed + 1)  # of any length, and not clipped
    scores = index.scores(asked)
    assert scores.shape == (queries, count)
    np.testing.assert_allclose(scores, asked @ index.vectors.T, atol=1e-5)
    np.testing.assert_allclose(index.scores(asked[0]), scores[0], atol=1e-5)
    for row in range(min(count, 3)):
        assert index.similarity(0, row) == pytest.approx(
            float(index.vectors[0] @ index.vectors[row]), abs=1e-6
        )


@every_index
def test_a_similarity_beyond_one_by_rounding_is_one(kind: type[Index]) -> None:
    index = kind.build(np.array([[1.0001, 0], [-1.0001, 0]], np.float32))
    assert (index.similarity(0, 0), index.similarity(0, 1)) == (1.0, -1.0)


@every_index
@given(st.integers(1, 80), st.floats(0, 1), st.integers(0, 10**6))
def test_a_subset_is_an_index_of_its_rows(kind: type[Index], count: int, share: float, seed: int) -> None:
    index = kind.build(few_values(count, 3, seed))
    rows = np.flatnonzero(np.random.default_rng(seed).random(count) < share)
    part = index.subset(rows)
    assert len(part) == len(rows)
    assert (part.vectors == index.vectors[rows]).all()
    query, allowed = index.vectors[0], np.ones(len(rows), np.bool_)
    check_one(part, part.nearest(query, 5), query, allowed, 5, exact=part.recall(5) == 1.0)


@every_index
def test_a_subset_of_all_rows_copies_nothing(kind: type[Index]) -> None:
    index = kind.build(unit_rows(30, 8, 0))
    assert np.shares_memory(index.subset(np.arange(30)).vectors, index.vectors)


@every_index
def test_what_is_saved_opens_and_finds_the_same(kind: type[Index], tmp_path: Path) -> None:
    index = kind.build(unit_rows(300, 16, 1))
    files = index.save(tmp_path)
    assert sorted(files) == sorted(path.name for path in tmp_path.iterdir())
    opened = kind.open(tmp_path, index.vectors)
    assert len(opened) == len(index) == 300
    for mine, theirs in zip(index.neighbours(7), opened.neighbours(7), strict=True):
        assert mine.tobytes() == theirs.tobytes()


@pytest.mark.quick_cases(1)
@every_index
@pytest.mark.parametrize("k", [1, 10])
def test_the_recall_is_as_good_as_claimed(kind: type[Index], k: int) -> None:
    index = kind.build(unit_rows(3000, 48, 2))
    found = index.neighbours(k)
    table = index.vectors @ index.vectors.T
    np.fill_diagonal(table, -np.inf)
    edge = -np.partition(-table, k - 1, axis=1)[:, k - 1 : k]
    # By cosine and not by row: rounding may exchange rows whose cosines differ by less.
    measured = float((found.cosines >= edge - 2e-6).mean())
    assert measured >= index.recall(k) - (0 if index.recall(k) == 1 else RECALL_SLACK)


@every_index
def test_an_empty_index_finds_nothing(kind: type[Index]) -> None:
    index = kind.build(np.empty((0, 4), np.float32))
    assert len(index.nearest(np.ones(4, np.float32), 3).rows) == 0
    assert index.neighbours(3).rows.shape[0] == 0
    assert len(index.close_pairs(0.5).first) == 0
    assert index.scores(np.ones(4, np.float32)).shape == (0,)


@every_index
def test_a_single_row_has_no_neighbours(kind: type[Index]) -> None:
    found = kind.build(np.ones((1, 1), np.float32)).neighbours(5)
    assert found.rows.shape == found.cosines.shape == (1, 0)


def test_each_index_is_registered_under_its_own_name() -> None:
    assert all(kind.name == name for name, kind in INDEXES.items())


@every_index
@given(st.integers(0, 60), st.integers(0, 10**6))
def test_what_is_listed_is_known_for_every_row(kind: type[Index], count: int, seed: int) -> None:
    index = kind.build(few_values(count, 3, seed))
    rows = np.flatnonzero(np.random.default_rng(seed).random(count) < 0.9)
    for some in (index, index.subset(rows)):
        assert some.listed >= 0
        if some.listed and len(some) > 1:
            found = some.neighbours(min(some.listed, len(some) - 1))
            assert (found.rows >= 0).all()
