"""The most similar game that was in the gallery before another one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from steamdino.records import Filter, Game, Match
from steamdino.search import Snapshot

NEAR = 32
"""Neighbours that are looked at first. They are found for all games at once, and mostly an older one is among them."""


def closest_older(
    snapshot: Snapshot,
    games: Sequence[tuple[str, str | None, str]],
    added: Mapping[str, str],
    only: Filter | None = None,
) -> list[Match | None]:
    """Find for each game the most similar one that was there before a time.

    Args:
        snapshot: with the vectors.
        games: (id, sha256 of its banner at that time or None for the snapshot's, time: UTC in ISO 8601).
        added: when each game of the gallery appeared, by id, in the same form.
        only: which games may be found; None for all that are not hidden.

    Returns:
        a match for each; None if the snapshot does not hold the game with that banner, or holds no older game.
    """
    rows = [snapshot.row(key) for key, _, _ in games]
    shown = {row: game.sha256 for row, game in _games(snapshot, rows)}
    searched = [
        row if row is not None and sha256 in (None, shown[row]) else None
        for row, (_, sha256, _) in zip(rows, games, strict=True)
    ]
    distinct = np.array(sorted({row for row in searched if row is not None}), np.intp)
    if not len(distinct):
        return [None] * len(games)
    times = _times(added.get(key, "") for key in snapshot.ids)
    among = np.zeros(len(snapshot), np.bool_)
    among[snapshot.rows(only)] = True
    among &= ~np.isnat(times)
    near = snapshot.index.neighbours(NEAR, rows=distinct, among=among)
    place_of = {int(row): place for place, row in enumerate(distinct)}
    best: list[tuple[int, float] | None] = []
    for row, (_, _, at) in zip(searched, games, strict=True):
        if row is None:
            best.append(None)
            continue
        before = _times([at])[0]
        older = near.rows[place_of[row]]
        cosines = near.cosines[place_of[row]]
        fitting = np.flatnonzero((older >= 0) & (times[older] < before))
        if len(fitting):
            best.append((int(older[fitting[0]]), float(cosines[fitting[0]])))
            continue
        found, scores = snapshot.index.nearest(
            snapshot.vectors[row], 1, exclude=[row], among=among & (times < before)
        )
        best.append((int(found[0]), float(scores[0])) if len(found) else None)
    return _matches(snapshot, searched, best, shown)


def _matches(
    snapshot: Snapshot,
    searched: Sequence[int | None],
    best: Sequence[tuple[int, float] | None],
    shown: Mapping[int, str],
) -> list[Match | None]:
    others = dict(_games(snapshot, [one[0] if one else None for one in best]))
    return [
        Match(
            1,
            others[one[0]].id,
            others[one[0]].name,
            one[1],
            snapshot.percentile(one[1]),
            others[one[0]].sha256 == shown[row],
            others[one[0]],
        )
        if one is not None and row is not None
        else None
        for row, one in zip(searched, best, strict=True)
    ]


def _games(snapshot: Snapshot, rows: Iterable[int | None]) -> Iterator[tuple[int, Game]]:
    known = sorted({row for row in rows if row is not None})
    return zip(known, snapshot.games(known), strict=True)


def _times(texts: Iterable[str]) -> NDArray[np.datetime64]:
    """Timestamps as seconds; an empty one is not a time."""
    return np.array([text[:19] or "NaT" for text in texts], "datetime64[s]")
