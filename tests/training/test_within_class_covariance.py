"""The within-class covariance, which a whitening reduces."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="training is PyTorch's")

import torch

from steamdino.features.whitening import Whitening
from steamdino.training.backbones import build
from steamdino.training.batch_statistics import features_of, settle
from steamdino.training.training_settings import TrainSettings
from steamdino.training.within_class_covariance import between_alike, sameness

COUNT, HEIGHT, WIDTH = 120, 48, 32
SETTINGS = TrainSettings(taps=(2, 3), init="scratch", views_weight=1.0, alike_weight=1.0)
ROWS = np.arange(COUNT)


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    """Return banners of a few large blocks of colour."""
    rng = np.random.default_rng(0)
    blocks = rng.integers(0, 256, (COUNT, HEIGHT // 16, WIDTH // 16, 3), dtype=np.uint8)
    return blocks.repeat(16, axis=1).repeat(16, axis=2)


@pytest.fixture(scope="module")
def backbone(pixels: np.ndarray) -> torch.nn.Module:
    torch.manual_seed(0)
    backbone = build("efficientnet-lite0", SETTINGS.taps).eval()
    settle(backbone, pixels, ROWS, 0)
    return backbone


def test_the_covariance_within_labels_is_that_of_their_differences() -> None:
    rng = np.random.default_rng(0)
    pairs = rng.standard_normal((50, 2, 4)).astype(np.float32)
    differences = (pairs[:, 0] - pairs[:, 1]).astype(np.float64)
    np.testing.assert_allclose(between_alike(list(pairs)), differences.T @ differences / 50 / 2, atol=1e-6)
    longer = rng.standard_normal((5, 4)).astype(np.float32)
    np.testing.assert_allclose(between_alike([longer]), np.cov(longer.T.astype(np.float64)), atol=1e-6)
    # A series of five counts as much as two pairs, not as four.
    both = between_alike([longer, *pairs[:3]])
    weighed = (2 * np.cov(longer.T.astype(np.float64)) + 3 * between_alike(list(pairs[:3]))) / 5
    np.testing.assert_allclose(both, weighed, atol=1e-6)


def test_copies_and_labels_add_up_by_their_weights(backbone: torch.nn.Module, pixels: np.ndarray) -> None:
    features = features_of(backbone, pixels, ROWS)
    labels = [frozenset({f"series {n // 3}"}) for n in range(COUNT)]

    def found(views: float, alike: float, known: list[frozenset[str]] | None = labels) -> np.ndarray | None:
        settings = replace(SETTINGS, views_weight=views, alike_weight=alike)
        return sameness(backbone, pixels, ROWS, features, known, settings)

    copies, alike = found(1, 0), found(0, 1)
    assert copies is not None
    assert alike is not None
    assert np.linalg.eigvalsh(copies)[0] > -1e-9
    assert not np.allclose(copies, alike)
    np.testing.assert_allclose(found(2, 5), 2 * copies + 5 * alike, atol=1e-9)
    np.testing.assert_array_equal(found(1, 5, None), copies)
    assert found(0, 0) is None
    alone = [frozenset({str(n)}) for n in range(COUNT)]
    assert found(0, 5, alone) is None


def test_a_whitening_that_knows_copies_finds_them_better(
    backbone: torch.nn.Module, pixels: np.ndarray
) -> None:
    features = features_of(backbone, pixels, ROWS)
    within = sameness(backbone, pixels, ROWS, features, None, replace(SETTINGS, views_weight=5.0))
    grey = features_of(
        backbone, pixels, ROWS, lambda planes: planes.mean(dim=1, keepdim=True).expand_as(planes)
    )
    margins = []
    for whitening in (Whitening.learn(features, within=within), Whitening.learn(features)):
        cosines = whitening(grey) @ whitening(features).T
        own = np.diag(cosines).copy()
        np.fill_diagonal(cosines, -1)
        margins.append((own - cosines.max(axis=1)).mean())
    assert margins[0] > margins[1] + 0.05
