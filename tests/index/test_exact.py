"""Exact search: its blocks, equal cosines, rounding, and FAISS as a second oracle."""

from __future__ import annotations

import faiss
import numpy as np
import pytest
from test_index_contract import few_values, unit_rows

from steamdino.index import all_neighbours
from steamdino.index.exact import ExactIndex


def test_a_row_outside_the_filter_that_is_excluded_takes_no_place_from_the_others() -> None:
    index = ExactIndex(np.eye(3, dtype=np.float32))
    query, among = index.vectors[1], np.array([False, True, True])
    assert index.nearest(query, 2, exclude=[0], among=among).rows.tolist() == [1, 2]
    assert index.nearest(query, 3, exclude=[1], among=among).rows.tolist() == [2]
    assert index.nearest(query, 2, exclude=[1, 2], among=among).rows.tolist() == []


@pytest.mark.parametrize("k", [0, 1, 2])
def test_an_answer_has_the_same_types_whether_or_not_it_is_empty(k: int) -> None:
    index = ExactIndex(np.eye(3, dtype=np.float32))
    found = index.nearest(index.vectors[1], k)
    assert (len(found.rows), found.rows.dtype, found.cosines.dtype) == (k, np.intp, np.float32)


def test_blocks_of_many_rows_join_without_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(all_neighbours, "QUERIES", 16)
    index = ExactIndex(few_values(35, 3, 5))
    calls: list[tuple[int, int]] = []
    found, _ = index.neighbours(2, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(16, 35), (32, 35), (35, 35)]
    for row in range(35):
        assert found[row].tolist() == index.nearest(index.vectors[row], 2, exclude=[row]).rows.tolist()


def test_of_equal_rows_the_lower_comes_first_and_the_query_is_left_out_by_its_row() -> None:
    index = ExactIndex(np.repeat(np.array([[1, 0]], np.float32), 5, axis=0))
    rows, cosines = index.nearest(index.vectors[3], 3, exclude=[3])
    assert rows.tolist() == [0, 1, 2]
    assert cosines.tolist() == [1, 1, 1]


def test_cosines_beyond_one_by_rounding_are_one() -> None:
    index = ExactIndex(np.array([[1.001, 0], [-1.001, 0], [0, 1]], np.float32))
    for k in (1, 3):
        assert index.nearest(index.vectors[0], k).cosines.tolist() == [1.0, 0.0, -1.0][:k]
    assert ExactIndex(index.vectors[1:2]).nearest(index.vectors[0], 1).cosines.tolist() == [-1.0]


def test_the_neighbours_are_those_that_faiss_finds() -> None:
    vectors = unit_rows(3000, 48, 3)
    flat = faiss.IndexFlatIP(48)
    flat.add(vectors)
    scores, rows = flat.search(vectors, 21)
    assert (rows[:, 0] == np.arange(3000)).all()
    found, cosines = ExactIndex(vectors).neighbours(20)
    np.testing.assert_allclose(cosines, scores[:, 1:], atol=2e-6)
    # Rows whose cosines differ by less than they are rounded may change places.
    assert (found == rows[:, 1:]).mean() > 0.999
