"""Measure what a request costs beside the search: a made-up gallery so small that searching it takes almost no time.

    python benchmarks/serving_cost.py [--against SRC] [--python PYTHON] [--games 3000] [--workers 1] [--seconds 6]

For each route wrk sends requests over 8 connections, each as soon as the last one is answered: requests per second,
and the processor time that the server takes for one, which depends less on what else the machine does. Then an open
loop sends requests for similar games and for names at fixed times, as `serve.py` does. With `--against`, the program in
another checkout's `src` folder (run by `--python`, if it needs another environment) serves an equal gallery in turns
with this one, so that both run under the same load; the ratio is that of this program to the other one.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np

from serve import drive

CONNECTIONS, PORT, ASKED = 8, 8767, 500
WORDS = (
    "Iron",
    "Silent",
    "Last",
    "Ember",
    "Star",
    "Deep",
    "Wild",
    "Lost",
    "Crown",
    "Night",
    "Harbor",
    "Moth",
)
MAKE = "import sys, serving_cost; serving_cost.make(sys.argv[1], int(sys.argv[2]))"
LUA = """
local paths, at = {{{paths}}}, 0
request = function()
  at = at % #paths + 1
  return wrk.format("GET", paths[at])
end
"""


@dataclass(frozen=True)
class Program:
    """A checkout of this program, its Python and its gallery."""

    source: Path
    python: str
    gallery: Path


def catalogue(games: int) -> list[tuple[str, str]]:
    """Return (id, name) of every game."""
    count = len(WORDS)
    return [
        (str(10 * n), f"{WORDS[n % count]} {WORDS[n // count % count]} {WORDS[n // count**2 % count]} {n}")
        for n in range(1, games + 1)
    ]


def make(folder: str, games: int) -> None:
    """Write a snapshot with the writer of the program that is on Python's path."""
    from dataclasses import replace

    from steamdino.features.recipe_parser import named
    from steamdino.gallery.vectors import Row
    from steamdino.index.snapshot_writer import write

    recipe = replace(named("bundled"), dim=64)
    columns = json.dumps({"tags": ["Action", "Indie", "2D"], "released": "2021-05-17", "reviews": 1234})
    rows = [
        Row(
            key,
            name,
            "steam",
            f"https://store.steampowered.com/app/{key}",
            f"../banners/{key}.jpg",
            f"{n:064x}",
            columns,
        )
        for n, (key, name) in enumerate(sorted(catalogue(games)))
    ]
    vectors = np.random.default_rng(0).standard_normal((games, 64)).astype(np.float32)
    write(Path(folder) / "snapshots" / recipe.hash, recipe, 1, rows, [], vectors, {"f32": games})


def routes(games: list[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the paths to ask for, by what they are."""
    dice = random.Random(0)
    chosen = dice.sample(games, ASKED)
    typed = [quote(name[: dice.randint(4, 12)]) for _, name in chosen]
    return {
        "similar": [f"/api/v1/games/{key}/similar" for key, _ in chosen],
        "names": [f"/api/v1/games?q={text}" for text in typed],
        "game": [f"/api/v1/games/{key}" for key, _ in chosen],
        "suggest": [f"/suggest?q={text}" for text in typed],
        "page": [f"/games/{key}" for key, _ in chosen],
    }


def environment(source: Path) -> dict[str, str]:
    """Return the environment in which Python finds the program in `source`, and these benchmarks."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(source.resolve()), str(Path(__file__).parent)])}


@contextmanager
def serving(program: Program, workers: int) -> Iterator[int]:
    """Serve a program's gallery within the block; yield the process."""
    command = [program.python, "-m", "steamdino", "serve", "-g", str(program.gallery), "--rate", "0"]
    command += ["--port", str(PORT), "--workers", str(workers)]
    with subprocess.Popen(
        command, stderr=subprocess.DEVNULL, env=environment(program.source), cwd=program.gallery
    ) as server:
        try:
            while os.system(f"curl -sf -o /dev/null http://127.0.0.1:{PORT}/readyz"):  # noqa: S605
                assert server.poll() is None, "the server ended"
                time.sleep(0.2)
            yield server.pid
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(20)


def processor_time(pid: int) -> float:
    """Return the seconds of processor time that a process and its children have taken."""
    own = sum(map(int, Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]))
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own / os.sysconf("SC_CLK_TCK") + sum(processor_time(int(child)) for child in children)


def load(paths: list[str], seconds: int) -> tuple[float, int]:
    """Return the requests per second, and their number, as wrk counts them."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(LUA.format(paths=", ".join(map(json.dumps, paths))))
        script.flush()
        command = ["wrk", "-t", "1", "-c", str(CONNECTIONS), "-d", f"{seconds}s", "-s", script.name]
        text = subprocess.run(
            [*command, f"http://127.0.0.1:{PORT}"], check=True, capture_output=True, text=True
        ).stdout
    assert "Non-2xx" not in text and "Socket errors" not in text, text
    rate, count = re.search(r"Requests/sec:\s*([\d.]+)", text), re.search(r"(\d+) requests in", text)
    assert rate and count, text
    return float(rate[1]), int(count[1])


def measure(program: Program, given: argparse.Namespace) -> dict[str, float]:
    """Return what one round of a program measures."""
    games = catalogue(given.games)
    measured: dict[str, float] = {}
    with serving(program, given.workers) as pid:
        for name, paths in routes(games).items():
            load(paths, 1)  # warm-up
            before = processor_time(pid)
            rate, count = load(paths, given.seconds)
            taken = 1000 * (processor_time(pid) - before) / count
            measured |= {f"{name}, requests/s": rate, f"{name}, CPU ms": taken}
        loop = asyncio.run(drive(PORT, games, given.rate, 2 * given.seconds))
    assert not loop.failed
    for kind, latencies in loop.latencies.items():
        p50, p99 = np.percentile(latencies, [50, 99])
        measured |= {f"open loop, {kind}, p50 ms": p50, f"open loop, {kind}, p99 ms": p99}
    return measured


def main() -> None:
    """Print a table: the median of the rounds of each program, and the ratio."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--against", type=Path, metavar="SRC")
    parser.add_argument("--python", default=sys.executable, help="the Python that runs the other program")
    parser.add_argument("--games", type=int, default=3000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seconds", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=float, default=300)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        programs = [Program(Path(__file__).parent.parent / "src", sys.executable, Path(folder) / "this")]
        if given.against:
            programs.insert(0, Program(given.against, given.python, Path(folder) / "other"))
        for program in programs:
            program.gallery.mkdir()
            command = [program.python, "-c", MAKE, str(program.gallery), str(given.games)]
            subprocess.run(command, check=True, env=environment(program.source))
        rounds = [[measure(program, given) for program in programs] for _ in range(given.rounds)]
    print(f"{given.games:,} games, {given.workers} worker(s), median of {given.rounds} rounds")
    for name in rounds[0][0]:
        found = [statistics.median(one[number][name] for one in rounds) for number in range(len(programs))]
        ratio = f"{found[-1] / found[0]:>10.2f}" if given.against else ""
        print(f"{name:34}" + "".join(f"{value:>12.2f}" for value in found) + ratio)


if __name__ == "__main__":
    main()
