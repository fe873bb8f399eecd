"""What all tests share: a clean environment, the fictional store drawn once, a gallery built from it once."""

from __future__ import annotations

import atexit
import gc
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, settings
from PIL import Image
from tests import forks
from tests.environment import CLEANED, clean
from tests.fakes.buckets import bucket_name
from tests.fakes.object_storage import ObjectStorage, serving
from tests.shared_folders import shared

from steamdino.features import encoder
from steamdino.features.runtimes.openvino import OpenVinoModel
from steamdino.sample import FictionalGame, fictional_games
from steamdino.storage import object_client

HOMES = Path(tempfile.mkdtemp(prefix="steamdino-homes-"))
"""A home for what whole modules share, and in it one for each test."""
atexit.register(shutil.rmtree, HOMES, ignore_errors=True)

# Done here and not in a fixture: libraries read some of these variables when they are imported, and processes that
# pytest-xdist starts inherit the result.
clean(os.environ, str(HOMES))
os.environ[CLEANED] = " ".join(sorted(os.environ))
# A shell makes its background jobs ignore Ctrl-C, and the processes that they start inherit that.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Machines differ in speed by more than any deadline could allow for.
# Where mutmut runs the tests, nobody reads a failure, and making it short takes minutes.
phases = [phase for phase in Phase if phase is not Phase.shrink or "MUTANT_UNDER_TEST" not in os.environ]
settings.register_profile(
    "steamdino", deadline=None, phases=phases, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("steamdino")


LONGEST_SOAK = 4 * 3600
"""Seconds that a soak test may take."""


def pytest_collection() -> None:
    """What is imported stays in memory, so that looking for garbage among it is wasted: a quarter of the collection."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Looks for garbage from now on, among what is new."""
    gc.freeze()
    gc.enable()


_cases = Counter[str]()


def pytest_itemcollected(item: pytest.Item) -> None:
    """Gives soak tests the time that they need, and makes all cases of a test slow but its quick ones."""
    if item.get_closest_marker("soak"):
        item.add_marker(pytest.mark.timeout(LONGEST_SOAK))
    if quick := item.get_closest_marker("quick_cases"):
        test = item.nodeid.partition("[")[0]
        if _cases[test] >= quick.args[0]:
            item.add_marker("slow")
        _cases[test] += 1


@pytest.fixture(autouse=True)
def own_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has a home of its own, in which it runs, so that no file of the current folder reaches it."""
    home = tempfile.mkdtemp(dir=HOMES)
    monkeypatch.setenv("HOME", home)
    monkeypatch.setenv("USERPROFILE", home)
    monkeypatch.chdir(home)


@pytest.fixture(autouse=True)
def own_log() -> None:
    """Each test finds the server's log as it is in a new process, whatever the one before has set up."""
    log = logging.getLogger("steamdino.web")
    log.handlers, log.propagate, log.disabled = [], True, False
    log.setLevel(logging.NOTSET)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A folder in which `steam-dino demo` was run, and what it printed. Do not write to it."""

    def make(folder: Path) -> None:
        command = [sys.executable, "-m", "steamdino", "demo", "--no-open"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240, check=False)
        (folder / "ran.json").write_text(json.dumps([done.returncode, done.stdout, done.stderr]))

    folder = shared(tmp_path_factory, "demo", make)
    return folder, subprocess.CompletedProcess([], *json.loads((folder / "ran.json").read_text()))


@pytest.fixture(scope="session")
def fictional_store(
    demo: tuple[Path, subprocess.CompletedProcess[str]],
) -> tuple[Path, tuple[FictionalGame, ...]]:
    """The store's folder and its truth. Do not write to it."""
    folder, done = demo
    assert done.returncode == 0, done.stderr
    return folder / "demo" / "store", fictional_games()


@pytest.fixture(scope="session")
def built(fictional_store: tuple[Path, tuple[FictionalGame, ...]]) -> Path:
    """A gallery of the whole fictional store, built. Do not write to it."""
    return fictional_store[0].parent / "gallery"


@pytest.fixture
def gallery(built: Path, tmp_path: Path) -> Path:
    """A copy of the built gallery that may be written to."""
    return shutil.copytree(built, tmp_path / "gallery")


@pytest.fixture
def gallery_with_pictures(built: Path, tmp_path: Path) -> Path:
    """The same, with the pictures beside it where it looks for them."""
    shutil.copytree(built.parent / "store", tmp_path / "fictional" / "store", copy_function=os.link)
    return shutil.copytree(built, tmp_path / "fictional" / "gallery")


Paint = Callable[..., Path]


@pytest.fixture(scope="session")
def paint() -> Paint:
    """Paints a small picture that no other seed paints."""

    def paint(path: Path, seed: int = 0, size: tuple[int, int] = (60, 90), **save: object) -> Path:
        rng = np.random.default_rng(seed)
        coarse = rng.integers(0, 256, (6, 4, 3), dtype=np.uint8)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC).save(path, **save)
        return path

    return paint


@pytest.fixture(scope="session", autouse=True)
def compiled_once() -> Iterator[None]:
    """Encoders share what OpenVINO has compiled, which takes most of the time in which a small gallery is built."""
    compiled: OrderedDict[str, OpenVinoModel] = OrderedDict()
    lock = threading.Lock()

    def model(path: Path, *arguments: object, **options: object) -> OpenVinoModel:
        stat = path.stat()
        key = repr((path, stat.st_ino, stat.st_size, stat.st_mtime_ns, arguments, sorted(options.items())))
        with lock:
            if key not in compiled:
                compiled[key] = OpenVinoModel(path, *arguments, **options)
            compiled.move_to_end(key)
            if len(compiled) > 8:  # each has memory of its own
                compiled.popitem(last=False)
            return compiled[key]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(encoder, "OpenVinoModel", model)
        yield


Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session", autouse=True)
def forking() -> Iterator[None]:
    """Ends the process that forks."""
    yield
    forks.server.close()


@pytest.fixture
def run() -> Run:
    """Runs the command line as a whole process."""

    def run(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
        # Said outright: readline, which pytest loads, sets COLUMNS behind Python's back.
        environ = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
        return forks.run(*arguments, **{"env": environ, **options})

    return run


@pytest.fixture(scope="session")
def object_storage() -> Iterator[ObjectStorage]:
    """An S3 server."""
    pytest.importorskip("obstore", reason="needs the extra objects")
    pytest.importorskip("moto", reason="needs moto")
    with serving() as started:
        yield started


@pytest.fixture
def bucket(
    object_storage: ObjectStorage, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> str:
    """The address of an empty bucket, for which the environment is set."""
    for name, value in object_storage.environment().items():
        monkeypatch.setenv(name, value)
    object_client.client.cache_clear()
    name = bucket_name(request)
    object_storage.bucket(name)
    return f"s3://{name}"
