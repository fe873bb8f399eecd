"""Encoding on a Ray cluster of three nodes on this machine, of which processes and nodes are lost."""

from __future__ import annotations

import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.engines import test_engines as contract
from tests.fakes.object_storage import ObjectStorage, serving

from steamdino.engines import Engine, EngineSettings, Failure, start_engine
from steamdino.engines.lost_work import GIVEN_UP
from steamdino.engines.ray_cluster import PIECE
from steamdino.errors import EngineError, UsageError
from steamdino.features.recipe_parser import named
from steamdino.gallery.vectors import Pending
from steamdino.recipe import Recipe
from steamdino.storage.location import Content, LocalFile
from steamdino.storage.object_store import StoredObject

pytest.importorskip("obstore", reason="needs the extra objects")
pytest.importorskip("moto", reason="needs moto")

pytestmark = pytest.mark.slow
ray = pytest.importorskip("ray", reason="needs the extra ray")

Paint = Callable[..., Path]
NODES, CORES = 3, 2
"""The cluster. The engine that most tests share has an actor on each node, which leaves room for others."""


@pytest.fixture(scope="module")
def objects() -> Iterator[ObjectStorage]:
    """An S3 server with a bucket, which the nodes know by their environment."""
    with serving() as storage, pytest.MonkeyPatch.context() as environment:
        for name, value in storage.environment().items():
            environment.setenv(name, value)
        storage.bucket("covers")
        yield storage


@pytest.fixture(scope="module")
def cluster(objects: ObjectStorage) -> Iterator[Any]:
    from ray.cluster_utils import Cluster

    started = Cluster(initialize_head=True, head_node_args={"num_cpus": CORES, "include_dashboard": False})
    for _ in range(NODES - 1):
        started.add_node(num_cpus=CORES)
    started.wait_for_nodes()
    ray.init(started.address, log_to_driver=False, logging_level="ERROR")
    yield started
    ray.shutdown()
    started.shutdown()


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return named("bundled", size=(64, 64))


@pytest.fixture(scope="module")
def engine(cluster: Any, recipe: Recipe) -> Engine:
    return start_engine("ray", EngineSettings(recipe, address=cluster.address, actors=NODES))


# The contract, with this module's engine.
test_each_banner_comes_back_once = contract.test_each_banner_comes_back_once_as_a_vector_or_as_a_failure
test_vectors_are_those_of_the_encoder = contract.test_vectors_are_those_of_the_encoder
test_a_vector_does_not_depend_on_others = contract.test_a_vector_does_not_depend_on_what_else_is_encoded
test_another_place_with_the_content_will_do = contract.test_another_place_with_the_content_will_do
test_closing_stops_the_work_early = contract.test_closing_stops_the_work_early
test_an_engine_says_what_it_uses = contract.test_an_engine_says_what_it_uses


def _painted(paint: Paint, folder: Path, count: int) -> list[Pending]:
    folder.mkdir()
    return [_pending(LocalFile(paint(folder / f"{n:04}.png", n, size=(16, 24)))) for n in range(count)]


def _pending(place: Any) -> Pending:
    return Pending(hashlib.sha256(place.path.read_bytes()).hexdigest(), (place,), (place.path.stem,))


def _encoded(
    engine: Engine, banners: Sequence[Pending], after: Callable[[int], None] = lambda _: None
) -> Any:
    """The vectors by sha256, how often each came, and the failures; `after` is told how many are done."""
    vectors: dict[str, bytes] = {}
    times: Counter[str] = Counter()
    failures: list[Failure] = []
    for batch in engine.encode(iter(banners)):
        times.update(batch.sha256s)
        vectors |= zip(batch.sha256s, (row.tobytes() for row in batch.vectors), strict=True)
        failures.extend(batch.failures)
        after(len(vectors))
    return vectors, times, failures


@pytest.fixture(scope="module")
def banners(tmp_path_factory: pytest.TempPathFactory, paint: Paint) -> list[Pending]:
    return _painted(paint, tmp_path_factory.mktemp("ray") / "pictures", 30 * PIECE)


@pytest.fixture(scope="module")
def expected(recipe: Recipe, banners: Sequence[Pending]) -> dict[str, bytes]:
    """What this process alone encodes."""
    vectors: dict[str, bytes] = _encoded(start_engine("local", EngineSettings(recipe)), banners)[0]
    return vectors


def test_a_node_that_is_lost_in_the_middle_changes_nothing(
    cluster: Any,
    recipe: Recipe,
    banners: list[Pending],
    expected: dict[str, bytes],
    objects: ObjectStorage,
) -> None:
    stored = []
    for banner in banners:
        (file,) = banner.locations
        objects.put("covers", file.name, file.read().data)
        stored.append(Pending(banner.sha256, (StoredObject(f"s3://covers/{file.name}"),), banner.game_ids))
    lost = cluster.add_node(num_cpus=CORES)
    cluster.wait_for_nodes()
    free = NODES * (CORES - 1) + CORES
    engine = start_engine("ray", EngineSettings(recipe, address=cluster.address, actors=free))
    removed = False

    def lose(done: int) -> None:
        nonlocal removed
        if not removed and done > len(banners) // 3:
            removed = True
            cluster.remove_node(lost, allow_graceful=False)

    vectors, times, failures = _encoded(engine, stored, lose)
    assert removed
    assert (failures, set(times.values())) == ([], {1})
    assert vectors == expected


@pytest.mark.soak
def test_five_thousand_objects_are_built_while_one_of_four_nodes_is_lost(
    tmp_path: Path, paint: Paint, cluster: Any, run: Callable[..., Any], objects: ObjectStorage
) -> None:
    objects.bucket("many")
    for banner in _painted(paint, tmp_path / "pictures", 5000):
        (file,) = banner.locations
        objects.put("many", file.name, file.read().data)
    for name, source in (("alone", tmp_path / "pictures"), ("together", "s3://many")):
        assert run("add", source, "-g", tmp_path / name).returncode == 0
    run("build", "--size", "64x64", "-g", tmp_path / "alone")
    lost = cluster.add_node(num_cpus=CORES)
    cluster.wait_for_nodes()
    command = ["build", "--size", "64x64", "-g", str(tmp_path / "together"), "--engine", "ray"]
    command += ["--ray-address", cluster.address, "--actors", str((NODES + 1) * CORES)]
    driver = subprocess.Popen(
        [sys.executable, "-m", "steamdino", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while len(_stored(tmp_path / "together")) < 5000 // 3 and driver.poll() is None:
        time.sleep(0.05)
    cluster.remove_node(lost, allow_graceful=False)
    assert driver.wait(240) == 0
    together = _stored(tmp_path / "together")
    assert len(together) == 5000
    assert together == _stored(tmp_path / "alone")


def test_a_process_that_is_killed_costs_what_it_had(
    engine: Engine, banners: list[Pending], expected: dict[str, bytes]
) -> None:
    killed: list[int] = []

    def kill(done: int) -> None:
        if not killed and done > 3 * PIECE:
            killed.append(_workers()[0])
            os.kill(killed[0], signal.SIGKILL)

    vectors, times, failures = _encoded(engine, banners, kill)
    assert killed
    assert (failures, set(times.values())) == ([], {1})
    assert vectors == expected


def _workers() -> list[int]:
    """The processes of this machine that encode for Ray."""
    found = subprocess.run(["pgrep", "-f", "^ray::RayWorker"], stdout=subprocess.PIPE, text=True, check=True)
    return [int(pid) for pid in found.stdout.split()]


@dataclass(frozen=True)
class Ending(LocalFile):
    """A picture whose decoding ends the process."""

    def read(self) -> Content:
        os.kill(os.getpid(), signal.SIGKILL)
        return super().read()


def test_a_picture_that_ends_every_process_is_given_up_and_the_others_are_encoded(
    tmp_path: Path, paint: Paint, engine: Engine, banners: list[Pending], expected: dict[str, bytes]
) -> None:
    ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])
    banners = banners[: 3 * PIECE]
    poison = _pending(Ending(paint(tmp_path / "poison.png", 999)))
    vectors, times, failures = _encoded(engine, [*banners[:50], poison, *banners[50:]])
    assert [(one.banner.sha256, one.reason, one.final) for one in failures] == [
        (poison.sha256, GIVEN_UP, False)
    ]
    assert set(times.values()) == {1}
    assert vectors == {banner.sha256: expected[banner.sha256] for banner in banners}


@pytest.mark.parametrize(
    ("address", "error", "told"),
    [
        ("127.0.0.1:1", EngineError, r"^no Ray cluster answers at '127\.0\.0\.1:1' \(Connection refused\)"),
        ("ray://127.0.0.1:1", EngineError, r"^no Ray cluster answers at 'ray://127\.0\.0\.1:1'"),
        (
            "nonsense",
            UsageError,
            r"^--ray-address is 'nonsense'; it must be auto, HOST:PORT or ray://HOST:PORT",
        ),
        ("s3://bucket:80", UsageError, r"s3:// is not one of Ray's"),
    ],
)
def test_a_cluster_that_does_not_answer_is_told_at_once(
    recipe: Recipe, monkeypatch: pytest.MonkeyPatch, address: str, error: type[Exception], told: str
) -> None:
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    started = time.monotonic()
    with pytest.raises(error, match=told):
        start_engine("ray", EngineSettings(recipe, address=address))
    assert time.monotonic() - started < 20


def test_a_device_that_ray_does_not_know_is_refused(recipe: Recipe) -> None:
    with pytest.raises(UsageError, match="the engine 'ray' has no device 'mps'; use cpu or cuda"):
        start_engine("ray", EngineSettings(recipe, device="mps"))


def test_a_build_whose_driver_is_killed_goes_on_where_it_was(
    tmp_path: Path, paint: Paint, cluster: Any, run: Callable[..., Any]
) -> None:
    _painted(paint, tmp_path / "pictures", 60 * PIECE)
    for name in ("alone", "together"):
        run("add", tmp_path / "pictures", "-g", tmp_path / name)
    run("build", "--size", "64x64", "-g", tmp_path / "alone")
    command = ["build", "--size", "64x64", "-g", str(tmp_path / "together")]
    command += ["--engine", "ray", "--ray-address", cluster.address, "--actors", "2"]
    driver = subprocess.Popen(
        [sys.executable, "-m", "steamdino", *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while not (kept := _stored(tmp_path / "together")) and driver.poll() is None:
        time.sleep(0.05)
    driver.kill()
    driver.wait()
    assert 0 < len(kept) < 60 * PIECE
    run(*command)
    together = _stored(tmp_path / "together")
    assert together == _stored(tmp_path / "alone")
    assert len(together) == 60 * PIECE
    assert together.items() >= kept.items()


def _stored(gallery: Path) -> dict[str, bytes]:
    with sqlite3.connect(f"file:{gallery}/gallery.sqlite?mode=ro", uri=True) as database:
        return dict(database.execute("SELECT sha256, vector FROM vectors"))
