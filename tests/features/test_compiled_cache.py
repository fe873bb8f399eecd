"""The cache of compiled models: it makes starts faster, and changes nothing else, whatever becomes of its files."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from steamdino.features import encoder
from steamdino.features.encoder import Encoder
from steamdino.features.model_registry import model
from steamdino.features.recipe_parser import named
from steamdino.features.runtimes import compiled_cache, openvino
from steamdino.features.runtimes.openvino import OpenVinoModel
from steamdino.storage.atomic import NEW

SIDE = 16
RECORD = model(named("bundled").model)
TRANSFORM = replace(named("bundled").transform, width=SIDE, height=SIDE)
PIXELS = np.random.default_rng(0).integers(0, 256, (1, SIDE, SIDE, 3), np.uint8)

IN_A_PROCESS = """
import hashlib, resource, sys
from pathlib import Path
from tests.features.test_compiled_cache import vector
if sys.argv[3:]:
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
print(hashlib.sha256(vector(Path(sys.argv[1]), sys.argv[2])).hexdigest())
"""


def network(path: Path, seed: int) -> tuple[Path, str]:
    """Write a convolution with other weights for each seed; return the file and the hash of its weights."""
    import openvino as ov
    from openvino import opset13 as ops

    entry = ops.parameter([1, 3, SIDE, SIDE], np.float32)
    kernel = np.random.default_rng(seed).standard_normal((64, 3, 4, 4)).astype(np.float32)
    cells = ops.convolution(entry, kernel, [4, 4], [0, 0], [0, 0], [1, 1])
    tokens = ops.transpose(ops.reshape(cells, np.array([1, 64, -1]), special_zero=False), np.array([0, 2, 1]))
    ov.save_model(ov.Model([tokens], [entry], "network"), path, compress_to_fp16=False)
    return path, hashlib.sha256(kernel.tobytes()).hexdigest()


def vector(path: Path, identity: str, batch_size: int = 1) -> bytes:
    """Load the network and return the bytes of its output."""
    run = OpenVinoModel(
        path, RECORD, TRANSFORM, batch_size=batch_size, precision="f32", streams=1, identity=identity
    )
    return run(PIXELS)[0].tobytes()


def process(path: Path, identity: str, *limit: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", IN_A_PROCESS, str(path), identity, *limit]
    root = str(Path(__file__).parents[2])
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("STEAMDINO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "compiled"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    return network(tmp_path_factory.mktemp("network") / "one.xml", 1)


@pytest.fixture
def adapted(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were read and adapted, in place of loading what was compiled from them."""
    read: list[Path] = []
    adapt = openvino._adapted

    def noted(path: Path, *others: object) -> object:
        read.append(path)
        return adapt(path, *others)  # type: ignore[arg-type]

    monkeypatch.setattr(openvino, "_adapted", noted)
    return read


def test_a_model_is_compiled_once(cache: Path, weights: tuple[Path, str], adapted: list[Path]) -> None:
    assert vector(*weights) == vector(*weights)
    assert adapted == [weights[0]]
    assert len(list(cache.iterdir())) == 1


def test_a_model_without_an_identity_is_not_cached(
    cache: Path, weights: tuple[Path, str], adapted: list[Path]
) -> None:
    assert vector(weights[0], "") == vector(weights[0], "")
    assert len(adapted) == 2
    assert not cache.exists()


def test_other_weights_and_other_batches_are_compiled_anew(
    cache: Path, weights: tuple[Path, str], adapted: list[Path], tmp_path: Path
) -> None:
    path = tmp_path / "changing.xml"
    old = network(path, 2)
    before = vector(*old)
    new = network(path, 3)
    assert vector(*new) == vector(path, "") != before
    vector(*new, batch_size=2)
    assert len(adapted) == 4


def test_the_bundled_model_encodes_to_the_same_bytes_from_the_cache(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoder, "OpenVinoModel", OpenVinoModel)  # tests share compiled models otherwise
    recipe = named("bundled")
    shape = (4, recipe.transform.height, recipe.transform.width, 3)
    pictures = list(np.random.default_rng(0).integers(0, 256, shape, np.uint8))
    compiled, loaded = (Encoder(recipe, streams=2)(pictures) for _ in range(2))
    assert len(list(cache.iterdir())) == 1
    np.testing.assert_array_equal(compiled, loaded)


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "emptied": lambda _: b"",
    "cut in its hash": lambda whole: whole[:20],
    "cut": lambda whole: whole[:-1],
    "one bit flipped": lambda whole: whole[:500] + bytes([whole[500] ^ 1]) + whole[501:],
    "not a model, with the right hash": lambda _: hashlib.sha256(b"no model").digest() + b"no model",
    "nothing, with the right hash": lambda _: hashlib.sha256(b"").digest(),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_is_made_again(
    cache: Path, weights: tuple[Path, str], adapted: list[Path], damage: Callable[[bytes], bytes]
) -> None:
    expected = vector(*weights)
    (file,) = cache.iterdir()
    file.write_bytes(damage(file.read_bytes()))
    assert vector(*weights) == expected
    assert len(adapted) == 2
    assert vector(*weights) == expected
    assert len(adapted) == 2


def test_a_folder_in_the_place_of_a_file_does_no_harm(cache: Path, weights: tuple[Path, str]) -> None:
    expected = vector(*weights)
    (file,) = cache.iterdir()
    file.unlink()
    (file / "inside").mkdir(parents=True)
    assert vector(*weights) == expected
    assert [path.name for path in cache.iterdir()] == [file.name]


def test_a_cache_that_cannot_be_written_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, weights: tuple[Path, str]
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("STEAMDINO_CACHE", str(tmp_path / "file" / "cache"))
    assert vector(*weights) == vector(weights[0], "")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_a_full_disk_does_no_harm_and_leaves_nothing(cache: Path, weights: tuple[Path, str]) -> None:
    with process(*weights, "limited") as run:
        output, errors = run.communicate()
    assert run.returncode == 0, errors
    assert output.strip() == hashlib.sha256(vector(weights[0], "")).hexdigest()
    assert list(cache.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="the processes import resource")
def test_processes_may_share_the_cache(cache: Path, weights: tuple[Path, str]) -> None:
    runs = [process(*weights) for _ in range(3)]
    results = [run.communicate() for run in runs]
    assert {output.strip() for output, _ in results} == {
        hashlib.sha256(vector(weights[0], "")).hexdigest()
    }, results
    assert len(list(cache.iterdir())) == 1


def test_the_least_recently_used_make_room(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_cache, "CAPACITY", 1000)
    monkeypatch.setattr(compiled_cache, "LARGEST", 500)
    for n, key in enumerate("abc"):
        compiled_cache.store(key, bytes(250))
        os.utime(cache / f"{key}.compiled", (n, n))
    assert compiled_cache.load("a") == bytes(250)  # now the last that was used
    compiled_cache.store("d", bytes(250))
    assert sorted(path.stem for path in cache.iterdir()) == ["a", "c", "d"]
    compiled_cache.store("e", bytes(500))
    assert compiled_cache.load("e") is None


def test_what_killed_processes_left_is_removed(cache: Path) -> None:
    cache.mkdir(parents=True)
    old, new = cache / f"{NEW}old", cache / f"{NEW}new"
    for path in (old, new):
        path.write_bytes(b"unfinished")
    hours_ago = time.time() - 2 * compiled_cache.ABANDONED
    os.utime(old, (hours_ago, hours_ago))
    compiled_cache.store("a", b"content")
    assert sorted(path.name for path in cache.iterdir()) == [new.name, "a.compiled"]


def test_the_key_tells_apart_where_one_part_ends_and_the_next_begins() -> None:
    keys = {compiled_cache.key_of(*parts) for parts in (("ab", "c"), ("a", "bc"), ("abc",), ("1:a",), ("a",))}
    assert len(keys) == 5
