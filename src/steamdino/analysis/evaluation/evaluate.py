"""Compares the descriptors of a collection by copy detection, labels, agreement and cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from steamdino.analysis.evaluation import copy_detection
from steamdino.analysis.evaluation.agreement import agreement, neighbours
from steamdino.analysis.evaluation.collection import Collection
from steamdino.analysis.evaluation.costs import ROUNDS, Cost, cost
from steamdino.analysis.evaluation.metrics import Rows
from steamdino.analysis.evaluation.retrieval import answer
from steamdino.analysis.evaluation.task_results import Result, summarise
from steamdino.analysis.evaluation.tasks import Task, answerable, near_and_diff, sharing
from steamdino.errors import UsageError
from steamdino.records import Game, Progress

QUERIES = 2000
"""Maximum number of queries for labels and for agreement: enough for intervals of two hundredths."""

TIMED = 64
"""Number of pictures on which speed is measured."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The result of a comparison.

    Attributes:
        games: number of games that are ranked.
        left_out: number of the gallery's games that were excluded.
        descriptors: names of the descriptors, recipes first.
        baselines: names of those that are baselines.
        results: one for each task.
        agreement: the mean share of the ten nearest neighbours that two descriptors have in common, row by row.
        costs: one for each descriptor.
        seed: of all random choices.
    """

    games: int
    left_out: int
    descriptors: tuple[str, ...]
    baselines: tuple[str, ...]
    results: tuple[Result, ...]
    agreement: tuple[tuple[float, ...], ...]
    costs: tuple[Cost, ...]
    seed: int


def evaluate(
    collection: Collection,
    *,
    labels: Sequence[str] = (),
    across: str | None = None,
    copied: int = 200,
    queries: int = QUERIES,
    seed: int = 0,
    threads: int = 1,
    progress: Progress | None = None,
) -> Evaluation:
    """Compare all descriptors of a collection.

    Args:
        collection: what `collection.collect` returned.
        labels: columns. Games that share a label should be found.
        across: a column. Only games with another value in it count, and near and diff are separate tasks.
        copied: number of games to copy for copy detection; 0 for no such task.
        queries: maximum number of queries in each other task, drawn at random.
        seed: of all random choices.
        threads: number of pictures at the same time.
        progress: called with (done, total) in described pictures.

    Raises:
        UsageError: no game has such a column, or no two games share a label there.
        PictureError: a picture changed meanwhile.
    """
    names = [descriptor.name for descriptor in collection.descriptors]
    rng = np.random.default_rng(seed)
    everyone = np.arange(len(collection.games))
    tasks = [task for column in labels for task in _label_tasks(collection, column, across, queries, rng)]
    results = [
        summarise(
            "labels",
            task.name,
            names,
            [answer(task, descriptor.index) for descriptor in collection.descriptors],
            task.clusters,
            seed,
        )
        for task in tasks
    ]
    chosen = _drawn(rng, _different(collection.games), copied)
    timed = _drawn(rng, everyone, TIMED)
    described = _adding(progress, len(names) * (ROUNDS * len(timed) + len(chosen)))
    costs, traced = [], []
    for descriptor in collection.descriptors:
        describe = descriptor.load(threads)  # inside the loop, so that one model at a time is in memory
        games = [collection.games[row] for row in timed]
        costs.append(cost(descriptor, describe, games, threads, described))
        if len(chosen):
            traced.append(
                copy_detection.trace(
                    collection, descriptor, describe, chosen, seed=seed, threads=threads, described=described
                )
            )
    if traced:
        results += copy_detection.summaries(names, traced, seed)
    sampled = _drawn(rng, everyone, queries)
    shares = agreement([neighbours(descriptor.index, sampled) for descriptor in collection.descriptors])
    return Evaluation(
        games=len(collection.games),
        left_out=len(collection.problems),
        descriptors=tuple(names),
        baselines=tuple(d.name for d in collection.descriptors if d.baseline),
        results=tuple(results),
        agreement=tuple(tuple(line) for line in shares.tolist()),
        costs=tuple(costs),
        seed=seed,
    )


def _adding(progress: Progress | None, total: int) -> Callable[[int], None]:
    """Make a function that adds up the parts of several stages and reports them as one progress."""
    parts = 0

    def add(part: int) -> None:
        nonlocal parts
        parts += part
        if progress:
            progress(parts, total)

    return add


def _drawn(rng: np.random.Generator, rows: Rows, most: int) -> Rows:
    """Draw at most `most` rows at random, rising; return all of them if there are not more."""
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))


def _different(games: Sequence[Game]) -> Rows:
    """Find the first row of each distinct picture, rising."""
    return np.sort(np.unique([game.sha256 for game in games], return_index=True)[1])


def _label_tasks(
    collection: Collection, column: str, across: str | None, queries: int, rng: np.random.Generator
) -> list[Task]:
    labels = collection.labels(column)
    other = None if across is None else collection.labels(across)
    sampled = _drawn(rng, answerable(labels, other), queries)
    if other is None:
        tasks = [sharing(labels, sampled, name=f"{column}: all")]
    else:
        tasks = list(near_and_diff(labels, other, collection.hashes, sampled, name=f"{column}: "))
    tasks = [task for task in tasks if len(task)]
    if not tasks:
        among = "" if across is None else f" across {across!r}, as the same art or as another"
        raise UsageError(
            f"no two games share a label in {column!r}{among}; name another column with --labels"
        )
    return tasks
