from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from steamdino.errors import ModelError, UsageError
from steamdino.features.runtimes.openvino_whitening import OpenVinoWhitening
from steamdino.features.whitening import EIGENVALUE_FLOOR, FEWEST, Whitening


def _rows(count: int, dim: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rows = (rng.standard_normal((count, dim)) * np.linspace(1, 5, dim) + 2).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_whitening_follows_its_formula() -> None:
    rng = np.random.default_rng(0)
    rows, mean, projection = (rng.standard_normal(s).astype(np.float32) for s in ((4, 6), (6,), (6, 2)))
    expected = (rows.astype(np.float64) - mean) @ projection
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(Whitening(mean, projection)(rows), expected, atol=1e-5)


@pytest.mark.parametrize("streams", [1, 2])
def test_openvino_whitens_by_the_same_formula_whatever_the_batch_holds(streams: int) -> None:
    rng = np.random.default_rng(0)
    mean, projection = (rng.standard_normal(s).astype(np.float32) for s in ((96,), (96, 40)))
    rows = _rows(4, 96)
    expected = (rows.astype(np.float64) - mean) @ projection
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    whiten = OpenVinoWhitening(Whitening(mean, projection), rows=4, streams=streams)
    together = whiten(rows)
    np.testing.assert_allclose(together, expected, atol=1e-5)
    for count in (1, 2, 3):
        assert (whiten(rows[:count]) == together[:count]).all()


def test_the_vectors_it_was_learned_on_become_centred_and_uncorrelated() -> None:
    rows = _rows(5000, 8)  # more than one block
    whitening = Whitening.learn(rows)
    projected = (rows.astype(np.float64) - whitening.mean) @ whitening.projection
    np.testing.assert_allclose(projected.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(np.cov(projected.T, bias=True), np.eye(8), atol=1e-3)


def test_it_agrees_with_the_singular_value_decomposition() -> None:
    rows = _rows(400, 6)
    whitening = Whitening.learn(rows, dim=3)
    _, singular, axes = np.linalg.svd(rows.astype(np.float64) - rows.mean(axis=0), full_matrices=False)
    expected = axes[:3].T / (singular[:3] / np.sqrt(400))
    assert whitening.dim == 3
    np.testing.assert_allclose(np.abs(whitening.projection), np.abs(expected), rtol=1e-3)


def test_directions_in_which_the_same_things_differ_count_less() -> None:
    rng = np.random.default_rng(1)
    rows = _rows(2000, 8)
    nuisance = np.linalg.qr(rng.standard_normal((8, 2)))[0]
    within = 0.7 * nuisance @ nuisance.T
    whitening = Whitening.learn(rows, within=within)
    centred = rows.astype(np.float64) - whitening.mean
    both = centred.T @ centred / len(rows) + within
    np.testing.assert_allclose(whitening.projection.T @ both @ whitening.projection, np.eye(8), atol=2e-3)
    # Two views of a thing, apart by the nuisance: nearer than without that knowledge, while other things stay apart.
    views = rows[:200] + (rng.standard_normal((200, 2)) @ nuisance.T * 0.2).astype(np.float32)
    views /= np.linalg.norm(views, axis=1, keepdims=True)
    plain = Whitening.learn(rows)
    knowing, ignorant = ((w(views) * w(rows[:200])).sum(axis=1).mean() for w in (whitening, plain))
    assert knowing > ignorant + 0.05
    apart = np.abs(whitening(rows[:200]) @ whitening(rows[200:400]).T).mean()
    assert apart < 0.5


def test_directions_in_which_nothing_varies_are_not_amplified() -> None:
    rows = _rows(400, 6)
    rows[:, 5] = 0.5
    whitening = Whitening.learn(rows)
    largest = np.linalg.eigvalsh(np.cov(rows.T.astype(np.float64), bias=True))[-1]
    assert np.linalg.norm(whitening.projection, axis=0).max() <= 1.01 / np.sqrt(EIGENVALUE_FLOOR * largest)


def test_few_vectors_keep_few_dimensions_and_too_few_are_refused() -> None:
    assert Whitening.learn(_rows(FEWEST, 60)).dim == FEWEST // 4
    with pytest.raises(UsageError, match=f"on {FEWEST - 1} different banners; it needs at least {FEWEST}"):
        Whitening.learn(_rows(FEWEST - 1, 60))


def test_it_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    whitening = Whitening.learn(_rows(200, 5))
    (tmp_path / "w.npz").write_bytes(whitening.to_bytes())
    for again in (Whitening.read(tmp_path / "w.npz"), Whitening.from_bytes(whitening.to_bytes())):
        assert (again.mean == whitening.mean).all()
        assert (again.projection == whitening.projection).all()


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"mean": np.zeros(3)}, "projection"),
        ({"mean": np.zeros(3), "projection": np.zeros((4, 2))}, "mean has shape"),
        ({"mean": np.array([{}], object), "projection": np.zeros((1, 1))}, "only arrays of floats"),
    ],
)
def test_a_file_that_is_not_a_whitening_is_refused(
    arrays: dict[str, np.ndarray], reason: str, tmp_path: Path
) -> None:
    np.savez(tmp_path / "w.npz", **arrays)
    with pytest.raises(ModelError, match=f"is not a whitening .*{reason}"):
        Whitening.read(tmp_path / "w.npz")
    (tmp_path / "w.npz").write_bytes(b"nonsense")
    with pytest.raises(ModelError, match="is not a whitening"):
        Whitening.read(tmp_path / "w.npz")


def test_whitening_a_batch_does_not_copy_the_projection() -> None:
    rng = np.random.default_rng(0)
    whitening = Whitening(
        rng.standard_normal(512).astype(np.float32), rng.standard_normal((512, 256)).astype(np.float32)
    )
    vectors = rng.standard_normal((4, 512)).astype(np.float32)
    tracemalloc.start()
    try:
        whitening(vectors)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < whitening.projection.nbytes / 4
