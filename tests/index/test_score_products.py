"""Estimates of cosines: as near to the exact ones as promised, and chosen where they save time."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from steamdino.index import score_products
from steamdino.index.bfloat16 import BFloat16Product, as_bfloat16, longest_rounding, multiplies_bfloat16
from steamdino.index.pair_cosines import pair_cosines
from steamdino.index.score_products import Product, SinglePrecisionProduct, fastest_product, is_crowded

Vectors = NDArray[np.float32]


def unit(rows: NDArray[np.float64]) -> Vectors:
    """Return rows of length 1."""
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


@given(st.lists(st.floats(-2, 2, width=32), min_size=1, max_size=50))
@example([1 + 2**-8, 1 + 3 * 2**-8, -1 - 2**-8, 1 + 2**-8 + 2**-23, 1 + 2**-8 - 2**-23])
def test_bfloat16_keeps_eight_significant_bits_and_rounds_ties_to_even(numbers: list[float]) -> None:
    given_ = np.array(numbers, np.float32)
    given_[np.abs(given_) < np.finfo(np.float32).tiny] = 0  # smaller ones keep fewer bits
    mantissas, exponents = np.frexp(given_.astype(np.float64))
    expected = np.ldexp(np.rint(mantissas * 256) / 256, exponents)
    assert as_bfloat16(given_).tolist() == expected.tolist()


def test_the_longest_rounding_is_that_of_the_worst_row_that_is_finite() -> None:
    rows = unit(np.random.default_rng(0).standard_normal((2_500, 24)))
    rows[7] = np.nan
    rows[2_499] = 0
    rows[2_499, 0] = 1 + 2**-8  # a tie, which loses as much as a number can
    lost = as_bfloat16(rows).astype(np.float64) - rows
    lengths = np.linalg.norm(np.delete(lost, 7, axis=0), axis=1)
    assert lengths.max() == pytest.approx(2**-8)
    assert lengths.max() <= longest_rounding(rows) <= lengths.max() * 1.001


@pytest.mark.parametrize("dim", [1, 5, 64, 512, 1536])
@pytest.mark.parametrize("kind", ["equal", "random", "alike", "ties"])
def test_estimates_differ_from_cosines_by_less_than_the_bound(kind: str, dim: int) -> None:
    rng = np.random.default_rng(dim)
    rows = {
        "equal": np.ones((60, dim)),
        "random": rng.standard_normal((60, dim)),
        "alike": 9 + rng.standard_normal((60, dim)),
        "ties": np.tile([1 + 2**-8, 1], (60, dim))[:, :dim],
    }[kind]
    vectors = unit(rows)
    first, second = np.indices((60, 60)).reshape(2, -1)
    cosines = pair_cosines(vectors, first, second).reshape(60, 60)
    products: list[Product] = [
        SinglePrecisionProduct(dim),
        BFloat16Product(dim, longest_rounding(vectors)),
    ]
    for product in products:
        for size in (60, 7, 41):  # one product serves tiles of all sizes
            scores = product(vectors[:size], vectors[5:])
            assert np.abs(scores - cosines[:size, 5:]).max() <= product.error


def test_bfloat16_is_chosen_for_many_rows_unless_too_many_are_about_equally_near() -> None:
    rng = np.random.default_rng(0)
    spread = unit(rng.standard_normal((8_000, 64)))
    alike = unit(20 + rng.standard_normal((8_000, 64)))
    rows = np.arange(8_000)
    error = 2 * longest_rounding(spread)
    assert not is_crowded(spread, rows, 100 / 8_000, error)
    assert is_crowded(alike, rows, 100 / 8_000, error)
    expected = BFloat16Product if multiplies_bfloat16() else SinglePrecisionProduct
    assert type(fastest_product(spread, rows, 8_000, 100)) is SinglePrecisionProduct
    with patch.object(score_products, "WORTH", 8_000**2 - 1):
        assert type(fastest_product(spread, rows, 8_000, 100)) is expected
        assert type(fastest_product(alike, rows, 8_000, 100)) is SinglePrecisionProduct
        assert type(fastest_product(spread, rows[:-1], 8_000, 100)) is SinglePrecisionProduct
