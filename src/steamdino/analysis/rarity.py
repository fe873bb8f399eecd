"""Measures how similar games are to their nearest neighbours, which tells how unusual a draft is among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steamdino.analysis.neighbours_among import neighbours_among
from steamdino.records import Filter
from steamdino.search import Snapshot
from steamdino.search.lru_cache import LruCache

COMPARED = 2000
"""Maximum number of games whose nearest neighbours are searched: enough for a percentile to a tenth of a point."""

KEPT = 64
"""Filters whose results are kept: some 8 KB each."""


@dataclass(frozen=True, slots=True)
class Rarity:
    """How similar some games are to their nearest neighbours.

    Attributes:
        games: number of games.
        closenesses: float32, rising: the cosines of a sample of them to their nearest neighbours; empty if there is
            only one game.
    """

    games: int
    closenesses: NDArray[np.float32]

    @property
    def usual(self) -> float | None:
        """The median cosine to the nearest neighbour; None if there is nothing to compare with."""
        return float(np.median(self.closenesses)) if len(self.closenesses) else None

    def percentile(self, cosine: float) -> float | None:
        """Compute how many percent of the games are closer to their nearest neighbour than a cosine."""
        if not len(self.closenesses):
            return None
        closer = len(self.closenesses) - np.searchsorted(self.closenesses, cosine, "right")
        return 100 * float(closer) / len(self.closenesses)


class Rarities:
    """The rarities of the games that filters allow; those asked for last are kept. Threads may share it."""

    def __init__(self, snapshot: Snapshot, *, without: Sequence[str] = (), sample: int = COMPARED) -> None:
        """Prepare it; nothing is computed yet.

        Args:
            snapshot: of the games.
            without: ids of games to ignore.
            sample: maximum number of games whose nearest neighbours are searched.
        """
        self._snapshot = snapshot
        self._out = [row for key in without if (row := snapshot.row(key)) is not None]
        self._sample = sample
        self._kept: LruCache[Filter, Rarity] = LruCache(KEPT)

    def among(self, only: Filter) -> Rarity:
        """Measure the games that a filter allows.

        Raises:
            QueryError: no game has one of its tags.
        """
        return self._kept.get(only, lambda: self._measured(only))

    def _measured(self, only: Filter) -> Rarity:
        rows = self._snapshot.rows(only)
        if self._out:
            rows = rows[~np.isin(rows, self._out)]
        if len(rows) < 2:
            return Rarity(len(rows), np.empty(0, np.float32))
        some = rows[np.linspace(0, len(rows) - 1, min(len(rows), self._sample)).astype(np.intp)]
        _, cosines = neighbours_among(self._snapshot.index, 1, rows, of=some)
        return Rarity(len(rows), np.sort(cosines[:, 0]))
