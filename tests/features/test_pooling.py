from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from steamdino.features.pooling import generalised_mean, pool, unit, whiten
from steamdino.recipe import Pooling

TOKENS = np.array([[[9, 9], [1, 2], [3, 0]]], np.float32)  # one picture: a first token and two cells


@pytest.mark.parametrize(
    ("family", "pooling", "expected"),
    [
        ("vit", Pooling("simple"), [9, 9]),
        ("vit", Pooling("patches"), [2, 1]),
        ("vit", Pooling("gem", 4.0), [9, 9, ((1 + 81) / 2) ** 0.25, (16 / 2) ** 0.25]),
        ("conv", Pooling("simple"), [2, 1]),
        ("conv", Pooling("patches"), [2, 1]),
        ("conv", Pooling("gem", 3.0), [(28 / 2) ** (1 / 3), (8 / 2) ** (1 / 3)]),
    ],
)
def test_each_kind_of_pooling_gives_what_was_computed_by_hand(
    family: str, pooling: Pooling, expected: list[float]
) -> None:
    np.testing.assert_allclose(pool(TOKENS, pooling, family=family), [expected], rtol=1e-5)


positive = hnp.arrays(np.float32, (2, 5, 3), elements=st.floats(0.125, 100, width=32))


@given(positive, st.floats(1, 8))
def test_a_generalised_mean_lies_between_the_mean_and_the_maximum(cells: np.ndarray, power: float) -> None:
    pooled = generalised_mean(cells, power)
    assert (pooled >= cells.mean(axis=1) * 0.999).all()
    assert (pooled <= cells.max(axis=1) * 1.001).all()


def test_what_is_below_the_floor_counts_as_the_floor() -> None:
    np.testing.assert_allclose(generalised_mean(np.full((1, 4, 1), -5, np.float32), 3.0), [[1e-6]], rtol=1e-3)


@given(hnp.arrays(np.float32, (3, 4), elements=st.floats(-1e6, 1e6, width=32)))
def test_unit_rows_have_length_one_unless_they_are_zero(rows: np.ndarray) -> None:
    for before, after in zip(rows, unit(rows), strict=True):
        if np.linalg.norm(before) > 1e-30:
            assert abs(np.linalg.norm(after) - 1) < 1e-5
        else:
            assert not np.isnan(after).any()


def test_whitening_is_the_formula() -> None:
    rng = np.random.default_rng(0)
    rows, mean, projection = (rng.standard_normal(s).astype(np.float32) for s in ((4, 6), (6,), (6, 2)))
    expected = (rows.astype(np.float64) - mean) @ projection
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(whiten(rows, mean, projection), expected, atol=1e-5)
