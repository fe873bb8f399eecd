"""The contract of engines, which every registered one keeps; `test_ray_cluster.py` has a cluster for Ray's."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from steamdino.banners.read import read_picture
from steamdino.engines import ENGINES, Batch, Engine, EngineSettings, start_engine
from steamdino.errors import UsageError
from steamdino.features.encoder import Encoder
from steamdino.features.recipe_parser import named
from steamdino.features.transform import prepare
from steamdino.gallery.vectors import Pending
from steamdino.recipe import Recipe
from steamdino.storage.location import LocalFile

Paint = Callable[..., Path]


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return named("bundled", size=(64, 64))


@pytest.fixture(params=[name for name in ENGINES if name != "ray"])
def engine(request: pytest.FixtureRequest, recipe: Recipe) -> Engine:
    return start_engine(request.param, EngineSettings(recipe))


def _pending(*paths: Path, sha256: str | None = None) -> Pending:
    known = sha256 or hashlib.sha256(paths[-1].read_bytes()).hexdigest()
    return Pending(known, tuple(LocalFile(path) for path in paths), (paths[-1].stem,))


def _vectors(batches: list[Batch]) -> dict[str, bytes]:
    return {
        sha256: row.tobytes()
        for batch in batches
        for sha256, row in zip(batch.sha256s, batch.vectors, strict=True)
    }


def test_each_banner_comes_back_once_as_a_vector_or_as_a_failure(
    tmp_path: Path, paint: Paint, engine: Engine, recipe: Recipe
) -> None:
    good = [_pending(paint(tmp_path / f"{n:02}.png", n, size=(16, 24))) for n in range(21)]
    broken = paint(tmp_path / "broken.png", 40)
    broken.write_bytes(broken.read_bytes()[:60])
    changed = paint(tmp_path / "changed.png", 41)
    bad = [
        _pending(broken),
        _pending(changed, sha256="0" * 64),
        _pending(tmp_path / "missing.png", sha256="1" * 64),
    ]
    batches = list(engine.encode([*bad, *good]))
    assert sorted(_vectors(batches)) == sorted(one.sha256 for one in good)
    assert sum(map(len, batches)) == 24
    for batch in batches:
        assert (batch.vectors.dtype, batch.vectors.shape) == (np.float32, (len(batch.sha256s), recipe.dim))
        np.testing.assert_allclose(np.linalg.norm(batch.vectors, axis=1), 1, atol=1e-5)
    failures = {one.banner.game_ids[0]: one for batch in batches for one in batch.failures}
    assert {name: one.final for name, one in failures.items()} == {
        "broken": True,
        "changed": False,
        "missing": False,
    }
    assert "has changed since it was added" in failures["changed"].reason
    assert not any(str(tmp_path) in one.reason for one in failures.values())


def test_vectors_are_those_of_the_encoder(
    tmp_path: Path, paint: Paint, engine: Engine, recipe: Recipe
) -> None:
    path = paint(tmp_path / "a.png")
    (vector,) = _vectors(list(engine.encode([_pending(path)]))).values()
    expected = Encoder(recipe)([prepare(read_picture(path), recipe.transform)])[0]
    np.testing.assert_allclose(np.frombuffer(vector, np.float32), expected, atol=1e-5)


def test_a_vector_does_not_depend_on_what_else_is_encoded(
    tmp_path: Path, paint: Paint, engine: Engine
) -> None:
    banners = [_pending(paint(tmp_path / f"{n}.png", n)) for n in range(7)]
    together = _vectors(list(engine.encode(banners)))
    alone = _vectors([batch for banner in banners[::-1] for batch in engine.encode([banner])])
    assert alone == together


def test_another_place_with_the_content_will_do(tmp_path: Path, paint: Paint, engine: Engine) -> None:
    banner = _pending(tmp_path / "missing.png", paint(tmp_path / "a.png"))
    assert list(_vectors(list(engine.encode([banner])))) == [banner.sha256]


def test_closing_stops_the_work_early(tmp_path: Path, paint: Paint, engine: Engine) -> None:
    banner = _pending(paint(tmp_path / "a.png"))
    taken = 0

    def endless() -> Iterator[Pending]:
        nonlocal taken
        while True:
            taken += 1
            yield banner

    before = threading.active_count()
    batches = engine.encode(endless())
    next(batches)
    batches.close()
    after = taken
    assert after < 1000
    assert threading.active_count() <= before
    assert taken == after


def test_an_engine_says_what_it_uses(engine: Engine) -> None:
    assert engine.inference_precision == "f32"
    assert engine.concurrency >= 1


def test_an_unknown_engine_is_refused_with_the_known_ones(recipe: Recipe) -> None:
    with pytest.raises(UsageError, match="there is no engine 'abacus'; there are: local, ray"):
        start_engine("abacus", EngineSettings(recipe))
