"""Snapshots are swapped, pruned and killed half-way under eight reading processes: none fails or sees a mixture."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests import forks

from steamdino.pipeline import examine

READERS, SWAPS, PICTURES = 8, 8, 40

READ = """
import sys, time
from pathlib import Path
import numpy as np
import pytest
from steamdino import Snapshot

gallery, stop = map(Path, sys.argv[1:])
reads, seen = 0, set()
while not stop.exists():
    snapshot = Snapshot.open(gallery)
    ids = snapshot.ids
    assert len(ids) == len(snapshot) == len(snapshot.vectors)
    generations = {snapshot.game(game_id).name for game_id in ids}
    assert len(generations) == 1, generations
    seen |= generations
    # Odd generations show half of the games: rows, names and vectors must be of one of them.
    assert len(ids) == (20 if int(min(generations)) % 2 else 40), (generations, len(ids))
    assert np.allclose(np.linalg.norm(snapshot.vectors, axis=1), 1, atol=1e-5)
    assert len(snapshot.similar(ids[reads % len(ids)], k=5)) == 5
    reads += 1
    time.sleep(0.1)  # leaves the two cores to the writer now and then
print(reads, len(seen))
"""


def _write_table(path: Path, generation: int) -> None:
    shown = range(0, PICTURES, 2) if generation % 2 else range(PICTURES)
    rows = [{"id": f"{n:02}", "name": str(generation), "path": f"{n}.png"} for n in shown]
    path.write_text("\n".join(map(json.dumps, rows)))


def _start(*command: object) -> forks.Command:
    return forks.start(*command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _run(*command: object) -> None:
    with _start(*command) as child:
        assert child.wait() == 0


def _killed_while_swapping(gallery: Path, index: str, seconds: float) -> bool:
    """Kills a build a moment after it began to write the new snapshot; returns whether that came in time."""
    with _start("build", "-g", gallery, "--index", index) as child:
        while child.poll() is None and not list(gallery.glob("snapshots/*/new-*")):
            time.sleep(0.0005)
        time.sleep(seconds)
        child.kill()
        return child.wait() != 0


@pytest.mark.slow
def test_no_reader_fails_or_sees_a_mixture_while_snapshots_are_swapped_and_killed(tmp_path: Path) -> None:
    for n in range(PICTURES):
        coarse = np.random.default_rng(n).integers(0, 256, (6, 4, 3), dtype=np.uint8)
        Image.fromarray(coarse).resize((16, 24)).save(tmp_path / f"{n}.png")
    table, gallery, stop = tmp_path / "t.jsonl", tmp_path / "g", tmp_path / "stop"

    def change(generation: int) -> None:
        _write_table(table, generation)
        _run("add", table, "-g", gallery)

    change(0)
    _run("build", "-g", gallery)
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READ, str(gallery), str(stop)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(READERS)
    ]
    dice, killed = random.Random(0), 0
    for generation in range(1, SWAPS + 1):
        change(generation)
        index = ("exact", "quantised")[generation // 2 % 2]
        killed += _killed_while_swapping(gallery, index, dice.random() * 0.03)
        _run("build", "-g", gallery, "--index", index)
        _run("prune", "-g", gallery)
    stop.touch()
    results = []
    for reader in readers:
        output, errors = reader.communicate(timeout=60)
        assert reader.returncode == 0, errors
        results.append(tuple(map(int, output.split())))
    assert killed >= 3
    assert all(reads >= 10 for reads, _ in results), results
    assert max(seen for _, seen in results) >= SWAPS // 2, results
    assert all(finding.harmless for finding in examine(gallery, deep=True))
