"""Measure steam-dino with as many games as Steam has, or ten times that, and compare it with an earlier version.

    python benchmarks/scale.py --games 184000 --against VENV [--names FOLDER] [--covers GALLERY] [--only ROW ...]
    python benchmarks/scale.py --games 1000000
    python benchmarks/scale.py --games 1000000 --end-to-end --folder FOLDER [--steps add,build,...]

Each program gets a made-up gallery of its own, made by its own commands: a table of games with different pictures,
`add`, vectors of a made-up encoder (see `scale_gallery.py`), and `build`. Names are those of `FOLDER/app_names.json`,
repeated with suffixes, or invented. Both programs are measured in turns, and the best of each counts.

`VENV` is a virtual environment with the earlier version, or a checkout of it. Without `--against`, targets that are
multiples are not judged. Prints a table, and exits with 1 if a target is missed. `--only memory` means all rows whose
names begin with `memory-`. With `--folder` galleries are kept, and a later run goes on with them. Needs wrk.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import scale_end_to_end
from scale_made import Made, World
from scale_program import MeasureError, Program, SkippedError
from scale_row import Row
from scale_rows import MILLION, Measured, chosen, rows

LONG = 60.0
"""Seconds after which a figure is not measured again."""
LINE = "{:<42} {:>14} {:>14} {:>7}  {:<22} {}"


def measured_in_turns(row: Row, programs: list[Made]) -> tuple[dict[str, float], dict[str, str]]:
    """Measure a figure of all programs in turns; return the best ones, and why others are missing."""
    found: dict[str, list[float]] = {}
    failed: dict[str, str] = {}
    for _ in range(row.rounds):
        for made in programs:
            name = made.program.name
            if name in failed or (name != "now" and not row.compared):
                continue
            started = time.perf_counter()
            try:
                found.setdefault(name, []).append(row.measure(made))
            except MeasureError as error:
                failed[name] = str(error)
            if time.perf_counter() - started > LONG and row.rounds > 1:
                failed.setdefault(name, "")
    best = max if row.more else min
    return {name: best(values) for name, values in found.items() if values}, failed


def shown(value: float | None, unit: str, failed: str | None) -> str:
    """Return a figure as a text."""
    if value is None:
        return "-" if failed is None else "failed"
    if not unit:
        return f"{value:.4f}"
    return f"{value:,.0f} {unit}" if abs(value) >= 100 else f"{value:.3g} {unit}"


def run(given: argparse.Namespace, folder: Path) -> int:
    """Measure all rows; return the exit code."""
    programs = [Program.of("before", given.against)] if given.against else []
    programs.append(Program.here())
    world = World(folder, given.games, given.dim, given.picture, given.names)
    world.check_space(len(programs))
    measured = Measured(given.covers, given.hostile_rows)
    selected = chosen(rows(measured, given.seconds, given.loop), given.only, given.games)
    made = [Made(world, program).ready() for program in programs]
    print(f"{given.games:,} games of {given.dim} dimensions", flush=True)
    print(LINE.format("", "before", "now", "ratio", "target", ""))
    records, missed = [], False
    for row in selected:
        try:
            values, failed = measured_in_turns(row, made)
        except SkippedError as error:
            print(f"{row.title}: skipped; {error}", flush=True)
            continue
        before, now = values.get("before"), values.get("now")
        ratio = row.ratio(before, now)
        met = row.met(before, now, compared=bool(given.against) and row.compared)
        missed |= met is False
        verdict = {True: "reached", False: "missed", None: ""}[met]
        cells = [
            shown(value, row.unit, failed.get(name)) for name, value in (("before", before), ("now", now))
        ]
        print(
            LINE.format(row.title, *cells, "" if ratio is None else f"{ratio:.2f}", row.wanted(), verdict),
            flush=True,
        )
        for name, why in failed.items():
            if why:
                print(f"    {name}: {why}", flush=True)
        records.append(
            {
                "row": row.name,
                "title": row.title,
                "unit": row.unit,
                "before": before,
                "now": now,
                "ratio": ratio,
                "target": row.wanted(),
                "met": met,
                "failed": {name: why for name, why in failed.items() if why},
            }
        )
    if given.json:
        record: dict[str, Any] = {
            **world.facts,
            "rows": records,
            "details": measured.details,
        }
        given.json.write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    return int(missed)


def size(text: str) -> tuple[int, int]:
    """Return the width and the height of a text like 300x450."""
    width, _, height = text.partition("x")
    return int(width), int(height)


def main() -> None:
    """Print the table, or go through all steps of one gallery."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--games", type=int, default=184_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument(
        "--against", type=Path, help="a virtual environment, or a checkout, of an earlier version"
    )
    parser.add_argument("--names", type=Path, help="a folder with app_names.json")
    parser.add_argument("--covers", type=Path, help="a gallery of real covers that was built")
    parser.add_argument(
        "--only", action="append", default=[], metavar="ROW", help="a row; default: all of the size"
    )
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--folder", type=Path, help="keep the galleries here; default: a temporary folder")
    parser.add_argument(
        "--picture", type=size, help="size of the pictures; default: 300x450, 16x24 of a million"
    )
    parser.add_argument("--seconds", type=float, default=15, help="seconds that a server is flooded")
    parser.add_argument("--loop", type=float, default=60, help="seconds of the open loop")
    parser.add_argument("--hostile-rows", type=int, default=30_000, help="rows of each hostile set")
    parser.add_argument("--end-to-end", action="store_true", help="run each command once, on one gallery")
    parser.add_argument(
        "--steps", help="steps of --end-to-end to do again, with commas between; default: those left"
    )
    given = parser.parse_args()
    given.picture = given.picture or ((300, 450) if given.games < MILLION else (16, 24))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers and folders are removed
    if given.folder:
        given.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = (given.folder or Path(temporary)).absolute()
        if given.end_to_end:
            world = World(folder, given.games, given.dim, given.picture, given.names)
            sys.exit(scale_end_to_end.run(world, given.steps.split(",") if given.steps else None, given.json))
        sys.exit(run(given, folder))


if __name__ == "__main__":
    main()
