from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from steamdino.banners.decode import decode
from steamdino.errors import ModelError, PictureError, RecipeError, UsageError
from steamdino.features.encoder import Encoder
from steamdino.features.model_registry import models
from steamdino.features.pooling import pool, unit
from steamdino.features.recipe_parser import files_of, named
from steamdino.features.runtimes.openvino_cpu import computes_bf16
from steamdino.features.transform import Pixels, normalise, prepare
from steamdino.recipe import Recipe
from steamdino.sample import FictionalGame

COVERS = 200


@pytest.fixture(scope="module")
def pixels(fictional_store: tuple[Path, tuple[FictionalGame, ...]]) -> list[Pixels]:
    folder, games = fictional_store
    found: list[Pixels] = []
    for game in games:
        if game.file and len(found) < COVERS:
            try:
                found.append(prepare(decode((folder / game.file).read_bytes()), named("bundled").transform))
            except PictureError:
                continue
    assert len(found) == COVERS
    return found


def _encode(encoder: Encoder, pixels: list[Pixels]) -> np.ndarray:
    size = encoder.batch_size
    return np.concatenate([encoder(pixels[start : start + size]) for start in range(0, len(pixels), size)])


@pytest.fixture(scope="module")
def vectors(pixels: list[Pixels]) -> np.ndarray:
    return _encode(Encoder(named("bundled")), pixels)


@pytest.fixture(scope="module")
def pooled(pixels: list[Pixels]) -> np.ndarray:
    """Return the map pooled by ONNX Runtime, float64, rows of length 1."""
    files = files_of(named("bundled"))
    session = onnxruntime.InferenceSession(files.path("model.onnx"), providers=["CPUExecutionProvider"])
    rows = []
    for start in range(0, len(pixels), 8):
        batch = np.stack(pixels[start : start + 8]).astype(np.float32) / 255
        batch = (batch - np.float32([0.485, 0.456, 0.406])) / np.float32([0.229, 0.224, 0.225])
        (tokens,) = session.run(None, {"pixel_values": batch.transpose(0, 3, 1, 2)})
        rows.append(tokens[:, 0].astype(np.float64))
    gem = np.concatenate(rows)
    return gem / np.linalg.norm(gem, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def oracle(pooled: np.ndarray) -> np.ndarray:
    """Return the vectors by plain NumPy in float64, from the file and its model card alone."""
    with np.load(files_of(named("bundled")).path("whiten.npz")) as arrays:
        mean, projection = arrays["mean"].astype(np.float64), arrays["projection"].astype(np.float64)
    white = (pooled - mean) @ projection
    return white / np.linalg.norm(white, axis=1, keepdims=True)


def test_f32_agrees_with_onnx_runtime(vectors: np.ndarray, oracle: np.ndarray) -> None:
    assert vectors.shape == (COVERS, 512)
    assert (vectors * oracle).sum(axis=1).min() >= 0.99999


@pytest.mark.slow
@pytest.mark.skipif(not computes_bf16(), reason="this CPU does not compute in bf16")
def test_bf16_is_allowed_exactly_where_it_agrees_with_onnx_runtime(
    pixels: list[Pixels], pooled: np.ndarray, oracle: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = models()[named("bundled").model]
    with monkeypatch.context() as patch:
        patch.setitem(models(), model.name, replace(model, inference_precisions=("f32", "bf16")))
        raw, whitened = (
            (_encode(Encoder(named(name), precision="bf16"), pixels) * expected).sum(axis=1)
            for name, expected in (("bundled/raw", pooled), ("bundled", oracle))
        )
    assert raw.min() >= 0.999  # the network stands it; the whitening magnifies what little is lost
    assert ("bf16" in model.inference_precisions) == bool(whitened.min() >= 0.999)


def test_an_unsupported_precision_is_refused_and_auto_avoids_it() -> None:
    with pytest.raises(UsageError, match="loses too much in bf16; use one of: f32, auto"):
        Encoder(named("bundled"), precision="bf16")
    assert Encoder(named("bundled"), precision="auto").precision == "f32"


def test_a_vector_does_not_depend_on_its_batch_to_the_last_bit(
    pixels: list[Pixels], vectors: np.ndarray
) -> None:
    encoder = Encoder(named("bundled"))
    shuffled = np.random.default_rng(0).permutation(len(pixels))
    again = _encode(encoder, [pixels[i] for i in shuffled])
    assert (again == vectors[shuffled]).all()
    assert (encoder(pixels[:3]) == vectors[:3]).all()
    assert (encoder(pixels[5:6]) == vectors[5:6]).all()


def test_vectors_have_length_one(vectors: np.ndarray) -> None:
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("pooling", ["simple", "patches", "gem"])
@pytest.mark.parametrize(("mode", "size"), [("crop", (224, 224)), ("fit", (160, 256)), ("squash", (97, 131))])
def test_every_strategy_agrees_with_onnx_runtime(pooling: str, mode: str, size: tuple[int, int]) -> None:
    recipe = named("bundled", mode=mode, size=size, pooling=pooling)
    image = Image.fromarray(np.random.default_rng(3).integers(0, 256, (450, 300, 3), dtype=np.uint8))
    prepared = prepare(image, recipe.transform)
    files = files_of(recipe)
    session = onnxruntime.InferenceSession(files.path("model.onnx"), providers=["CPUExecutionProvider"])
    (tokens,) = session.run(None, {"pixel_values": normalise(prepared[None], recipe.transform)})
    expected = unit(pool([tokens], recipe.pooling, models()[recipe.model]))
    if recipe.projection is not None:
        with np.load(files.path("whiten.npz")) as arrays:
            expected = unit((expected - arrays["mean"]) @ arrays["projection"].astype(np.float32))
    (vector,) = Encoder(recipe, batch_size=2)([prepared])
    assert vector.shape == (recipe.dim,)
    assert float(vector @ expected[0]) >= 0.99999


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "other"}, "needs the model 'other'"),
        ({"weights": "0" * 64}, "other weights"),
        ({"projection": "0" * 64}, "lacks the whitening that its recipe 'bundled' needs"),
    ],
)
def test_a_recipe_of_other_weights_is_refused_with_the_field_that_differs(
    change: dict[str, str], message: str
) -> None:
    recipe: Recipe = replace(named("bundled"), **change)  # type: ignore[arg-type]
    with pytest.raises(RecipeError, match=message):
        Encoder(recipe)


def test_altered_weights_are_refused(tmp_path: Path) -> None:
    files = replace(files_of(named("bundled")), folder=tmp_path)
    with pytest.raises(ModelError, match="cannot be read"):
        files.path("model.onnx")
    (tmp_path / "model.onnx").write_bytes(b"altered")
    with pytest.raises(ModelError, match=r"was altered: .*; install steam-dino again"):
        files.path("model.onnx")


WATCH = """
import sys
def watch(event, arguments):
    if event.startswith("socket."):
        print("SOCKET", event, arguments, file=sys.stderr, flush=True)
sys.addaudithook(watch)
"""


def _sockets(script: str, folder: Path) -> list[str]:
    environ = {**os.environ, "HOME": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", WATCH + script], capture_output=True, text=True, check=True, env=environ
    )
    return [line for line in done.stderr.splitlines() if line.startswith("SOCKET")]


def test_encoding_opens_no_socket_and_imports_no_telemetry(tmp_path: Path) -> None:
    script = """
import numpy as np
from steamdino.features.encoder import Encoder
from steamdino.features.recipe_parser import named
assert Encoder(named("bundled"))([np.zeros((240, 160, 3), np.uint8)]).shape == (1, 512)
import openvino
assert not any(name.startswith("openvino_telemetry") for name in sys.modules), "telemetry was imported"
"""
    assert _sockets(script, tmp_path) == []
    # And the watch would have seen one:
    assert _sockets("import socket; socket.socket().close()", tmp_path) != []
