"""Ranked games, each with the game closest to it: kept as numbers, and read when they are looked at."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from steamdino.records import Game
from steamdino.search import Snapshot

PAGE = 500
"""Games that are read at a time."""


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


class UniqueGames(Sequence[UniqueGame]):
    """Unique games, or a diverse set, in order of their ranks. Threads may share it.

    Only numbers are kept, some 12 bytes a game. The games themselves are read from the snapshot whenever they are
    looked at, a page at a time.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        rows: NDArray[np.integer],
        similarities: NDArray[np.floating] | None = None,
        closest: NDArray[np.integer] | None = None,
        closest_similarities: NDArray[np.float32] | None = None,
        *,
        ranks: NDArray[np.intp] | None = None,
    ) -> None:
        """Take rows of a snapshot in order of their ranks, and the rows that are closest to them.

        Args:
            snapshot: the snapshot that the rows are of.
            rows: integers, shape (m,).
            similarities: float, shape (m,); NaN for a game that has nothing to be compared with.
            closest: integers, shape (m,); any row where the similarity is NaN.
            closest_similarities: float32, shape (m,). Without any of these three, no game has anything to be compared
                with.
            ranks: intp, shape (m,), rising; None for 1 to m.
        """
        self._snapshot = snapshot
        self._rows = rows.astype(np.int32)
        nothing = np.full(len(rows), np.nan, np.float32)
        self._similarities = nothing if similarities is None else similarities
        self._closest = self._rows if closest is None else closest.astype(np.int32)
        self._closest_similarities = nothing if closest_similarities is None else closest_similarities
        self._ranks = ranks

    def among(self, rows: NDArray[np.intp]) -> UniqueGames:
        """Select those whose rows are given; they keep their ranks and what is closest to them."""
        allowed = np.zeros(len(self._snapshot), np.bool_)
        allowed[rows] = True
        kept = np.flatnonzero(allowed[self._rows])
        return UniqueGames(
            self._snapshot,
            self._rows[kept],
            self._similarities[kept],
            self._closest[kept],
            self._closest_similarities[kept],
            ranks=kept + 1 if self._ranks is None else self._ranks[kept],
        )

    def __repr__(self) -> str:
        return f"<UniqueGames: {len(self):,} games>"

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[UniqueGame]:
        for start in range(0, len(self), PAGE):
            yield from self._read(range(start, min(start + PAGE, len(self))))

    @overload
    def __getitem__(self, index: int) -> UniqueGame: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[UniqueGame, ...]: ...
    def __getitem__(self, index: int | slice) -> UniqueGame | tuple[UniqueGame, ...]:
        places = range(len(self))[index]
        return tuple(self._read(places)) if isinstance(places, range) else self._read([places])[0]

    def _read(self, places: Sequence[int]) -> list[UniqueGame]:
        at = list(places)
        games = iter(self._snapshot.games([*self._rows[at], *self._closest[at]]))
        own = [next(games) for _ in at]
        return [
            UniqueGame(place + 1 if self._ranks is None else int(self._ranks[place]), game, *compared)
            for place, game, compared in zip(at, own, self._compared(at, list(games)), strict=True)
        ]

    def _compared(
        self, at: Sequence[int], closest: Sequence[Game]
    ) -> Iterator[tuple[float | None, Game | None, float | None]]:
        for place, other in zip(at, closest, strict=True):
            similarity = float(self._similarities[place])
            if np.isnan(similarity):
                yield None, None, None
            else:
                yield similarity, other, float(self._closest_similarities[place])
