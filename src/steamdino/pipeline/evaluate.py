"""Compares the recipes of a gallery in one call."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from steamdino.records import Progress

if TYPE_CHECKING:
    from steamdino.analysis.evaluation.evaluate import Evaluation


def evaluate(
    gallery: str | Path,
    recipes: Sequence[str] = (),
    *,
    labels: Sequence[str] = (),
    across: str | None = None,
    copies: int = 200,
    queries: int = 2000,
    seed: int = 0,
    threads: int = 1,
    progress: Progress | None = None,
) -> Evaluation:
    """Compare recipes, and simple baselines, by how well they find what belongs together.

    Args:
        gallery: its folder.
        recipes: names or hashes, each built in the gallery; none for the one that was built last. Others are compared
            with the first.
        labels: columns of the games. Games with the same label should find each other.
        across: a column; only matches with another value in it count.
        copies: number of games whose altered banners are searched for; 0 for none.
        queries: maximum number of queries for each column of labels.
        seed: of all random choices.
        threads: pictures at the same time.
        progress: called with (done, total), first in pictures that are read, then in pictures that are described.

    Raises:
        SnapshotError: a recipe is not built, or fewer than two games are left to compare.
        UsageError: no game has such a column, or no two games share a label there.
        RecipeError, ModelError: a recipe cannot encode here.
        PictureError: a picture changed meanwhile.
    """
    from steamdino.analysis.evaluation.collection import collect
    from steamdino.analysis.evaluation.evaluate import evaluate as compare
    from steamdino.index.snapshot_selection import open_newest

    readers = [open_newest(Path(gallery), recipe) for recipe in recipes or (None,)]
    collection = collect(readers, threads=threads, progress=progress)
    return compare(
        collection,
        labels=labels,
        across=across,
        copied=copies,
        queries=queries,
        seed=seed,
        threads=threads,
        progress=progress,
    )
