"""`steam-dino models` against a hub on loopback that serves a tiny model."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image
from tests.fakes.homeless import homeless, readable_folder, started, stranger

from fakes.hub import COMMIT, Hub, serving

Run = Callable[..., CompletedProcess[str]]

DIM, STRIDE = 384, 16
FILE = "Xenova/dino-vits16/onnx/model.onnx"


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An ONNX file that takes any size and gives tokens of the right length: patches through one convolution."""
    rng = np.random.default_rng(0)

    def constant(name: str, value: np.ndarray) -> onnx.TensorProto:
        return numpy_helper.from_array(value, name)

    graph = helper.make_graph(
        [
            helper.make_node("Conv", ["pixel_values", "w"], ["map"], strides=[STRIDE, STRIDE]),
            helper.make_node("Reshape", ["map", "shape"], ["flat"]),
            helper.make_node("Transpose", ["flat"], ["patches"], perm=[0, 2, 1]),
            helper.make_node("ReduceMean", ["patches"], ["cls"], axes=[1], keepdims=1),
            helper.make_node("Concat", ["cls", "patches"], ["last_hidden_state"], axis=1),
        ],
        "tiny",
        [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["b", 3, "h", "w"])],
        [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["b", "t", DIM])],
        [
            constant("w", rng.standard_normal((DIM, 3, STRIDE, STRIDE)).astype(np.float32)),
            constant("shape", np.array([0, DIM, -1])),
        ],
    )
    path = tmp_path_factory.mktemp("weights") / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), path)
    return path.read_bytes()


@pytest.fixture
def hub(weights: bytes) -> Iterator[Hub]:
    with serving() as server:
        server.files[FILE] = weights
        yield server


@pytest.fixture
def pull(run: Run, hub: Hub, tmp_path: Path) -> Run:
    """Runs `steam-dino models pull` with a cache of its own, against the hub."""

    def pull(*arguments: object, **environ: str) -> CompletedProcess[str]:
        env = {**os.environ, **_environ(tmp_path), "HF_ENDPOINT": hub.address, **environ}
        return run("models", "pull", *arguments, env=env)

    return pull


def _environ(folder: Path) -> dict[str, str]:
    return {
        "STEAMDINO_CACHE": str(folder / "cache"),
        "HF_HOME": str(folder / "hf"),
        "HF_HUB_DOWNLOAD_TIMEOUT": "2",
        "HF_HUB_ETAG_TIMEOUT": "2",
        "HF_HUB_DISABLE_XET": "1",
    }


def _kept(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / "cache").rglob("*") if path.is_file())


def _line(done: CompletedProcess[str]) -> str:
    (line,) = done.stderr.splitlines()
    return line


def test_a_model_is_pulled_once_and_then_needs_no_network(
    pull: Run, hub: Hub, run: Run, tmp_path: Path, paint: Callable[..., Path]
) -> None:
    done = pull("dino-vits16")
    assert done.returncode == 0, done.stderr
    assert "dino-vits16 is ready" in done.stdout
    assert "This model is not verified yet" in done.stderr
    manifest, weights = (
        next(path for path in _kept(tmp_path) if path.name == name)
        for name in ("manifest.json", "model.onnx")
    )
    record = json.loads(manifest.read_text())
    assert weights.read_bytes() == hub.files[FILE]
    assert (record["origin"]["repo"], record["origin"]["revision"]) == ("Xenova/dino-vits16", COMMIT)
    asked = len(hub.requests)
    assert "is already here" in pull("dino-vits16").stdout
    for n in range(3):
        paint(tmp_path / f"covers/{n}.jpg", n)
    env = {**os.environ, **_environ(tmp_path), "HF_ENDPOINT": hub.address}
    assert run("add", tmp_path / "covers", "-g", tmp_path / "g", env=env).returncode == 0
    assert run("build", "--recipe", "SimpleS16", "-g", tmp_path / "g", env=env).returncode == 0
    matches = json.loads(
        run("similar", tmp_path / "covers/1.jpg", "-g", tmp_path / "g", "--format", "json", env=env).stdout
    )
    assert (matches["recipe"], matches["matches"][0]["id"]) == ("SimpleS16", "1")
    assert len(hub.requests) == asked


def test_short_names_are_understood(pull: Run) -> None:
    assert "dino-vits16 is ready" in pull("GemS16").stdout


def test_a_download_that_breaks_off_goes_on_where_it_stopped(hub: Hub, tmp_path: Path) -> None:
    large = np.random.default_rng(0).bytes(24_000_000)  # the client keeps what has come in pieces of 10 MB
    hub.files["owner/name/large"] = large
    hub.mode = "once"
    script = "from steamdino.features.hub import download; print(download('owner/name', 'large').sha256)"
    env = {**os.environ, **_environ(tmp_path), "HF_ENDPOINT": hub.address}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == hashlib.sha256(large).hexdigest()
    resumed = [wanted for method, _, wanted in hub.requests if method == "GET" and wanted]
    assert resumed
    assert int(resumed[0].removeprefix("bytes=").rstrip("-")) >= 10_000_000


@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("broken", "cannot be downloaded: http://127.0.0.1"),
        ("truncated", "cannot be reached, or closed the connection"),
        ("slow", "cannot be reached, or closed the connection"),
        ("html", "does not answer as a model hub; check HF_ENDPOINT"),
        ("altered", "arrived damaged: the hub publishes the hash"),
        ("gated", "it is gated; accept its terms at http://127.0.0.1"),
    ],
)
def test_a_hub_that_misbehaves_gives_one_line_and_leaves_nothing(
    mode: str, message: str, pull: Run, hub: Hub, tmp_path: Path
) -> None:
    hub.mode = mode
    done = pull("dino-vits16", HF_HUB_DOWNLOAD_TIMEOUT="1")
    assert done.returncode == 1
    assert message in _line(done)
    assert _kept(tmp_path) == []
    hub.mode = ""
    assert pull("dino-vits16").returncode == 0


def test_a_gated_model_comes_with_a_token_that_is_never_shown(pull: Run, hub: Hub) -> None:
    hub.mode = "gated"
    refused = pull("dino-vits16", HF_TOKEN="hf_wrong")  # noqa: S106
    assert (refused.returncode, "hf_wrong" in refused.stderr + refused.stdout) == (1, False)
    done = pull("dino-vits16", HF_TOKEN=hub.token)
    assert done.returncode == 0
    assert hub.token not in done.stdout + done.stderr


def test_a_hub_that_is_down_and_an_offline_machine_are_told_apart(pull: Run) -> None:
    down = pull("dino-vits16", HF_ENDPOINT="http://127.0.0.1:9")
    assert "http://127.0.0.1:9 cannot be reached" in _line(down)
    offline = pull("dino-vits16", HF_HUB_OFFLINE="1")
    assert "HF_HUB_OFFLINE forbids the network" in _line(offline)


def test_a_file_that_is_known_must_have_the_hash_that_is_known(pull: Run, hub: Hub, tmp_path: Path) -> None:
    hub.files["Xenova/dino-vits16/onnx/model_quantized.onnx"] = hub.files[FILE]
    done = pull("dino-vits16-int8")
    assert "is not the expected file: its sha256 is" in _line(done)
    assert "686df030e42d721ce72c8e89edc95cc9107068039298e3500d724727d69f172a" in _line(done)
    assert _kept(tmp_path) == []


def test_a_file_that_changed_within_its_revision_is_refused(pull: Run, hub: Hub, tmp_path: Path) -> None:
    assert pull("dino-vits16").returncode == 0
    before = _kept(tmp_path)
    hub.files[FILE] += b"\0"
    done = pull("dino-vits16", "--force", HF_HOME=str(tmp_path / "another"))
    assert "has changed within the revision" in _line(done)
    assert _kept(tmp_path) == before


def test_what_is_no_such_model_does_not_enter_the_cache(pull: Run, hub: Hub, tmp_path: Path) -> None:
    hub.files["Xenova/dino-vitb16/onnx/model.onnx"] = hub.files[FILE]
    assert "it is not dino-vitb16: its tokens have 384 numbers, expected 768" in _line(pull("dino-vitb16"))
    hub.files[FILE] = b"not a model"
    done = pull("dino-vits16")
    assert done.returncode == 1
    assert "the file for dino-vits16 is not an ONNX file" in _line(done)
    assert _kept(tmp_path) == []


def test_weights_are_taken_from_a_file(pull: Run, hub: Hub, weights: bytes, tmp_path: Path) -> None:
    (tmp_path / "mine.onnx").write_bytes(weights)
    assert pull("dino-vits16", "--weights", tmp_path / "mine.onnx").returncode == 0
    assert hub.requests == []
    assert "none.onnx does not exist; name another file with --weights" in _line(
        pull("dino-vits16", "--weights", tmp_path / "none.onnx")
    )


def test_a_licence_of_its_own_must_be_accepted(pull: Run, hub: Hub) -> None:
    done = pull("dinov3-vits16")
    assert done.returncode == 2
    assert "read https://ai.meta.com/" in _line(done)
    assert hub.requests == []
    assert "has no such file" in _line(pull("dinov3-vits16", "--accept-licence"))


def test_a_model_that_the_hub_has_not_says_where_its_weights_are(pull: Run) -> None:
    assert "download https://dl.fbaipublicfiles.com/dino/dino_resnet50" in _line(pull("dino-resnet50"))


def test_the_list_shows_what_is_here_and_what_is_verified(run: Run, pull: Run, tmp_path: Path) -> None:
    assert pull("dino-vits16").returncode == 0
    env = {**os.environ, **_environ(tmp_path)}
    records = {
        record["name"]: record
        for record in json.loads(run("models", "list", "--format", "json", env=env).stdout)
    }
    assert (records["dino-vits16"]["here"], records["dino-vits16"]["verified"]) == (True, False)
    assert (records["dino-vitb8"]["here"], records["dino-vitb8"]["bytes"]) == (False, 0)
    assert records["efficientnet-lite0-banners"]["verified"]
    table = run("models", "list", env=env).stdout
    assert all(name in table for name in records)


def test_what_a_model_sees_is_written_as_a_picture(
    run: Run, paint: Callable[..., Path], tmp_path: Path
) -> None:
    paint(tmp_path / "a.jpg", size=(300, 450))
    done = run("models", "show", "bundled/fit/224x224", tmp_path / "a.jpg", "-o", tmp_path / "seen.png")
    assert done.returncode == 0, done.stderr
    assert "no heads" in done.stderr
    with Image.open(tmp_path / "seen.png") as picture:
        assert picture.size[0] > 2 * 224
        # The right border of what the model sees under `fit` is filled with the mean colour.
        assert picture.getpixel((12 + 2 * 224 + 12 - 2, 26 + 12 + 26 + 112)) == (124, 116, 104)
    refused = run("models", "show", "bundled", tmp_path / "a.jpg", "-o", tmp_path / "seen.jpg")
    assert (refused.returncode, "does not end in .png" in refused.stderr) == (2, True)


def test_without_a_home_the_hubs_files_lie_in_our_own_cache(hub: Hub, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    environ = {
        "HF_ENDPOINT": hub.address,
        "HF_HUB_DISABLE_XET": "1",
        "STEAMDINO_CACHE": str(tmp_path / "cache"),
    }
    done = homeless("models", "pull", "dino-vits16", environ=environ, cwd=work)
    assert done.returncode == 0, done.stderr
    assert list(work.iterdir()) == []  # no folder called "~"
    assert (tmp_path / "cache/huggingface/hub/models--Xenova--dino-vits16").is_dir()


def test_a_home_that_the_hubs_files_cannot_lie_in_is_said_with_what_to_do(hub: Hub, tmp_path: Path) -> None:
    environ = {
        "HF_ENDPOINT": hub.address,
        "HF_HUB_DISABLE_XET": "1",
        "STEAMDINO_CACHE": str(tmp_path / "cache"),
    }
    done = homeless("models", "pull", "dino-vits16", environ=environ | {"HOME": "/proc"}, cwd=tmp_path)
    assert done.returncode == 1
    assert "/proc/.cache" in _line(done)
    assert _line(done).endswith("set HF_HOME to a writable folder")
    assert _kept(tmp_path) == []


def test_a_model_in_a_cache_that_cannot_be_written_is_used(
    pull: Run, run: Run, tmp_path: Path, paint: Callable[..., Path]
) -> None:
    assert pull("dino-vits16").returncode == 0
    env = {**os.environ, **_environ(tmp_path)}
    for n in range(3):
        paint(tmp_path / f"covers/{n}.png", n)
    assert run("add", tmp_path / "covers", "-g", tmp_path / "g").returncode == 0
    assert run("build", "-g", tmp_path / "g", "--recipe", "SimpleS16", env=env).returncode == 0
    with readable_folder() as folder:
        for name in ("covers", "g", "cache"):
            shutil.copytree(tmp_path / name, folder / name)
        folders = [path for path in [folder / "cache", *(folder / "cache").rglob("*")] if path.is_dir()]
        for path in folders:
            path.chmod(0o555)
        arguments = ["similar", "covers/0.png", "-g", "g", "-k", "1", "--format", "ids"]
        command = [*stranger(), sys.executable, "-m", "steamdino", *arguments]
        done = started(command, {"STEAMDINO_CACHE": str(folder / "cache")}, folder)
        for path in folders:
            path.chmod(0o755)
    assert (done.returncode, done.stdout, done.stderr) == (0, "0\n", "")
