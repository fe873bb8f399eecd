"""Finds unique games, whose banners look like no other, and diverse sets, whose banners look unlike each other.

*Unique* games are far from all others: their nearest neighbours are the least similar. Several of them may still be of
a kind, such as white cards with a single word.

A *diverse* set is spread out: each next game is the one least similar to all that were chosen before (farthest-point
traversal; Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985). It covers the whole gallery,
including its ordinary regions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from steamdino.errors import UsageError
from steamdino.index.vector_index import Index, Neighbours
from steamdino.records import Filter, Game, Progress
from steamdino.search import Snapshot


@dataclass(frozen=True, slots=True)
class UniqueGame:
    """A unique game, or a game of a diverse set.

    Attributes:
        rank: 1 for the first.
        game: the game.
        similarity: of a unique game, the mean cosine to its k nearest neighbours; in a diverse set, the cosine to the
            nearest game before it. None if there is nothing to compare with.
        closest: of a unique game, its nearest neighbour; in a diverse set, the nearest game before it.
        closest_similarity: the cosine to `closest`.
    """

    rank: int
    game: Game
    similarity: float | None
    closest: Game | None
    closest_similarity: float | None


@dataclass(frozen=True, slots=True)
class UniqueGames(Sequence[UniqueGame]):
    """Unique games, or a diverse set, in order of their ranks.

    Attributes:
        items: the games.
    """

    items: tuple[UniqueGame, ...]

    def __iter__(self) -> Iterator[UniqueGame]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    @overload
    def __getitem__(self, index: int) -> UniqueGame: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[UniqueGame, ...]: ...
    def __getitem__(self, index: int | slice) -> UniqueGame | tuple[UniqueGame, ...]:
        return self.items[index]


def unique(
    snapshot: Snapshot,
    n: int | None = 250,
    *,
    below: float | None = None,
    k: int = 1,
    only: Filter | None = None,
    leave_out: Iterable[str] = (),
    progress: Progress | None = None,
) -> UniqueGames:
    """Find the games whose nearest neighbours are least similar, the most unique first.

    Args:
        snapshot: the snapshot to search.
        n: maximum number of games; None for all.
        below: only games whose similarity is less than this.
        k: number of nearest neighbours whose mean cosine ranks a game.
        only: which games count, as results and as neighbours; None for all that are not hidden.
        leave_out: ids of games to ignore, such as copies of others.
        progress: called with (done, total).

    Raises:
        UsageError: a number is out of range.
    """
    _check(n, k, below)
    rows = _rows(snapshot, only, leave_out)
    found, cosines = _closest(snapshot.index, rows, k, progress)
    if not found.shape[1]:
        return UniqueGames(tuple(UniqueGame(1, game, None, None, None) for game in snapshot.games(rows)))
    similarity = cosines.mean(axis=1, dtype=np.float64)
    order = np.argsort(similarity, kind="stable")
    if below is not None:
        order = order[similarity[order] < below]
    order = order[:n]
    games = snapshot.games(rows[order])
    closest = snapshot.games(found[order, 0])
    return UniqueGames(
        tuple(
            UniqueGame(rank, game, float(similarity[at]), other, float(cosines[at, 0]))
            for rank, (at, game, other) in enumerate(zip(order, games, closest, strict=True), 1)
        )
    )


def _closest(index: Index, rows: NDArray[np.intp], k: int, progress: Progress | None) -> Neighbours:
    """The k nearest of some rows, among these rows."""
    if 2 * len(rows) > len(index):  # a subset would be searched without what makes the index fast
        among = np.zeros(len(index), np.bool_)
        among[rows] = True
        mask = None if among.all() else among
        return index.neighbours(min(k, len(rows) - 1), rows=rows, among=mask, progress=progress)
    found, cosines = index.subset(rows).neighbours(k, progress=progress)
    return Neighbours(rows[found], cosines)


def diverse(
    snapshot: Snapshot,
    n: int | None = 250,
    *,
    below: float | None = None,
    only: Filter | None = None,
    leave_out: Iterable[str] = (),
    progress: Progress | None = None,
) -> UniqueGames:
    """Choose a set of games, each as unlike all before it as possible, beginning with the most unusual one.

    Args:
        snapshot, only, leave_out, progress: as for `unique`.
        n: maximum number of games; None for all.
        below: stop when the next game's cosine to a game before it is not less than this.

    Raises:
        UsageError: a number is out of range.
    """
    _check(n, 1, below)
    rows = _rows(snapshot, only, leave_out)
    if not len(rows):
        return UniqueGames(())
    index = snapshot.index.subset(rows)
    # The most unusual game is the farthest from the mean of all.
    chosen = [int(np.argmin(index.scores(index.vectors.mean(axis=0))))]
    nearest, mate = index.scores(index.vectors[chosen[0]]), np.zeros(len(rows), np.intp)
    closest: list[tuple[int, float] | None] = [None]
    most = len(rows) if n is None else min(n, len(rows))
    while len(chosen) < most:
        nearest[chosen[-1]] = np.inf
        new = int(np.argmin(nearest))
        if below is not None and nearest[new] >= below:
            break
        closest.append((int(mate[new]), float(np.clip(nearest[new], -1, 1))))
        scores = index.scores(index.vectors[new])
        closer = scores > nearest
        nearest[closer], mate[closer] = scores[closer], len(chosen)
        chosen.append(new)
        if progress:
            progress(len(chosen), most)
    games = snapshot.games(rows[chosen])
    found = []
    for rank, (game, before) in enumerate(zip(games, closest, strict=True), 1):
        other, cosine = (games[before[0]], before[1]) if before else (None, None)
        found.append(UniqueGame(rank, game, cosine, other, cosine))
    return UniqueGames(tuple(found))


def _check(n: int | None, k: int, below: float | None) -> None:
    if n is not None and n < 1:
        raise UsageError(f"-n is {n}; it must be at least 1")
    if k < 1:
        raise UsageError(f"-k is {k}; it must be at least 1")
    if below is not None and not -1 <= below <= 1:
        raise UsageError(f"--below is {below}; a similarity is from -1 to 1")


def _rows(snapshot: Snapshot, only: Filter | None, leave_out: Iterable[str]) -> NDArray[np.intp]:
    rows = snapshot.rows(only)
    out = set(leave_out)
    if out:
        ids = snapshot.ids
        rows = np.array([row for row in rows if ids[row] not in out], np.intp)
    return rows
