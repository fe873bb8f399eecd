"""Agreement of neighbours, against counting by hand."""

from __future__ import annotations

import numpy as np
import pytest

from steamdino.analysis.evaluation.agreement import agreement, neighbours
from steamdino.index.exact import ExactIndex


def _unit(seed: int, count: int = 40) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, 8)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_neighbours_are_the_most_similar_others() -> None:
    vectors = _unit(0)
    rows = np.array([0, 5, 39])
    for row, found in zip(rows, neighbours(ExactIndex(vectors), rows, 4), strict=True):
        others = sorted(
            (other for other in range(40) if other != row), key=lambda o: -(vectors[o] @ vectors[row])
        )
        assert found.tolist() == others[:4]


def test_a_small_gallery_has_fewer_neighbours() -> None:
    assert neighbours(ExactIndex(_unit(0, 3)), np.arange(3), 10).shape == (3, 2)


def test_agreement_is_the_share_of_neighbours_in_common() -> None:
    rows = np.arange(40)
    found = [neighbours(ExactIndex(_unit(seed)), rows) for seed in (1, 2)]
    by_hand = np.mean([len(set(a) & set(b)) / 10 for a, b in zip(*found, strict=True)])
    shares = agreement(found)
    assert shares[0, 1] == shares[1, 0] == pytest.approx(by_hand)
    assert shares.diagonal().tolist() == [1, 1]


def test_turning_all_vectors_alike_changes_no_neighbour() -> None:
    turn, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(8, 8)))
    vectors = _unit(4)
    found = [
        neighbours(ExactIndex(one), np.arange(40)) for one in (vectors, (vectors @ turn).astype(np.float32))
    ]
    assert agreement(found)[0, 1] == 1
