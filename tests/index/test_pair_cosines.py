from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from steamdino.index.pair_cosines import BLOCK_BYTES, pair_cosines


def unit_rows(count: int, dim: int, seed: int) -> NDArray[np.float32]:
    rows = np.random.default_rng(seed).normal(size=(count, dim)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def moved(vectors: NDArray[np.float32], by: int) -> NDArray[np.float32]:
    """The same vectors, so many bytes behind an aligned place."""
    raw = np.empty(vectors.nbytes + 64 + by, np.uint8)
    start = -raw.ctypes.data % 64 + by
    made = raw[start : start + vectors.nbytes].view(np.float32).reshape(vectors.shape)
    made[:] = vectors
    return made


@settings(deadline=None)
@given(st.integers(1, 12), st.integers(1, 700), st.integers(0, 10**6), st.sampled_from([0, 4, 12, 32, 60]))
def test_a_cosine_depends_on_nothing_but_its_two_vectors(count: int, dim: int, seed: int, by: int) -> None:
    vectors = unit_rows(count, dim, seed)
    first, second = (part.ravel() for part in np.indices((count, count)))
    found = pair_cosines(vectors, first, second)
    assert found.dtype == np.float32
    table = found.reshape(count, count)
    assert table.tobytes() == np.ascontiguousarray(table.T).tobytes()
    assert pair_cosines(moved(vectors, by), second, first).tobytes() == found.tobytes()
    order = np.random.default_rng(seed).permutation(count)
    other = vectors[order]  # the vectors in other rows
    place = np.argsort(order)
    assert pair_cosines(other, place[first], place[second]).tobytes() == found.tobytes()
    for pair in range(0, len(first), 7):
        alone = pair_cosines(vectors, first[pair : pair + 1], second[pair : pair + 1])
        assert alone.tobytes() == found[pair : pair + 1].tobytes()
    np.testing.assert_allclose(table, np.clip(vectors.astype(np.float64) @ vectors.T, -1, 1), atol=1e-6)


def test_many_pairs_equal_few() -> None:
    vectors = unit_rows(50, 384, 0)
    first, second = np.random.default_rng(1).integers(0, 50, (2, 3 * BLOCK_BYTES // (4 * 384)))
    found = pair_cosines(vectors, first, second)
    parts = [pair_cosines(vectors, first[n : n + 97], second[n : n + 97]) for n in range(0, len(first), 97)]
    assert np.concatenate(parts).tobytes() == found.tobytes()


@pytest.mark.parametrize("dim", [0, 1, 2, 3])
def test_short_vectors_and_no_pairs_are_no_special_case(dim: int) -> None:
    vectors = np.full((2, dim), 2, np.float32)
    assert pair_cosines(vectors, np.array([0]), np.array([1])).tolist() == [1.0 if dim else 0.0]
    assert pair_cosines(vectors, np.empty(0, np.intp), np.empty(0, np.intp)).shape == (0,)
