"""Measure the memory and time of `add`, `build`, `check` and `duplicates` on made-up galleries of two sizes.

    python benchmarks/memory.py [--games 10000 40000] [--at 184000] [--source OTHER/src]

Each command runs as a process. "Own memory" is its highest RssAnon, sampled every few milliseconds: files that are
mapped from the disk do not count. The difference between two sizes gives the bytes that a command needs for each game,
and so an estimate for any other size (`--at`). The pictures are drawn once and reused by later runs (`--folder`).
`--source` measures another version of the program. RssAnon is known on Linux only.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

SOURCE = Path(__file__).parents[1] / "src"
EVERY = 0.005
"""Seconds between two looks at a process."""

COMMANDS = ("add", "build", "build again", "check", "check again", "duplicates")
PER_FOLDER = 1000
SYLLABLES = ("ash", "bri", "col", "dar", "eld", "far", "gri", "hol", "iro", "jad")
WORDS = [one + other for one in SYLLABLES for other in ("en", "is")]


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command needed.

    Attributes:
        peak: highest own memory, in bytes.
        seconds: from start to end.
    """

    peak: int
    seconds: float


def draw(folder: Path, games: int) -> Path:
    """Draw pictures that are all different, and a table of games that show them; returns the table.

    One in fifty is the picture before it, encoded again, and one in a hundred the same file.
    """
    for number in range(games):
        path = picture(folder, number)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_drawn(number))
    table = folder / f"games-{games}.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(
            ("id", "name", "path", "released", "tags", "description", "reviews", "price", "developer")
        )
        for number in range(games):
            words = [WORDS[(number // 20**place) % 20] for place in range(4)]
            name = " ".join(words).title()
            when = f"20{number % 25:02}-{number % 12 + 1:02}-{number % 28 + 1:02}"
            story = f"In the {words[0]} {words[1]} of {name}, number {number}, " + " ".join(words * 6)
            tags = ";".join(WORDS[(number * 7 + step) % 20] for step in range(8))
            path = picture(folder, number).relative_to(folder)
            rows.writerow(
                (f"{number:07}", name, path, when, tags, story, number * 13 % 9999, "9.99", words[2])
            )
    return table


def picture(folder: Path, number: int) -> Path:
    """Where the picture with a number is."""
    return folder / f"{number // PER_FOLDER:04}" / f"{number:07}.jpg"


def _drawn(number: int) -> bytes:
    from io import BytesIO

    original = number - 1 if number and (number % 50 == 0 or number % 100 == 3) else number
    rng = np.random.default_rng(original)
    coarse = Image.fromarray(rng.integers(0, 256, (9, 6, 3), dtype=np.uint8)).resize(
        (300, 450), Image.Resampling.BICUBIC
    )
    grain = rng.integers(0, 24, (150, 100, 3), dtype=np.uint8).repeat(3, axis=0).repeat(3, axis=1)
    buffer = BytesIO()
    Image.fromarray(np.asarray(coarse) // 8 * 7 + grain).save(
        buffer, "JPEG", quality=70 if number % 50 == 0 else 85
    )
    return buffer.getvalue()


def cost(arguments: Sequence[object], source: Path) -> Cost:
    """Run a command of the program as a process and watch its memory.

    Raises:
        SystemExit: the command fails.
    """
    environ = {**os.environ, "PYTHONPATH": str(source)}
    command = [sys.executable, "-m", "steamdino", *map(str, arguments)]
    began, peak = time.monotonic(), 0
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, env=environ, stdout=output, stderr=subprocess.STDOUT)
        while process.poll() is None:
            peak = max(peak, own_memory(process.pid))
            time.sleep(EVERY)
        seconds = time.monotonic() - began
        if process.returncode:
            output.seek(0)
            sys.exit(f"{' '.join(command)} failed:\n{output.read().decode()}")
    return Cost(peak, seconds)


def own_memory(pid: int) -> int:
    """The anonymous memory of a process, in bytes; 0 if it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text("ascii")
    except (OSError, UnicodeDecodeError):
        return 0
    line = next((line for line in status.splitlines() if line.startswith("RssAnon:")), "RssAnon: 0 kB")
    return int(line.split()[1]) * 1024


def measured(folder: Path, games: int, source: Path, wanted: Sequence[str]) -> dict[str, Cost]:
    """The cost of each command on a new gallery of so many games."""
    table = draw(folder, games)
    with tempfile.TemporaryDirectory(dir=folder, prefix="gallery-") as work:
        place = ("-g", Path(work) / "gallery")
        lines = {
            "add": ("add", table, *place),
            "build": ("build", "--size", "64x64", *place),
            "build again": ("build", "--size", "64x64", "--rebuild", *place),
            "check": ("check", *place),
            "check again": ("check", *place),
            "duplicates": ("duplicates", *place),
        }
        costs = {}
        for name, line in lines.items():
            costs[name] = cost(line, source)
            if name in wanted:
                one = costs[name]
                print(
                    f"{games:>9,} games  {name:12} {one.peak / 1e6:7.1f} MB {one.seconds:7.1f} s", flush=True
                )
        return costs


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--games", type=int, nargs="+", default=[10_000, 40_000])
    parser.add_argument("--at", type=int, default=184_000, help="number of games to estimate the memory for")
    parser.add_argument("--folder", type=Path, help="where to draw the pictures; default: a temporary folder")
    parser.add_argument("--source", type=Path, default=SOURCE, help="the src folder of another version")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.folder or Path(temporary)
        sizes = sorted(chosen.games)
        found = {games: measured(folder, games, chosen.source.absolute(), COMMANDS) for games in sizes}
    least, most = sizes[0], sizes[-1]
    estimates = {}
    for name in COMMANDS if most > least else ():
        each = (found[most][name].peak - found[least][name].peak) / (most - least)
        estimates[name] = found[most][name].peak + max(each, 0) * (chosen.at - most)
        print(
            f"{name:12} {each:8.0f} bytes a game; about {estimates[name] / 1e6:.0f} MB at {chosen.at:,} games"
        )
    if chosen.json:
        record = {
            games: {name: [one.peak, one.seconds] for name, one in costs.items()}
            for games, costs in found.items()
        }
        chosen.json.write_text(json.dumps({"costs": record, "estimates": estimates, "at": chosen.at}))


if __name__ == "__main__":
    main()
