"""Finds unique games, whose banners look like no other, and diverse sets, whose banners look unlike each other.

*Unique* games are far from all others: their nearest neighbours are the least similar. Several of them may still be of
a kind, such as white cards with a single word.

A *diverse* set is spread out: each next game is the one least similar to all that were chosen before (farthest-point
traversal; Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985). It covers the whole gallery,
including its ordinary regions.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from steamdino.analysis.neighbours_among import nearest_at_hand, neighbours_among
from steamdino.analysis.ranked_games import UniqueGame, UniqueGames
from steamdino.errors import UsageError
from steamdino.index.vector_index import Index
from steamdino.records import Filter, Progress
from steamdino.search import Snapshot

__all__ = ["UniqueGame", "UniqueGames", "diverse", "unique", "unique_at_hand"]

HELD = 1 << 22
"""Neighbours that are held in memory at a time, before they become one mean a game: 50 MB."""

NARROW = 4
"""Of so many games at least one must be allowed for a diverse set to be chosen without a copy of the vectors."""


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
    if len(rows) < 2:
        return UniqueGames(snapshot, rows)
    closest, cosines, similarities = _closest(snapshot.index, rows, k, progress)
    order = np.argsort(similarities, kind="stable")
    if below is not None:
        order = order[similarities[order] < below]
    order = order[:n]
    return UniqueGames(snapshot, rows[order], similarities[order], closest[order], cosines[order])


def unique_at_hand(snapshot: Snapshot, only: Filter, pairs: int) -> UniqueGames:
    """Rank all games as `unique` does, by their nearest neighbours, if that takes little time.

    Args:
        snapshot: the snapshot to search.
        only: which games count, as results and as neighbours.
        pairs: the maximum number of pairs of games to compare. Neighbours that the snapshot lists cost none.

    Raises:
        NotComputedError: more pairs would have to be compared.
    """
    rows = snapshot.rows(only)
    if len(rows) < 2:
        return UniqueGames(snapshot, rows)
    found = nearest_at_hand(snapshot.index, rows, pairs)
    order = np.argsort(found.cosines[:, 0], kind="stable")
    closest, cosines = found.rows[order, 0], found.cosines[order, 0]
    return UniqueGames(snapshot, rows[order], cosines, closest, cosines)


def _closest(
    index: Index, rows: NDArray[np.intp], k: int, progress: Progress | None
) -> tuple[NDArray[np.intp], NDArray[np.float32], NDArray[np.floating]]:
    """The nearest of each row among these rows, its cosine, and the mean cosine of the k nearest."""
    if k == 1:
        found, cosines = neighbours_among(index, 1, rows, progress=progress)
        return found[:, 0], cosines[:, 0], cosines[:, 0]
    closest, nearest = np.empty(len(rows), np.intp), np.empty(len(rows), np.float32)
    means = np.empty(len(rows), np.float64)
    size = max(1, HELD // k)
    for start in range(0, len(rows), size):
        block = slice(start, min(start + size, len(rows)))

        def report(done: int, _: int, start: int = start) -> None:
            if progress:
                progress(start + done, len(rows))

        of = None if size >= len(rows) else rows[block]
        found, cosines = neighbours_among(index, k, rows, of=of, progress=report)
        closest[block], nearest[block] = found[:, 0], cosines[:, 0]
        means[block] = cosines.mean(axis=1, dtype=np.float64)
    return closest, nearest, means


def diverse(
    snapshot: Snapshot,
    n: int | None = 250,
    *,
    below: float | None = None,
    only: Filter | None = None,
    leave_out: Iterable[str] = (),
    sample: int | None = None,
    progress: Progress | None = None,
) -> UniqueGames:
    """Choose a set of games, each as unlike all before it as possible, beginning with the most unusual one.

    Args:
        snapshot, only, leave_out, progress: as for `unique`.
        n: maximum number of games; None for all.
        below: stop when the next game's cosine to a game before it is not less than this.
        sample: choose among so many games, evenly spread over all; None for all.

    Raises:
        UsageError: a number is out of range.
    """
    _check(n, 1, below)
    rows = _rows(snapshot, only, leave_out)
    if sample is not None and sample < len(rows):
        rows = rows[np.linspace(0, len(rows) - 1, sample).astype(np.intp)]
    if not len(rows):
        return UniqueGames(snapshot, rows)
    index, places, among = snapshot.index, rows, np.empty(0, np.bool_)
    if NARROW * len(rows) < len(index):
        index, places = index.subset(rows), np.arange(len(rows))
    if len(places) < len(index):
        among = np.zeros(len(index), np.bool_)
        among[places] = True
    chosen, nearest, mates = _spread(index, among, len(rows) if n is None else n, below, progress)
    numbers = np.searchsorted(places, chosen)
    closest = np.array([numbers[mate] for mate in mates], np.intp)
    cosines = np.array(nearest, np.float32)
    return UniqueGames(snapshot, rows[numbers], cosines, rows[closest], cosines)


def _spread(
    index: Index, among: NDArray[np.bool_], most: int, below: float | None, progress: Progress | None
) -> tuple[list[int], list[float], list[int]]:
    """Choose rows by farthest-point traversal.

    Args:
        index: of n rows.
        among: bool, shape (n,): the rows to choose from; empty for all.
        most: maximum number of rows.
        below, progress: as for `diverse`.

    Returns:
        the rows, the cosine of each to the nearest before it (NaN for the first), and the place of that one.
    """
    most = min(most, int(np.count_nonzero(among)) if len(among) else len(index))
    # The most unusual one is the farthest from the mean of all.
    nearest = index.scores(_mean(index.vectors, among))
    _hide(nearest, among)
    new = int(np.argmin(nearest))
    nearest, mate = index.scores(index.vectors[new]), np.zeros(len(index), np.int32)
    _hide(nearest, among)
    chosen, cosines, mates = [new], [np.nan], [0]
    while len(chosen) < most:
        nearest[chosen[-1]] = np.inf
        new = int(np.argmin(nearest))
        if below is not None and nearest[new] >= below:
            break
        cosines.append(float(np.clip(nearest[new], -1, 1)))
        mates.append(int(mate[new]))
        scores = index.scores(index.vectors[new])
        closer = scores > nearest
        nearest[closer], mate[closer] = scores[closer], len(chosen)
        chosen.append(new)
        if progress:
            progress(len(chosen), most)
    return chosen, cosines, mates


def _mean(vectors: NDArray[np.float32], among: NDArray[np.bool_]) -> NDArray[np.float32]:
    """The mean of all vectors, or of those that a mask lets through, computed without a copy of them."""
    if not len(among):
        mean: NDArray[np.float32] = vectors.mean(axis=0)
        return mean
    return (among.astype(np.float32) @ vectors) / np.float32(among.sum())


def _hide(scores: NDArray[np.float32], among: NDArray[np.bool_]) -> None:
    """Make sure that no row is chosen that a mask does not let through."""
    if len(among):
        scores[~among] = np.inf


def _check(n: int | None, k: int, below: float | None) -> None:
    if n is not None and n < 1:
        raise UsageError(f"-n is {n}; it must be at least 1")
    if k < 1:
        raise UsageError(f"-k is {k}; it must be at least 1")
    if below is not None and not -1 <= below <= 1:
        raise UsageError(f"--below is {below}; a similarity is from -1 to 1")


def _rows(snapshot: Snapshot, only: Filter | None, leave_out: Iterable[str]) -> NDArray[np.intp]:
    rows = snapshot.rows(only)
    out = [row for key in set(leave_out) if (row := snapshot.row(key)) is not None]
    return rows if not out else rows[~np.isin(rows, out)]
