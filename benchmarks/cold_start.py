"""Measure the cold start: searches by id and by picture as whole processes, and one query inside a running process.

A search by picture needs the model. It is measured with the compiled model in the cache, and, in turns, with a cache
folder that cannot be created, so that each process reads and compiles the model.

The snapshot has 30,000 made-up vectors of 384 dimensions. Names are invented, or real ones in the legacy format (a
folder with `app_ids.json` and `app_names.json`):

    python benchmarks/cold_start.py --names FOLDER
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from steamdino import Snapshot
from steamdino.features.recipe_parser import named
from steamdino.gallery.vectors import Row
from steamdino.index.snapshot_writer import write
from steamdino.recipe import Recipe

GAMES, DIM, RUNS, QUERIES = 30_000, 384, 10, 300


def catalogue(folder: Path | None) -> list[tuple[str, str]]:
    """Return (id, name) of every game."""
    if folder is None:
        words = ["Iron", "Silent", "Last", "Ember", "Star", "Deep", "Wild", "Lost"]
        invented = [f"{words[n % 8]} {words[n // 8 % 8]} {n}" for n in range(GAMES)]
        return [(str(10 * n), name) for n, name in enumerate(invented, 1)]
    ids, names = (
        json.loads((folder / name).read_text("utf-8")) for name in ("app_ids.json", "app_names.json")
    )
    return [(str(key), name) for key, name in zip(ids, names, strict=True)]


def make_snapshot(gallery: Path, games: list[tuple[str, str]], recipe: Recipe | None = None) -> Path:
    """Write a snapshot with the program's own writer; of `DIM` dimensions, unless a recipe is given."""
    recipe = recipe or replace(named("bundled"), dim=DIM)
    rows = [
        Row(key, name, "steam", None, f"../banners/{key}.jpg", f"{n:064x}", "{}")
        for n, (key, name) in enumerate(sorted(games))
    ]
    vectors = np.random.default_rng(0).standard_normal((len(rows), recipe.dim)).astype(np.float32)
    return write(gallery / "snapshots" / recipe.hash, recipe, 1, rows, [], vectors, {"f32": len(rows)})


def whole_process(gallery: Path, query: str, cache: Path | None = None) -> tuple[float, float]:
    """Return seconds and megabytes (peak resident) of one run of the command, with a cache folder of its own."""
    command = [str(Path(sys.executable).with_name("steam-dino")), "similar", query, "-g", str(gallery)]
    started = time.perf_counter()
    environment = os.environ | ({"STEAMDINO_CACHE": str(cache)} if cache else {})
    process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    assert output.count(b"\n") == 12, output.decode()
    return seconds, usage.ru_maxrss / 1024


def by_picture(folder: Path, games: list[tuple[str, str]]) -> None:
    """Print the seconds of a search by picture with a compiled model and without."""
    gallery = folder / "by-picture"
    make_snapshot(gallery, games, named("bundled"))
    picture, kept, absent = folder / "query.png", folder / "cache", folder / "file" / "cache"
    absent.parent.write_bytes(b"")
    noise = np.random.default_rng(1).integers(0, 256, (300, 200, 3), np.uint8)
    Image.fromarray(noise).save(picture)
    whole_process(gallery, str(picture), kept)
    pairs = [
        (whole_process(gallery, str(picture), kept)[0], whole_process(gallery, str(picture), absent)[0])
        for _ in range(RUNS)
    ]
    warm, cold = (statistics.median(times) for times in zip(*pairs, strict=True))
    print(
        f"by picture, median of {RUNS}: {warm:.3f} s with the compiled model in the cache, {cold:.3f} s without;"
        f" ratio {warm / cold:.2f}"
    )


def timed(work: Callable[[], object]) -> float:
    """Return the milliseconds of one call."""
    started = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - started)


def in_process(gallery: Path, query: str) -> tuple[float, float]:
    """Return median milliseconds of our query and of NumPy's dot product with argpartition, run in turns."""
    snapshot = Snapshot.open(gallery)
    vectors = snapshot.vectors
    row = snapshot.ids.index(query)

    def plain() -> object:
        scores = vectors @ vectors[row]
        return np.argpartition(scores, -10)[-10:]

    def ours() -> object:
        return snapshot.similar(query, k=10)

    plain(), ours()
    pairs = [(timed(ours), timed(plain)) for _ in range(QUERIES)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--names", type=Path, help="a folder with app_ids.json and app_names.json")
    games = catalogue(parser.parse_args().names)
    with tempfile.TemporaryDirectory() as folder:
        gallery = Path(folder)
        make_snapshot(gallery, games)
        runs = [whole_process(gallery, "730") for _ in range(RUNS + 1)][1:]
        seconds = sorted(run[0] for run in runs)
        print(f"{len(games):,} games, {DIM} dims")
        print(
            f"whole process, median of {RUNS}: {statistics.median(seconds):.3f} s"
            f" ({seconds[0]:.3f} to {seconds[-1]:.3f}), peak memory {max(run[1] for run in runs):.0f} MB"
        )
        by_picture(Path(folder), games)
        ours, plain = in_process(gallery, "730")
        print(
            f"one query: {ours:.2f} ms; NumPy's dot product and argpartition: {plain:.2f} ms; ratio {ours / plain:.3f}"
        )


if __name__ == "__main__":
    main()
