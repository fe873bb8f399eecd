"""Collects the games that all compared recipes have in common, with what a comparison needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from steamdino.analysis.evaluation.baselines import BASELINES, difference_hash
from steamdino.analysis.evaluation.descriptors import Descriptor, of_baseline, of_recipe
from steamdino.analysis.evaluation.metrics import Floats
from steamdino.analysis.evaluation.tasks import Hashes, labels_in
from steamdino.analysis.picture_loading import each, picture
from steamdino.errors import PictureError, SnapshotError, UsageError
from steamdino.index.snapshot_reader import SnapshotReader
from steamdino.records import Game, Problem, Progress


@dataclass(frozen=True, slots=True)
class Collection:
    """The descriptors to compare, and the games to compare them on.

    Attributes:
        games: the games that are in every snapshot and whose pictures can be read, ordered by id.
        hashes: their difference hashes: uint8, shape (games, 32).
        descriptors: the recipes, then the baselines. Row i of each index belongs to `games[i]`.
        problems: games that were excluded, each with the reason.
    """

    games: tuple[Game, ...]
    hashes: Hashes
    descriptors: tuple[Descriptor, ...]
    problems: tuple[Problem, ...]

    def labels(self, column: str) -> list[frozenset[str]]:
        """Read each game's labels from a column, or its `source` if no column has that name.

        Raises:
            UsageError: no game has that column.
        """
        known = {name for game in self.games for name in game.columns}
        if column in known:
            return [labels_in(game.columns.get(column)) for game in self.games]
        if column == "source":
            return [frozenset({game.source}) for game in self.games]
        raise UsageError(
            f"no game has a column {column!r}; there are: {', '.join(sorted(known | {'source'}))}"
        )


def collect(
    readers: Sequence[SnapshotReader],
    *,
    precision: str = "f32",
    threads: int = 1,
    progress: Progress | None = None,
) -> Collection:
    """Collect the common games, and compute their hashes and baseline descriptors. Each picture is read once.

    Args:
        readers: a snapshot of each recipe, at least one.
        precision: inference precision for further pictures.
        threads: number of pictures to decode at the same time.
        progress: called with (done, total).

    Raises:
        SnapshotError: fewer than two games are left to compare.
        RecipeError, ModelError: a recipe cannot encode here.
    """
    shared = set.intersection(*(set(reader.ids) for reader in readers))
    first = readers[0]
    games = first.games([row for row, key in enumerate(first.ids) if key in shared])
    kept: list[Game] = []
    seen: list[tuple[Hashes, list[Floats]]] = []
    problems = [
        Problem(key, "it is not in the snapshots of all recipes; run steam-dino build for each", key)
        for key in sorted(set().union(*(reader.ids for reader in readers)) - shared)
    ]
    for done, (game, look) in enumerate(zip(games, each(_look, games, threads), strict=True), 1):
        if isinstance(look, str):
            problems.append(Problem(game.id, look, game.id))
        else:
            kept.append(game)
            seen.append(look)
        if progress:
            progress(done, len(games))
    if len(kept) < 2:
        why = f" ({problems[0].where}: {problems[0].reason})" if problems else ""
        raise SnapshotError(
            f"{len(kept)} games are left to compare recipes on, and it takes two{why}; add pictures and run:"
            " steam-dino build"
        )
    wanted = {game.id for game in kept}
    recipes = [
        of_recipe(
            reader,
            np.array([row for row, key in enumerate(reader.ids) if key in wanted]),
            precision=precision,
        )
        for reader in readers
    ]
    baselines = [
        of_baseline(name, np.stack([vectors[n] for _, vectors in seen])) for n, name in enumerate(BASELINES)
    ]
    hashes = np.stack([bits for bits, _ in seen])
    return Collection(tuple(kept), hashes, (*recipes, *baselines), tuple(problems))


def _look(game: Game) -> tuple[Hashes, list[Floats]] | str:
    """Compute a picture's difference hash and baseline descriptors, or return why it cannot be read."""
    try:
        image = picture(game)
    except PictureError as error:
        return str(error)
    return difference_hash(image), [make(image) for make, _ in BASELINES.values()]
