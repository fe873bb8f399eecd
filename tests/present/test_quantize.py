"""`steam-dino models quantize`: a model in 8 bits, in real processes."""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.fakes.onnx_transformer import install, write

import steamdino
from steamdino.errors import ModelError, RecipeError
from steamdino.features.encoder import Encoder
from steamdino.features.model_registry import model, models
from steamdino.features.recipe_parser import files_of, named
from steamdino.features.runtimes.openvino_cpu import computes_bf16, computes_int8
from steamdino.features.transform import prepare
from steamdino.pipeline.quantise import LEAST, quantise
from steamdino.present.cli.models_quantize import quantize
from steamdino.present.cli.output_options import OutputOptions

pytest.importorskip("nncf", reason="the lock files have it for Python 3.11 only")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not computes_int8(), reason="this CPU has neither VNNI nor AMX"),
]

SAMPLES = ("--samples", "16")
WITHOUT_VNNI = {"ONEDNN_MAX_CPU_ISA": "AVX2"}
"""Hides the instructions that came after AVX2 from OpenVINO, in a process that is started with it."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, paint: Callable[..., Path]) -> Path:
    """A cache with two tiny transformers, and a gallery of 40 banners."""
    folder = tmp_path_factory.mktemp("quantize")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STEAMDINO_CACHE", str(folder / "cache"))
        install("tiny", write(folder / "tiny.onnx"))
        install("odd", write(folder / "odd.onnx", outlier=3e4))
    models.cache_clear()
    for number in range(40):
        paint(folder / f"covers/{number}.png", number)
    _started(folder, "add", folder / "covers", "-g", folder / "g")
    return folder


@pytest.fixture(scope="module")
def quantised(home: Path) -> CompletedProcess[str]:
    """What `quantize tiny` printed, after a first run that was killed when it had quantised and began to compare."""
    arguments = ("models", "quantize", "tiny", "-g", home / "g", *SAMPLES, "--format", "json")
    with subprocess.Popen(_command(*arguments), env=_environ(home), stderr=subprocess.PIPE, text=True) as run:
        assert run.stderr is not None
        assert any("Comparing" in line for line in run.stderr)
        run.send_signal(signal.SIGKILL)
    assert run.returncode == -signal.SIGKILL
    assert not list(home.glob("cache/models/tiny-q8/*/manifest.json"))
    return _started(home, *arguments)


@pytest.fixture
def cache(home: Path, quantised: object, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache with the quantised model, for this process."""
    monkeypatch.setenv("STEAMDINO_CACHE", str(home / "cache"))
    models.cache_clear()
    return home / "cache"


def _environ(folder: Path, **more: str) -> dict[str, str]:
    return {**os.environ, "STEAMDINO_CACHE": str(folder / "cache"), **more}


def _command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "steamdino", *map(str, arguments)]


def _started(folder: Path, *arguments: object, code: int = 0, **more: str) -> CompletedProcess[str]:
    done = subprocess.run(_command(*arguments), capture_output=True, text=True, env=_environ(folder, **more))
    assert done.returncode == code, done.stderr
    return done


def test_the_figures_are_those_of_the_two_models(
    home: Path, quantised: CompletedProcess[str], cache: Path
) -> None:
    found: dict[str, Any] = json.loads(quantised.stdout)
    assert (found["calibrated"], found["compared"], found["kept"]) == (16, 24, "tiny-q8")
    assert [one["precision"] for one in found["comparisons"]] == ["f32", "bf16"][: 1 + computes_bf16()]
    assert all(not one["misses"] and one["in_floats"] == 0 for one in found["comparisons"])
    original, ours = (
        _vectors(home, name, {path.name for path in (home / "covers").iterdir()})
        for name in ("tiny", "tiny-q8")
    )
    cosines = (original * ours).sum(axis=1)
    assert 0.99 <= found["comparisons"][0]["least"] < 0.99999
    assert cosines.min() == pytest.approx(found["comparisons"][0]["least"], abs=0.005)
    assert np.median(cosines) == pytest.approx(found["comparisons"][0]["median"], abs=0.002)


def _vectors(home: Path, recipe: str, names: set[str]) -> np.ndarray:
    encoder = Encoder(named(recipe))
    images = [Image.open(home / "covers" / name).convert("RGB") for name in sorted(names)]
    pixels = [prepare(image, encoder.recipe.transform) for image in images]
    return np.concatenate([encoder(pixels[n : n + 4]) for n in range(0, len(pixels), 4)])


def test_the_network_computes_in_8_bits(cache: Path) -> None:
    recipe = named("tiny-q8")
    files = files_of(recipe)
    graph = files.path("model.xml").read_text()
    assert recipe.vector_class == "int8"
    assert graph.count('type="FakeQuantize"') >= 4
    assert 'element_type="i8"' in graph


@pytest.fixture(scope="module")
def both(home: Path, quantised: object) -> None:
    """Snapshots of the gallery under both recipes."""
    for name in ("tiny", "tiny-q8"):
        _started(home, "build", "-g", home / "g", "--recipe", name)


def test_each_class_has_a_snapshot_of_its_own(home: Path, cache: Path, both: None) -> None:
    floats, int8 = (steamdino.Snapshot.open(home / "g", recipe=name) for name in ("tiny", "tiny-q8"))
    assert floats.recipe.differences(int8.recipe)[-1] == "precision: float != int8"
    assert floats.similar(home / "covers/3.png")[0].id == int8.similar(home / "covers/3.png")[0].id == "3"


@pytest.mark.parametrize(("name", "other"), [("tiny-q8", "float"), ("tiny", "int8")])
def test_a_recipe_of_one_class_is_refused_by_a_model_of_the_other(cache: Path, name: str, other: str) -> None:
    recipe = named(name)
    with pytest.raises(RecipeError, match=f"vectors of class {other}, and {name} makes vectors of class"):
        Encoder(replace(recipe, vector_class=other))


def test_a_run_that_was_killed_and_started_again_gives_the_same_bytes(home: Path, cache: Path) -> None:
    quantise(model("tiny"), out="undisturbed", gallery=home / "g", samples=16)
    ours, theirs = (files_of(named(name)).files for name in ("tiny-q8", "undisturbed"))
    assert sorted(ours) == ["model.bin", "model.xml"]
    assert ours == theirs


def test_operations_that_lose_too_much_are_put_back_into_floats(
    home: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "steamdino.pipeline.quantise.COPIES", 0.9
    )  # with weights of chance, some copies are lost
    found = quantise(model("odd"), out="odd-q8", gallery=home / "g", samples=16)
    first, _, last = (one for one in found.comparisons if one.precision == "f32")
    assert first.in_floats == 0 < last.in_floats
    assert first.least < LEAST <= last.least
    assert any(miss.startswith("least cosine 0.") for miss in first.misses) and not last.misses
    assert found.kept is not None and found.kept.quantised["in_floats"] == last.in_floats


def test_what_loses_too_much_is_not_kept_and_the_message_says_by_how_much(
    home: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("steamdino.pipeline.quantise.LEAST", 0.999999)
    with pytest.raises(
        ModelError, match=r"tiny loses too much in 8 bits: least cosine 0.99\d+ is 0.00\d+ below"
    ):
        quantize("tiny", gallery=home / "g", samples=16, as_name="never", output=OutputOptions())
    assert "never" not in models()
    assert "share of products in 8 bits 0.0000 is 0.5000 below 0.5" in capsys.readouterr().err


x86 = pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"), reason="the variable is about instructions of x86"
)


@x86
def test_a_cpu_without_exact_products_of_8_bits_is_told_what_to_use(home: Path, both: None) -> None:
    for arguments in (
        ("similar", home / "covers/3.png", "-g", home / "g", "--recipe", "tiny-q8"),
        ("models", "quantize", "tiny", "-g", home / "g"),
    ):
        done = _started(home, *arguments, code=2, **WITHOUT_VNNI)
        (line,) = done.stderr.splitlines()
        assert "no exact 8-bit products (VNNI or AMX)" in line and line.endswith(" tiny")


@x86
def test_a_cpu_without_bf16_is_told_so_and_auto_takes_f32(home: Path, both: None) -> None:
    query = ("similar", home / "covers/3.png", "-g", home / "g", "--recipe", "tiny", "--precision")
    done = _started(home, *query, "bf16", code=2, **WITHOUT_VNNI)
    assert "this CPU does not compute in bf16; use --precision f32 or auto" in done.stderr
    _started(home, *query, "auto", **WITHOUT_VNNI)
