"""Times `unique` and the export of 100 neighbours of all games against FAISS's flat search alone, in the same run.

The snapshot has 30,000 synthetic vectors of 384 dimensions in clusters, like banners. Ours does all that the commands
do except printing: the search, the ranking and the names for `unique`, and also the files for the export.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import faiss
import numpy as np

from steamdino import Snapshot, unique
from steamdino.analysis.neighbourhood import Neighbourhood
from steamdino.features.recipe_parser import named
from steamdino.gallery.vectors import Row
from steamdino.index.snapshot_writer import write
from steamdino.present.export.legacy_export import are_numbers, similar_json, write_arrays
from steamdino.records import EVERYTHING

GAMES, DIM, CLUSTERS, K, RUNS = 30_000, 384, 300, 100, 3


def made(folder: Path) -> Snapshot:
    """Write a snapshot with the program's own writer, and open it."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((CLUSTERS, DIM))
    vectors = centres[rng.integers(0, CLUSTERS, GAMES)] + 1.2 * rng.standard_normal((GAMES, DIM))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    rows = [Row(str(10 * n), f"Game {n}", "steam", None, "", f"{n:064x}", "{}") for n in range(1, GAMES + 1)]
    recipe = replace(named("bundled"), dim=DIM)
    return Snapshot.open(write(folder / recipe.hash, recipe, 1, rows, [], vectors, {"f32": GAMES}))


def seconds(work: Callable[[], object]) -> float:
    """Time one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def flat(vectors: np.ndarray, k: int) -> object:
    """Search all vectors for all vectors with FAISS; each finds itself, too."""
    index = faiss.IndexFlatIP(DIM)
    index.add(vectors)
    return index.search(vectors, k + 1)


def main() -> None:
    """Print the best seconds of each, their ratio and our recall as JSON."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        snapshot = made(folder)
        vectors = np.array(snapshot.vectors)

        def arrays() -> None:
            write_arrays(folder / "npy", Neighbourhood.of(snapshot, K, only=EVERYTHING))

        def as_json() -> None:
            ids = snapshot.ids
            table = Neighbourhood.of(snapshot, K)
            text = similar_json(
                ((ids[query], [ids[row] for row in rows]) for query, rows, _ in table),
                numbers=are_numbers(ids),
            )
            (folder / "matches.json").write_text(text)

        jobs = {
            "unique": (lambda: unique(snapshot, 250), 1),
            "export npy": (arrays, K),
            "export json": (as_json, K),
        }
        for label, (job, k) in jobs.items():
            ours, theirs = [], []
            for _ in range(RUNS):  # in turns, so that both run under the same load
                theirs.append(seconds(partial(flat, vectors, k)))
                ours.append(seconds(job))
            best = min(ours), min(theirs)
            print(
                json.dumps(
                    {
                        "job": label,
                        "seconds": round(best[0], 2),
                        "FAISS flat alone": round(best[1], 2),
                        "ratio": round(best[0] / best[1], 3),
                        "recall": round(snapshot.index.recall(k), 4),
                    }
                )
            )


if __name__ == "__main__":
    main()
