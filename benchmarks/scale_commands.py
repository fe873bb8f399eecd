"""What commands do with many games: seconds, memory, and how exact the neighbours are that they write."""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import scale_search
from scale_made import Made
from scale_program import MeasureError, Run

NEIGHBOURS, ORACLE = 100, 500
"""Neighbours that are exported, and games whose neighbours are compared with those of an exact search."""

COMMANDS = {"check": ("check", "--format", "json"), "duplicates": ("duplicates", "--format", "json")}
FOUND_SOMETHING = (0, 1)
"""Exit codes of `check`."""


def unique(made: Made) -> float:
    """Find the 250 most unique games: seconds."""
    return made.command("unique", "--format", "ids").seconds


def export_neighbours(made: Made) -> Run:
    """Write 100 neighbours of all games as arrays."""
    shutil.rmtree(target := made.folder / "arrays", ignore_errors=True)
    return made.command("export", "npy", "-k", str(NEIGHBOURS), "-o", target)


def recall_of_neighbours(made: Made) -> float:
    """Compare exported neighbours with those of an exact search.

    Raises:
        MeasureError: the arrays do not have the snapshot's vectors.
    """
    folder = made.folder / "arrays"
    if not (folder / "matches_faiss.npy").exists():
        export_neighbours(made)
    keys = [str(key) for key in json.loads((folder / "app_ids.json").read_text("utf-8"))]
    stored = np.load(made.snapshot() / "vectors.npy", mmap_mode="r")
    # A snapshot's rows are in the order of the ids as texts, the arrays' in that of the ids as numbers.
    row_of = np.empty(len(keys), np.intp)
    row_of[sorted(range(len(keys)), key=keys.__getitem__)] = np.arange(len(keys))
    rows = scale_search.sample(len(keys), ORACLE)
    matches = np.load(folder / "matches_faiss.npy", mmap_mode="r")[rows].astype(np.intp)
    label = np.load(next(folder.glob("label_database.*.npy")), mmap_mode="r")
    own = row_of[rows]
    if not np.allclose(stored[own], label[rows], atol=1e-3) or (matches[:, 0] != rows).any():
        raise MeasureError("the exported arrays are not those of the snapshot")
    return scale_search.recall(stored, stored[own], own, row_of[matches[:, 1:]])


def cold_similar(made: Made) -> float:
    """Search for one game in a process of its own: seconds."""
    run = made.command("similar", "730", "--no-pictures")
    if len(run.output.splitlines()) < 10:
        raise MeasureError(f"similar 730 printed {run.output!r}")
    return run.seconds


def step(made: Made, name: str) -> dict[str, float]:
    """Return the seconds and the megabytes of `add`, `build`, `check` or `duplicates` on the whole gallery.

    A picture is measured once in a gallery, so that a second `check` is no longer the same: what was measured is kept.
    """
    if name in COMMANDS:
        return made.once(name, partial(made.command, *COMMANDS[name], accepted=FOUND_SOMETHING))
    return made.once(name, {"add": made.add, "build": made.build}[name])


def searched(made: Made, asked: int) -> dict[str, Any]:
    """Return what `scale_search.query` measures."""
    found: dict[str, Any] = json.loads(
        made.program.script("scale_search.py", "query", made.gallery, asked, one_thread=True).output
    )
    return found


def indexed(made: Made) -> dict[str, Any]:
    """Return what `scale_search.index` measures."""
    found: dict[str, Any] = json.loads(made.program.script("scale_search.py", "index", made.gallery).output)
    return found


def hostile(made: Made, covers: Path | None, rows: int, asked: int) -> dict[str, Any]:
    """Return what `scale_search.hostile` measures."""
    run = made.program.script(
        "scale_search.py", "recall", str(covers.absolute()) if covers else "", rows, asked
    )
    found: dict[str, Any] = json.loads(run.output)
    return found
