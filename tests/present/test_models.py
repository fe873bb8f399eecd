"""`steam-dino models` against a hub on loopback that serves a tiny model."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
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


def _parts(folder: Path) -> list[Path]:
    return [path for path in _kept(folder) if path.suffix == ".part"]


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


LARGE = np.random.default_rng(0).bytes(4_000_000)
DOWNLOAD = """
import time
from steamdino.errors import ModelError
from steamdino.features.hub import _settle_environment, download
_settle_environment()
import huggingface_hub.utils
started = time.perf_counter()
try:
    print(download('owner/name', 'large').sha256)
except ModelError as error:
    print(error)
print(time.perf_counter() - started)
"""


def _download(hub: Hub, folder: Path, **environ: str) -> subprocess.Popen[str]:
    hub.files["owner/name/large"] = LARGE
    env = {**os.environ, **_environ(folder), "HF_ENDPOINT": hub.address, **environ}
    return subprocess.Popen([sys.executable, "-c", DOWNLOAD], env=env, stdout=subprocess.PIPE, text=True)


def _said(process: subprocess.Popen[str]) -> tuple[str, float]:
    """Return the hash of what was downloaded or the error, and the seconds that it took."""
    said, seconds = process.communicate()[0].splitlines()
    assert process.returncode == 0
    return said, float(seconds)


@pytest.mark.parametrize("mode", ["once", "whole"])
def test_a_download_that_breaks_off_goes_on_where_it_stopped(hub: Hub, tmp_path: Path, mode: str) -> None:
    hub.mode = mode
    assert _said(_download(hub, tmp_path))[0] == hashlib.sha256(LARGE).hexdigest()
    half = len(LARGE) // 2
    requests = [(method, wanted) for method, _, wanted in hub.requests]
    assert requests == [("HEAD", None), ("GET", None), ("GET", f"bytes={half}-")]
    assert hub.sent == len(LARGE) + (half if mode == "whole" else 0)


def test_a_download_that_was_killed_goes_on_where_it_stopped(hub: Hub, tmp_path: Path) -> None:
    hub.mode = "stuck"
    with _download(hub, tmp_path) as process:
        while not any(path.stat().st_size == len(LARGE) // 2 for path in _parts(tmp_path)):
            assert process.poll() is None
            time.sleep(0.01)
        second = _said(_download(hub, tmp_path))[0]
        assert second.startswith("owner/name/large is being downloaded by another process")
        process.kill()
    hub.mode = ""
    assert _said(_download(hub, tmp_path))[0] == hashlib.sha256(LARGE).hexdigest()
    assert hub.requests[-1][2] == f"bytes={len(LARGE) // 2}-"
    assert hub.sent == len(LARGE)


@pytest.mark.slow
def test_a_part_of_another_file_is_not_gone_on_with(hub: Hub, tmp_path: Path) -> None:
    hub.mode = "truncated"
    assert "run the same command again to resume" in _said(_download(hub, tmp_path))[0]
    (part,) = _parts(tmp_path)
    part.write_bytes(b"x" + part.read_bytes()[1:])
    hub.mode = ""
    assert "arrived damaged" in _said(_download(hub, tmp_path))[0]
    assert _kept(tmp_path) == []
    assert _said(_download(hub, tmp_path))[0] == hashlib.sha256(LARGE).hexdigest()


def test_what_killed_downloads_left_is_removed_in_the_end(pull: Run, tmp_path: Path) -> None:
    left = [tmp_path / "cache/downloads/old.part", tmp_path / "cache/models/dino-vits16/.made-old/model.onnx"]
    fresh = [
        tmp_path / "cache/downloads/new.part",
        tmp_path / "cache/models/dino-vits16/.made-new/model.onnx",
    ]
    for path in (*left, *fresh):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"half a file")
    for path in (*left, left[1].parent):
        os.utime(path, (1, 1))
    assert pull("dino-vits16").returncode == 0
    assert [path for path in _kept(tmp_path) if "half" in path.read_text("latin-1")[:10]] == sorted(fresh)


def test_what_another_program_downloaded_is_used(hub: Hub, tmp_path: Path) -> None:
    hub.files["owner/name/large"] = LARGE
    env = {**os.environ, **_environ(tmp_path), "HF_ENDPOINT": hub.address}
    script = "from huggingface_hub import hf_hub_download; hf_hub_download('owner/name', 'large')"
    subprocess.run([sys.executable, "-c", script], env=env, check=True)
    sent = hub.sent
    for environ in ({}, {"HF_HUB_OFFLINE": "1"}):
        assert _said(_download(hub, tmp_path, **environ))[0] == hashlib.sha256(LARGE).hexdigest()
    assert hub.sent == sent
    assert _kept(tmp_path) == []


@pytest.mark.skipif(sys.platform != "linux", reason="Linux drops connections for which there is no room")
def test_a_network_that_swallows_everything_is_reported_in_two_seconds(hub: Hub, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as silent:
        address = silent.getsockname()
        with ExitStack() as waiting:
            for _ in range(3):
                one = waiting.enter_context(socket.socket())
                one.setblocking(False)
                one.connect_ex(address)
            said, seconds = _said(
                _download(
                    hub, tmp_path, HF_ENDPOINT=f"http://127.0.0.1:{address[1]}", HF_HUB_ETAG_TIMEOUT="10"
                )
            )
    assert "cannot be reached, or closed the connection (ConnectTimeout)" in said
    assert 1.9 < seconds < 4


@pytest.mark.quick_cases(1)
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
    assert [path.suffix for path in _kept(tmp_path)] == ([".lock", ".part"] if mode == "truncated" else [])
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


def test_without_a_home_nothing_lies_outside_our_own_cache(hub: Hub, tmp_path: Path) -> None:
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
    assert {path.name for path in (tmp_path / "cache").iterdir()} == {"models"}


def test_a_home_that_cannot_be_written_does_not_matter(hub: Hub, tmp_path: Path) -> None:
    environ = {
        "HF_ENDPOINT": hub.address,
        "HF_HUB_DISABLE_XET": "1",
        "STEAMDINO_CACHE": str(tmp_path / "cache"),
    }
    done = homeless("models", "pull", "dino-vits16", environ=environ | {"HOME": "/proc"}, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
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
