from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from steamdino.features.model_registry import Model, models
from steamdino.features.pooling import generalised_mean, outputs, pool, unit
from steamdino.recipe import Pooling

TOKENS = np.array([[[9, 9], [1, 2], [3, 0]]], np.float32)  # one picture: a first token and two cells
WITH_REGISTERS = np.array([[[9, 9], [50, 50], [60, 60], [1, 2], [3, 0]]], np.float32)
S, B, CONV = (models()[name] for name in ("dino-vits16", "dino-vitb16", "dino-resnet50"))


@pytest.mark.parametrize(
    ("model", "pooling", "expected"),
    [
        (S, Pooling("simple"), [9, 9]),
        (S, Pooling("multiscale"), [9, 9]),
        (S, Pooling("patches"), [2, 1]),
        (S, Pooling("gem", 4.0), [9, 9, ((1 + 81) / 2) ** 0.25, (16 / 2) ** 0.25]),
        (B, Pooling("complex"), [9, 9, 2, 1]),
        (CONV, Pooling("simple"), [2, 1]),
        (CONV, Pooling("multiscale"), [2, 1]),
        (CONV, Pooling("patches"), [2, 1]),
        (CONV, Pooling("gem", 3.0), [(28 / 2) ** (1 / 3), (8 / 2) ** (1 / 3)]),
    ],
)
def test_each_kind_of_pooling_gives_what_was_computed_by_hand(
    model: Model, pooling: Pooling, expected: list[float]
) -> None:
    np.testing.assert_allclose(pool([TOKENS], pooling, model), [expected], rtol=1e-5)


def test_registers_are_not_patches() -> None:
    model = replace(B, registers=2)
    np.testing.assert_allclose(pool([WITH_REGISTERS], Pooling("complex"), model), [[9, 9, 2, 1]])
    np.testing.assert_allclose(pool([WITH_REGISTERS], Pooling("patches"), model), [[2, 1]])


def test_a_small_models_complex_is_the_cls_of_four_blocks_oldest_first() -> None:
    layers = [TOKENS + number for number in range(4)]
    assert outputs(Pooling("complex"), S) == ("tokens_4", "tokens_3", "tokens_2", "tokens")
    np.testing.assert_allclose(pool(layers, Pooling("complex"), S), [[9, 9, 10, 10, 11, 11, 12, 12]])


def test_clips_embedding_stays_as_it_is() -> None:
    embedding = np.array([[1, 2, 3]], np.float32)
    assert outputs(Pooling("simple"), models()["clip-vitb32"]) == ("embedding",)
    assert (pool([embedding], Pooling("simple"), models()["clip-vitb32"]) == embedding).all()


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
