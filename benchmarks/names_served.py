"""Measure how many names a second `steam-dino serve` looks up over 184,000 names, half of them typed with typos.

    python benchmarks/names_served.py NAMES.json [--against SRC] [--workers 2] [--seconds 15]

Eight connections send their next request as soon as the last one is answered. The queries are those of
`name_queries.typed`. With `--against`, the program in another checkout's `src` folder is measured in turns with this
one, so that both run under the same load.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from itertools import cycle
from pathlib import Path
from urllib.parse import quote

import numpy as np

from name_queries import GAMES, catalogue, typed
from serve import Loop

CONNECTIONS, ROUNDS, PORT = 8, 2, 8766
MISTYPED = ("typo", "typo while typing", "two typos")
BUILD = """
import sys
from pathlib import Path
import names
from name_queries import catalogue
names.own(Path(sys.argv[1]) / "snapshots", catalogue(Path(sys.argv[2])))
"""


def queries(path: Path, count: int = 3000, games: int = GAMES) -> list[str]:
    """Return the paths of requests, every second with a typo, in random order within each half.

    Args:
        path: a JSON list of names.
        count: number of queries with typos.
        games: number of games that are named.
    """
    made = typed(catalogue(path, games), count // 3)
    right = [query.text for query in made if query.kind == "typing"]
    wrong = [query.text for query in made if query.kind in MISTYPED]
    dice = random.Random(0)
    dice.shuffle(wrong)
    pairs = zip(right, wrong, strict=False)
    return [f"/api/v1/games?q={quote(text)}" for pair in pairs for text in pair]


async def drive(port: int, paths: list[str], seconds: float) -> Loop:
    """Send requests over all connections until the time is over."""
    loop, upcoming = Loop(port), cycle(paths)
    await loop.open()
    end = time.perf_counter() + seconds

    async def client() -> None:
        while (now := time.perf_counter()) < end:
            await loop.ask("names", next(upcoming), now)

    await asyncio.gather(*(client() for _ in range(CONNECTIONS)))
    return loop


def measure(source: Path, gallery: Path, paths: list[str], given: argparse.Namespace) -> dict[str, float]:
    """Serve a gallery with the program in `source`; return requests per second and latencies."""
    command = [sys.executable, "-m", "steamdino", "serve", "-g", str(gallery), "--rate", "0"]
    command += ["--port", str(PORT), "--workers", str(given.workers)]
    server = subprocess.Popen(command, stderr=subprocess.DEVNULL, env=environment(source))
    try:
        while os.system(f"curl -sf -o /dev/null http://127.0.0.1:{PORT}/readyz"):  # noqa: S605
            time.sleep(0.2)
        asyncio.run(drive(PORT, paths, 2))  # warm-up
        loop = asyncio.run(drive(PORT, paths, given.seconds))
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(10)
    assert not loop.failed
    p50, p99 = np.percentile(loop.latencies["names"], [50, 99])
    return {
        "requests/s": round(len(loop.latencies["names"]) / given.seconds, 1),
        "p50 ms": round(p50, 1),
        "p99 ms": round(p99, 1),
    }


def environment(source: Path) -> dict[str, str]:
    """Return the environment in which Python finds the program in `source`, and these benchmarks."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(source.resolve()), str(Path(__file__).parent)])}


def main() -> None:
    """Print one JSON line for each round of each checkout."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", type=Path)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=15)
    given = parser.parse_args()
    sources = [*([given.against] if given.against else []), Path(__file__).parent.parent / "src"]
    paths = queries(given.names)
    with tempfile.TemporaryDirectory() as folder:
        for number, source in enumerate(sources):
            command = [sys.executable, "-c", BUILD, f"{folder}/{number}", str(given.names)]
            subprocess.run(command, check=True, env=environment(source))
        for _ in range(ROUNDS):
            for number, source in enumerate(sources):
                record = measure(source, Path(folder) / str(number), paths, given)
                print(json.dumps({"program": str(source), **record}), flush=True)


if __name__ == "__main__":
    main()
