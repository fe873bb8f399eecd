"""The contract of runtimes, which each of them keeps: pixels in, named outputs out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

pytest.importorskip("torch", reason="it makes the model, and is one of the runtimes")

from fakes.transformer import imported, known_as
from steamdino.features.model_files import CHECKPOINT, WEIGHTS, ModelFiles
from steamdino.features.model_registry import Model
from steamdino.features.runtimes.openvino import OpenVinoModel
from steamdino.features.runtimes.runtime import Runtime
from steamdino.features.runtimes.torch import TorchModel

BATCH = 3
Load = Callable[[ModelFiles, Model, Sequence[str]], Runtime]


def _openvino(files: ModelFiles, model: Model, outputs: Sequence[str]) -> Runtime:
    return OpenVinoModel(
        files.path(WEIGHTS), model, model.transform, outputs=outputs, batch_size=BATCH, precision="f32"
    )


def _torch(files: ModelFiles, model: Model, outputs: Sequence[str]) -> Runtime:
    return TorchModel(
        files.folder / CHECKPOINT,
        model,
        model.transform,
        outputs=outputs,
        scale=1.0,
        device="cpu",
        precision="f32",
    )


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ModelFiles, Model]]:
    _, model, files = imported("vit", tmp_path_factory)
    with known_as(model):
        yield files, model


@pytest.fixture(params=[_openvino, _torch], ids=["openvino", "torch"])
def load(request: pytest.FixtureRequest) -> Load:
    made: Load = request.param
    return made


def _pixels(model: Model, count: int) -> np.ndarray:
    shape = (count, model.transform.height, model.transform.width, 3)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_outputs_come_in_the_order_of_their_names(exported: tuple[ModelFiles, Model], load: Load) -> None:
    files, model = exported
    pixels = _pixels(model, BATCH)
    first, last = load(files, model, ("tokens_2", "tokens"))(pixels)
    (alone,) = load(files, model, ("tokens",))(pixels)
    cells = (model.transform.height // model.stride) * (model.transform.width // model.stride)
    assert first.dtype == last.dtype == np.float32
    assert first.shape == last.shape == (BATCH, 1 + model.registers + cells, model.dim)
    np.testing.assert_allclose(last, alone, atol=1e-5)
    assert np.abs(first - last).max() > 1e-2


@pytest.mark.parametrize("count", [1, 2, BATCH])
def test_the_first_rows_are_those_of_the_pictures(
    exported: tuple[ModelFiles, Model], load: Load, count: int
) -> None:
    files, model = exported
    run = load(files, model, ("tokens",))
    pixels = _pixels(model, BATCH)
    (whole,), (part,) = run(pixels), run(pixels[:count])
    assert len(part) >= count
    np.testing.assert_allclose(part[:count], whole[:count], atol=1e-5)


def test_threads_may_share_a_runtime(exported: tuple[ModelFiles, Model], load: Load) -> None:
    files, model = exported
    run = load(files, model, ("tokens",))
    pixels = _pixels(model, BATCH)
    alone = [run(pixels[n : n + 1])[0][0] for n in range(BATCH)]
    with ThreadPoolExecutor(BATCH) as pool:
        for _ in range(5):
            together = pool.map(lambda n: run(pixels[n : n + 1])[0][0], range(BATCH))
            for expected, got in zip(alone, together, strict=True):
                np.testing.assert_allclose(got, expected, atol=1e-5)
