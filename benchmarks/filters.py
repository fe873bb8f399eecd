"""Measure filters: how long it takes to find the games that a filter allows, and to count them by all facets.

    python benchmarks/filters.py [--games 184000]

Each game has 15 tags of 450, as frequent as Zipf's law says, a day of release, reviews and a price. Times are
milliseconds of the processor, best of three; each filter is asked for the first time, since answers are kept.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from steamdino.features.recipe_parser import named
from steamdino.gallery.vectors import Row
from steamdino.index.manifest import VECTORS
from steamdino.index.snapshot_reader import SnapshotReader
from steamdino.index.snapshot_writer import Draft
from steamdino.records import Filter
from steamdino.search.filter_counts import FilterCounts
from steamdino.search.filter_masks import FilterMasks

TAGS, EACH, DIM, RUNS = 450, 15, 8, 3
FILTERS = {
    "no filter": Filter(),
    "the most frequent tag": Filter(tags=("tag 0",)),
    "a rare tag": Filter(tags=("tag 300",)),
    "two tags and years": Filter(tags=("tag 0", "tag 5"), released_from="2018", released_to="2021"),
    "1,000 reviews": Filter(min_reviews=1000),
}


def rows(games: int) -> Iterator[Row]:
    """Yield made-up games."""
    dice = np.random.default_rng(0)
    shares = 1 / np.arange(1, TAGS + 1)
    for row in range(games):
        tags = np.unique(dice.choice(TAGS, EACH, p=shares / shares.sum()))
        columns = {
            "tags": [f"tag {tag}" for tag in tags.tolist()],
            "released": f"{dice.integers(2005, 2027)}-{dice.integers(1, 13):02}-{dice.integers(1, 29):02}",
            "reviews": int(10 ** dice.uniform(0, 6)),
            "free": bool(dice.random() < 0.1),
        }
        yield Row(f"{row:09}", f"Game {row}", "steam", None, "", f"{row:064x}", json.dumps(columns))


def milliseconds(work: Callable[[], object]) -> float:
    """Return the time of the processor that some work takes."""
    started = time.process_time()
    work()
    return 1000 * (time.process_time() - started)


def main() -> None:
    """Print a line for each filter."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--games", type=int, default=184_000)
    games = parser.parse_args().games
    with tempfile.TemporaryDirectory() as folder:
        recipe = replace(named("bundled"), dim=DIM)
        with Draft(Path(folder) / recipe.hash) as draft:
            np.save(draft.folder / VECTORS, np.eye(DIM, dtype=np.float32)[np.arange(games) % DIM])
            draft.write_games(rows(games), [])
            snapshot = draft.commit(recipe, revision=1, precisions={})
        best: dict[str, list[float]] = {}
        for _ in range(RUNS):
            reader = SnapshotReader(snapshot)
            masks = FilterMasks(reader)
            counts = FilterCounts(reader, masks)
            best.setdefault("reading the facets, once", []).append(milliseconds(lambda: counts.known))  # noqa: B023
            for name, only in FILTERS.items():
                best.setdefault(f"{name}: games", []).append(milliseconds(lambda: masks.mask(only)))  # noqa: B023
                best.setdefault(f"{name}: counts", []).append(milliseconds(lambda: counts(only)))  # noqa: B023
    for name, values in best.items():
        print(f"{name:<32} {min(values):8.2f} ms")


if __name__ == "__main__":
    main()
