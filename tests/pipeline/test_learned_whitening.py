"""Building under a recipe whose whitening is learned on the gallery."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from steamdino import Snapshot
from steamdino.errors import UsageError
from steamdino.gallery import Gallery
from steamdino.pipeline import add, build

WHITENED = "bundled/whiten16"


@pytest.fixture
def whitened(tmp_path: Path, paint: Callable[..., Path]) -> Path:
    """A gallery of 120 pictures, one of them twice, built under a learned whitening."""
    for n in range(120):
        paint(tmp_path / f"covers/{n:03}.jpg", n)
    shutil.copy(tmp_path / "covers/000.jpg", tmp_path / "covers/copy.jpg")
    add(tmp_path / "g", tmp_path / "covers")
    build(tmp_path / "g", WHITENED)
    return tmp_path / "g"


def _whiten(vectors: np.ndarray, dim: int) -> np.ndarray:
    """Whitening by the singular value decomposition of different vectors, in double precision."""
    _, first = np.unique(vectors, axis=0, return_index=True)
    learned = vectors[np.sort(first)].astype(np.float64)
    mean = learned.mean(axis=0)
    _, singular, axes = np.linalg.svd(learned - mean, full_matrices=False)
    rows = (vectors - mean) @ (axes[:dim].T / singular[:dim])
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_its_vectors_are_those_of_the_unwhitened_recipe_whitened(whitened: Path) -> None:
    build(whitened, "bundled/raw")
    raw, snapshot = (Snapshot.open(whitened, name) for name in ("bundled/raw", WHITENED))
    assert snapshot.ids == raw.ids
    assert snapshot.vectors.shape == (121, 16)
    expected = _whiten(raw.vectors, 16)
    # Axes may point the other way; cosines between rows don't see that.
    np.testing.assert_allclose(snapshot.vectors @ snapshot.vectors.T, expected @ expected.T, atol=0.01)


def test_a_second_build_does_nothing_and_a_new_picture_goes_through_the_same_whitening(
    whitened: Path, paint: Callable[..., Path], tmp_path: Path
) -> None:
    before = Snapshot.open(whitened, WHITENED)
    assert not build(whitened, WHITENED).swapped
    paint(tmp_path / "new/one.jpg", 500)
    add(whitened, tmp_path / "new")
    summary = build(whitened, WHITENED)
    after = Snapshot.open(whitened, WHITENED)
    assert (summary.encoded, len(after) - len(before)) == (1, 1)
    assert after.recipe == before.recipe
    kept = [after.ids.index(key) for key in before.ids]
    assert (after.vectors[kept] == before.vectors).all()


def test_an_upgrade_learns_it_anew(whitened: Path, paint: Callable[..., Path], tmp_path: Path) -> None:
    before = Snapshot.open(whitened, WHITENED).recipe
    for n in range(200, 240):
        paint(tmp_path / f"new/{n}.jpg", n)
    add(whitened, tmp_path / "new")
    after = build(whitened, WHITENED, upgrade=True).recipe
    assert after.name == before.name
    assert after.projection != before.projection
    assert Snapshot.open(whitened, WHITENED).recipe == after


def test_what_a_kill_left_out_is_made_good(whitened: Path) -> None:
    undisturbed = Snapshot.open(whitened, WHITENED)
    with Gallery.write(whitened, "test") as opened, opened.transaction():
        key = opened.vectors.recipe_key(undisturbed.recipe)
        assert key is not None
        opened.vectors.drop([(key, row.sha256) for row in list(opened.vectors.rows(key))[::3]])
    build(whitened, WHITENED, rebuild=True)
    assert (Snapshot.open(whitened, WHITENED).vectors == undisturbed.vectors).all()


def test_a_picture_is_encoded_through_it_also_from_a_packed_snapshot(whitened: Path, tmp_path: Path) -> None:
    snapshot = Snapshot.open(whitened, WHITENED)
    snapshot.pack(tmp_path / "packed.zip")
    game = snapshot.game(snapshot.ids[0])
    assert game.picture is not None
    for opened in (snapshot, Snapshot.open(tmp_path / "packed.zip")):
        best = opened.similar(game.picture, 1)[0]
        assert (best.identical, best.similarity > 0.99) == (True, True)


def test_too_few_banners_are_refused_and_what_was_encoded_is_kept(
    tmp_path: Path, paint: Callable[..., Path]
) -> None:
    for n in range(12):
        paint(tmp_path / f"covers/{n:02}.jpg", n)
    add(tmp_path / "g", tmp_path / "covers")
    with pytest.raises(UsageError, match="on 12 different banners; it needs at least 100"):
        build(tmp_path / "g", "bundled/whiten")
    assert build(tmp_path / "g", "bundled/raw").encoded == 0
