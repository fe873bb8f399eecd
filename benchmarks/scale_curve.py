"""Measure how each cost grows with the number of games, in five steps from 10,000 to 1,000,000.

    python benchmarks/scale_curve.py --folder FOLDER [--names FOLDER] [--json docs/explanation/scale/curve.json]

Each step has a made-up gallery of its own, as in `scale.py`, which is deleted afterwards. The figures are written after
each step, and a later run goes on with the steps that are left. `python docs/scale.py` makes the table and the plot of
`docs/explanation/scale.md` of them.
"""

from __future__ import annotations

import argparse
import json
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import scale_commands
from scale_made import Made, World, bytes_of
from scale_program import Program
from scale_serving import first_unique, worker_memory

STEPS = (10_000, 32_000, 100_000, 320_000, 1_000_000)
ASKED = 200
PICTURE = (16, 24)


def figures(made: Made) -> dict[str, Any]:
    """Measure one gallery: seconds, milliseconds, megabytes of own memory, and bytes."""
    made.ready()
    add, build = (scale_commands.step(made, name) for name in ("add", "build"))
    search, index = scale_commands.searched(made, ASKED), scale_commands.indexed(made)
    paths = made.folder / "typed.json"
    paths.write_text(json.dumps(made.world.typed[: 2 * ASKED]), "utf-8")
    names = json.loads(
        made.program.script("scale_search.py", "names", made.gallery, paths, one_thread=True).output
    )
    unique = made.command("unique", "--format", "ids")
    found = {
        **made.world.facts,
        "index": index["kind"],
        "add s": add["seconds"],
        "build s": build["seconds"],
        "build MB": build["megabytes"],
        "index s": index["seconds"],
        "snapshot MB": round(bytes_of(made.snapshot()) / 1e6, 2),
        "gallery MB": round(bytes_of(made.gallery / "gallery.sqlite") / 1e6, 2),
        **{name: round(value, 4) for name, value in {**search, **names}.items()},
        "worker MB": round(worker_memory(made), 1),
        "first unique ms": round(first_unique(made), 1),
        "unique s": round(unique.seconds, 2),
        "unique MB": round(unique.megabytes, 1),
    }
    more = made.incremental()
    return found | {"incremental s": more["seconds"], "incremental MB": more["megabytes"]}


@contextmanager
def lent_pictures(parent: Path, folder: Path) -> Iterator[None]:
    """Move the pictures of earlier steps into a step's folder until the block ends: the larger step has them too."""
    kept = parent / "pictures"
    for left in parent.glob("*/pictures"):  # of a run that was killed
        if not kept.exists():
            left.rename(kept)
    folder.mkdir(parents=True, exist_ok=True)
    if kept.exists():
        kept.rename(folder / "pictures")
    try:
        yield
    finally:
        if (folder / "pictures").exists():
            (folder / "pictures").rename(kept)


def main() -> None:
    """Print the figures of each step as JSON, and write all to the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=Path, required=True, help="where galleries are made")
    parser.add_argument("--names", type=Path, help="a folder with app_names.json")
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--steps", type=lambda text: tuple(map(int, text.split(","))), default=STEPS)
    parser.add_argument("--json", type=Path, help="default: curve.json in the folder")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parent = given.folder.absolute()
    target = given.json or parent / "curve.json"
    record: dict[str, Any] = {"steps": []}
    if target.exists():
        record = json.loads(target.read_text("utf-8"))
    for games in given.steps:
        if any(step["games"] == games for step in record["steps"]):
            continue
        folder = parent / str(games)
        with lent_pictures(parent, folder):
            world = World(folder, games, given.dim, PICTURE, given.names)
            world.check_space(1)
            step = figures(Made(world, Program.here()))
        shutil.rmtree(folder)
        record["steps"] = sorted([*record["steps"], step], key=lambda one: int(one["games"]))
        print(json.dumps(step), flush=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(record, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
