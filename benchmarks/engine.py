"""Compare the engines that encode: Ray's actors with one core each against the threads of this process.

    python benchmarks/engine.py [--pictures FOLDER] [--count 2000] [--json FILE]

All engines encode the same JPEG files under the bundled recipe, in turns, and must give the same vectors to the last
bit. Also measured: how many vectors a second the driver commits to a gallery, and what the loss of an actor costs.
Pictures: the fictional store's, or the JPEG files of a folder.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from steamdino.engines import Batch, Engine, EngineSettings, start_engine
from steamdino.features.recipe_parser import named
from steamdino.gallery import Gallery
from steamdino.gallery.vectors import Pending
from steamdino.pipeline.vector_writer import VectorWriter
from steamdino.sample import draw_store
from steamdino.storage.location import LocalFile

RECIPE = named("bundled")
ROUNDS = 3
COMMITTED = 20_000
SIZE = 32
"""Vectors of a batch that is committed."""


def pending(folder: Path, count: int) -> list[Pending]:
    """The first JPEG files of a folder, each content once."""
    found: dict[str, Pending] = {}
    for path in sorted(folder.rglob("*.jpg")):
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        found.setdefault(sha256, Pending(sha256, (LocalFile(path),), (path.stem,)))
        if len(found) == count:
            break
    return list(found.values())


def encoded(
    engine: Engine, banners: list[Pending], after: Callable[[int], None] = lambda _: None
) -> tuple[float, dict[str, bytes]]:
    """Return the seconds, and the vectors by sha256."""
    vectors: dict[str, bytes] = {}
    started = time.perf_counter()
    for batch in engine.encode(banners):
        vectors |= zip(batch.sha256s, (row.tobytes() for row in batch.vectors), strict=True)
        after(len(vectors))
    return time.perf_counter() - started, vectors


def commits(folder: Path) -> float:
    """Vectors a second that are committed, with a gallery's usual transactions."""
    with Gallery.write(folder, "benchmark", create=True) as gallery:
        with gallery.transaction():
            key = gallery.vectors.put_recipe(RECIPE)
        writer = VectorWriter(gallery, key, "f32")
        vectors = np.random.default_rng(0).standard_normal((SIZE, RECIPE.dim), np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        started = time.perf_counter()
        for start in range(0, COMMITTED, SIZE):
            names = tuple(hashlib.sha256(b"%d" % number).hexdigest() for number in range(start, start + SIZE))
            writer.add(Batch(names, vectors))
            writer.commit_if_due()
        writer.commit()
        return COMMITTED / (time.perf_counter() - started)


def main() -> None:
    """Print the rates, and their ratio to that of the local engine."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pictures", type=Path, help="a folder with JPEG files; default: a fictional store")
    parser.add_argument("--count", type=int, default=2000, help="pictures at most")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.pictures or Path(temporary) / "store"
        if given.pictures is None:
            draw_store(folder)
        banners = pending(folder, given.count)
        figures: dict[str, Any] = {"pictures": len(banners)}
        figures["vectors committed a second"] = round(commits(Path(temporary) / "gallery"))
    # Ray is started first, by an engine that stays: the others use its connection.
    engines = {"Ray, two actors": start_engine("ray", EngineSettings(RECIPE, actors=2))}
    engines["local, two cores"] = start_engine("local", EngineSettings(RECIPE, cores=2))
    rates: dict[str, list[float]] = {name: [] for name in engines}
    found = {}
    for number in range(ROUNDS + 1):
        for name, engine in engines.items():
            seconds, found[name] = encoded(engine, banners)
            if number:  # the first round warms up
                rates[name].append(len(banners) / seconds)
    figures |= {f"{name}, pictures a second": round(statistics.median(rate)) for name, rate in rates.items()}
    ours, theirs = rates.values()
    figures["Ray to local"] = round(
        statistics.median(one / other for one, other in zip(ours, theirs, strict=True)), 3
    )
    figures["equal to the last bit"] = found["Ray, two actors"] == found["local, two cores"]

    killed: list[int] = []

    def kill(done: int) -> None:
        if not killed and done > len(banners) // 3:
            workers = subprocess.run(["pgrep", "-f", "^ray::RayWorker"], stdout=subprocess.PIPE, check=True)
            killed.append(int(workers.stdout.split()[0]))
            os.kill(killed[0], signal.SIGKILL)

    seconds, after_loss = encoded(engines["Ray, two actors"], banners, kill)
    figures["seconds that a lost actor costs"] = round(seconds - len(banners) / statistics.median(ours), 2)
    figures["equal after the loss"] = after_loss == found["local, two cores"]
    del engines["Ray, two actors"], engine
    figures["Ray, one actor, pictures a second"] = one_actor(banners)
    print(json.dumps(figures, indent=1))
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")


def one_actor(banners: list[Pending]) -> int:
    """Pictures a second of an actor by itself."""
    engine = start_engine("ray", EngineSettings(RECIPE, actors=1))
    encoded(engine, banners[:200])
    seconds, _ = encoded(engine, banners)
    return round(len(banners) / seconds)


if __name__ == "__main__":
    main()
