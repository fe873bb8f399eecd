from __future__ import annotations

import faiss
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from steamdino.index.exact import MANY, nearest, neighbours


@given(st.data())
def test_the_nearest_are_those_of_a_full_sort(data: st.DataObject) -> None:
    count, dim = data.draw(st.integers(1, 400)), data.draw(st.integers(1, 3))
    # Few different values make many equal scores, which is where a partial sort goes wrong.
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    vectors = rng.integers(-2, 3, (count, dim)).astype(np.float32)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1)
    query = vectors[data.draw(st.integers(0, count - 1))]
    k = data.draw(st.integers(1, 450))
    exclude = data.draw(st.none() | st.integers(0, count - 1))

    scores = vectors @ query
    expected = [row for row in sorted(range(count), key=lambda row: (-scores[row], row)) if row != exclude][
        :k
    ]
    rows, cosines = nearest(vectors, query, k, exclude=() if exclude is None else [exclude])
    assert rows.tolist() == expected
    assert cosines.tolist() == np.clip(scores[expected], -1, 1).tolist()


@given(st.data())
def test_the_nearest_among_some_and_without_others_are_those_of_a_full_sort(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 150))
    rng = np.random.default_rng(data.draw(st.integers(0, 10**6)))
    vectors = rng.integers(-2, 3, (count, 2)).astype(np.float32)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1)
    query = vectors[data.draw(st.integers(0, count - 1))]
    # Excluded rows lie inside the filter and outside of it.
    exclude = data.draw(st.lists(st.integers(0, count - 1), unique=True, max_size=count))
    among = rng.random(count) < data.draw(st.sampled_from([0, 0.1, 0.5, 0.9, 1]))
    k = data.draw(st.integers(1, count + 2))

    scores = vectors @ query
    order = np.lexsort((np.arange(count), -scores))
    expected = order[among[order] & ~np.isin(order, exclude)][:k]
    rows, cosines = nearest(vectors, query, k, exclude=exclude, among=among)
    assert rows.tolist() == expected.tolist()
    assert cosines.tolist() == np.clip(scores[expected], -1, 1).tolist()


def test_a_row_outside_the_filter_that_is_excluded_takes_no_place_from_the_others() -> None:
    vectors = np.eye(3, dtype=np.float32)
    among = np.array([False, True, True])
    assert nearest(vectors, vectors[1], 2, exclude=[0], among=among)[0].tolist() == [1, 2]
    assert nearest(vectors, vectors[1], 3, exclude=[1], among=among)[0].tolist() == [2]
    assert nearest(vectors, vectors[1], 2, exclude=[1, 2], among=among)[0].tolist() == []


@given(st.integers(1, 200), st.integers(1, 12), st.floats(0, 1), st.integers(0, 10**6))
def test_the_neighbours_among_some_are_those_of_each(count: int, k: int, share: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = rng.integers(-2, 3, (count, 2)).astype(np.float32)
    among = rng.random(count) < share
    found, cosines = neighbours(vectors, k, among=among)
    assert found.shape == cosines.shape == (count, min(k, int(among.sum())))
    for row, (mates, values) in enumerate(zip(found, cosines, strict=True)):
        expected, their = nearest(vectors, vectors[row], k, exclude=[row], among=among)
        missing = len(mates) - len(expected)  # its own place, where it might have been found itself
        assert missing in (0, 1)
        assert mates.tolist() == [*expected.tolist(), *[-1] * missing]
        assert values.tolist() == [*their.tolist(), *[-1.0] * missing]


def test_blocks_of_many_rows_join_without_a_gap() -> None:
    rng = np.random.default_rng(5)
    vectors = rng.integers(-2, 3, (MANY + 3, 3)).astype(np.float32)
    calls: list[tuple[int, int]] = []
    found, _ = neighbours(vectors, 2, progress=lambda done, total: calls.append((done, total)))
    assert calls == [(MANY, MANY + 3), (MANY + 3, MANY + 3)]
    for row in (0, MANY - 1, MANY, MANY + 2):
        assert found[row].tolist() == nearest(vectors, vectors[row], 2, exclude=[row])[0].tolist()


def test_of_equal_rows_the_lower_comes_first_and_the_query_is_left_out_by_its_row() -> None:
    vectors = np.repeat(np.array([[1, 0]], np.float32), 5, axis=0)
    rows, cosines = nearest(vectors, vectors[3], 3, exclude=[3])
    assert rows.tolist() == [0, 1, 2]
    assert cosines.tolist() == [1, 1, 1]


def test_cosines_beyond_one_by_rounding_are_one() -> None:
    vectors = np.array([[1.001, 0], [-1.001, 0], [0, 1]], np.float32)
    for k in (1, 3):
        assert nearest(vectors, vectors[0], k)[1].tolist() == [1.0, 0.0, -1.0][:k]
    assert nearest(vectors[1:2], vectors[0], 1)[1].tolist() == [-1.0]


def test_no_rows_have_no_neighbours() -> None:
    rows, cosines = nearest(np.empty((0, 4), np.float32), np.ones(4, np.float32), 3)
    assert (len(rows), len(cosines)) == (0, 0)


@given(st.integers(2, 300), st.integers(1, 3), st.integers(1, 310), st.integers(0, 10**6))
def test_the_neighbours_of_many_are_those_of_each(count: int, dim: int, k: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    # Whole numbers, so that a product of matrices rounds as one of vectors does.
    vectors = rng.integers(-2, 3, (count, dim)).astype(np.float32)
    rows = rng.permutation(count)[: max(1, count // 2)]
    calls: list[tuple[int, int]] = []
    found, cosines = neighbours(
        vectors, k, rows=rows, progress=lambda done, total: calls.append((done, total))
    )
    assert found.shape == cosines.shape == (len(rows), min(k, count - 1))
    assert calls[-1] == (len(rows), len(rows))
    for row, mates, values in zip(rows, found, cosines, strict=True):
        expected, their = nearest(vectors, vectors[row], k, exclude=[row])
        assert mates.tolist() == expected.tolist()
        assert values.tolist() == their.tolist()


def test_the_neighbours_are_those_that_faiss_finds() -> None:
    rng = np.random.default_rng(3)
    vectors = rng.standard_normal((3000, 48)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    index = faiss.IndexFlatIP(48)
    index.add(vectors)
    scores, rows = index.search(vectors, 21)
    assert (rows[:, 0] == np.arange(3000)).all()
    found, cosines = neighbours(vectors, 20)
    np.testing.assert_allclose(cosines, scores[:, 1:], atol=2e-6)
    assert (
        found == rows[:, 1:]
    ).mean() > 0.999  # scores that differ by less than they round may change places


def test_a_single_row_has_no_neighbours() -> None:
    found, cosines = neighbours(np.ones((1, 1), np.float32), 5)
    assert found.shape == cosines.shape == (1, 0)
