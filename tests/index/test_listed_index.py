"""An index with lists of any length finds what one without lists finds, and searches only where lists run out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.index.test_index_contract import few_values, unit_rows

from steamdino.index.all_neighbours import find
from steamdino.index.exact import ExactIndex
from steamdino.index.listed_index import ListedIndex
from steamdino.index.neighbour_lists import NeighbourLists
from steamdino.index.vector_index import ClosePairs, Index
from steamdino.records import Progress


class CountingIndex(ExactIndex):
    """Counts for how many rows it is asked."""

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        super().__init__(vectors)
        self.asked: list[int] = []

    def neighbours(self, k: int, *, rows=None, among=None, progress: Progress | None = None):  # type: ignore[no-untyped-def]
        self.asked += (np.arange(len(self)) if rows is None else rows).tolist()
        return super().neighbours(k, rows=rows, among=among, progress=progress)


def listed(vectors: NDArray[np.float32], width: int) -> tuple[ListedIndex, CountingIndex]:
    shape = len(vectors), width
    lists = NeighbourLists(np.empty(shape, np.int32), np.empty(shape, np.float32), width)
    for part, found in find(vectors, np.arange(len(vectors)), width):
        lists.rows[part], lists.cosines[part] = found
    inner = CountingIndex(vectors)
    return ListedIndex(inner, lists), inner


@settings(deadline=None)
@given(st.data())
def test_neighbours_equal_those_without_lists(data: st.DataObject) -> None:
    count, width, k = (
        data.draw(st.integers(1, 60)),
        data.draw(st.integers(1, 20)),
        data.draw(st.integers(1, 25)),
    )
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    vectors = few_values(count, 3, int(rng.integers(10**6)))
    share = data.draw(st.sampled_from([None, 0.0, 0.1, 0.5, 0.9, 1.0]))
    among = None if share is None else rng.random(count) < share
    rows = data.draw(st.none() | st.just(rng.integers(0, count, 9)))
    index, inner = listed(vectors, width)
    ours, true = (one.neighbours(k, rows=rows, among=among) for one in (index, ExactIndex(vectors)))
    assert ours.rows.tolist() == true.rows.tolist()
    assert ours.cosines.tolist() == true.cosines.tolist()
    table = vectors @ vectors.T
    np.fill_diagonal(table, -9)
    for row in set(inner.asked):  # it searched only where fewer than k of the list may be found
        first = np.lexsort((np.arange(count), -table[row]))[: min(width, count - 1)]
        assert (len(first) if among is None else among[first].sum()) < min(k, true.rows.shape[1])


def pairs_of(found: ClosePairs) -> list[tuple[int, int, float]]:
    return list(zip(found.first.tolist(), found.second.tolist(), found.cosines.tolist(), strict=True))


@settings(deadline=None)
@given(st.integers(0, 60), st.integers(1, 20), st.integers(0, 10**6), st.floats(-1, 1))
def test_close_pairs_are_those_of_a_table_of_all_cosines(
    count: int, width: int, seed: int, least: float
) -> None:
    vectors = few_values(count, 3, seed)
    index, _ = listed(vectors, width)
    table = vectors @ vectors.T
    close = {(a, b) for a, b in zip(*np.nonzero(table >= np.float32(least)), strict=True) if a < b}
    for some in (index, index.subset(np.arange(count))):
        found = some.close_pairs(least)
        pairs = {(a, b) for a, b, _ in pairs_of(found)}
        assert len(pairs) == len(found.first)
        assert pairs >= close
        assert all(cosine == table[a, b] for a, b, cosine in pairs_of(found))
        np.fill_diagonal(table, -9)
        assert all(table[a, b] in (table[a].max(), table[b].max()) for a, b in pairs - close)
        np.fill_diagonal(table, 9)


@settings(deadline=None)
@given(st.integers(2, 60), st.integers(1, 20), st.integers(0, 10**6), st.sampled_from([0.05, 0.5, 0.95]))
def test_a_subset_finds_the_same_as_an_index_of_its_rows(
    count: int, width: int, seed: int, share: float
) -> None:
    vectors = few_values(count, 3, seed)
    index, _ = listed(vectors, width)
    rng = np.random.default_rng(seed)
    rows = np.flatnonzero(rng.random(count) < share)
    part: Index = index.subset(rows)
    true = ExactIndex(vectors[rows])
    among = rng.random(len(rows)) < 0.6
    for mask in (None, among):
        ours, theirs = (one.neighbours(3, among=mask) for one in (part, true))
        assert ours.rows.tolist() == theirs.rows.tolist()
        assert ours.cosines.tolist() == theirs.cosines.tolist()
    ours_pairs, true_pairs = ({one[2] for one in pairs_of(each.close_pairs(0.4))} for each in (part, true))
    assert ours_pairs == true_pairs
    if len(rows) > 1:
        again = part.subset(np.arange(1, len(rows)))
        assert (again.vectors == vectors[rows[1:]]).all()
        assert (
            again.neighbours(2).cosines.tolist()
            == ExactIndex(vectors[rows[1:]]).neighbours(2).cosines.tolist()
        )
        assert part.similarity(0, 1) == true.similarity(0, 1)


def test_a_subset_of_most_rows_copies_no_vectors() -> None:
    index, _ = listed(unit_rows(40, 8, 0), 10)
    part = index.subset(np.arange(1, 40))
    part.neighbours(3)
    part.close_pairs(0.5)
    part.nearest(index.vectors[0], 3)
    assert "vectors" not in vars(part)


def test_progress_counts_every_row_once_and_ends_with_all() -> None:
    index, inner = listed(unit_rows(50, 8, 0), 6)
    among = np.random.default_rng(0).random(50) < 0.5
    for k, mask in ((3, None), (30, None), (3, among)):
        calls: list[tuple[int, int]] = []
        index.neighbours(k, among=mask, progress=lambda *done: calls.append(done))  # noqa: B023
        assert calls == sorted(calls)
        assert calls[-1] == (50, 50)
    assert len(set(inner.asked)) > 0


@pytest.mark.parametrize("change", ["order", "cosine", "row", "lost"])
def test_a_wrong_list_is_noticed(change: str) -> None:
    vectors = unit_rows(30, 8, 1)
    index, _ = listed(vectors, 6)
    assert index.wrong_lists(1000) == 0
    rows, cosines = index._lists.rows, index._lists.cosines
    if change == "order":
        rows[4, :2] = rows[4, [1, 0]]
    elif change == "cosine":
        cosines[4, 2] += np.float32(1e-5)
    elif change == "row":
        rows[4, 5] = 4
    else:
        rows[4], cosines[4] = np.append(rows[4, 1:], -1), np.append(cosines[4, 1:], -1)
    assert index.wrong_lists(1000) == 1
