"""Ranks a snapshot's games by their similarity to a query vector."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from steamdino.errors import UsageError
from steamdino.index.pair_cosines import rounding
from steamdino.index.snapshot_reader import SnapshotReader
from steamdino.index.vector_index import Neighbours
from steamdino.records import Filter, Match, Matches
from steamdino.search.cutoff import Cutoff
from steamdino.search.filter_masks import FilterMasks
from steamdino.search.query_vectors import QueryVector


class Ranking:
    """Ranks the games of one snapshot. Threads may share it."""

    def __init__(self, reader: SnapshotReader, masks: FilterMasks) -> None:
        self._reader = reader
        self._masks = masks

    def __call__(
        self, query: QueryVector, k: int, *, without: Iterable[int] = (), cutoff: Cutoff, only: Filter
    ) -> Matches:
        """Find the k games most similar to a query.

        Args:
            query: the query and its vector.
            k: maximum number of matches.
            without: rows that must not be found, besides the query's own.
            cutoff: the least that a match must have.
            only: which games may be found.

        Raises:
            UsageError: k is below 1.
            QueryError, SnapshotError: as for `FilterMasks.mask`.
        """
        if k < 1:
            raise UsageError(f"k is {k}; it must be at least 1")
        near, cosines = self._nearest(query, k, sorted({*query.rows, *without}), self._masks.mask(only))
        percentiles = self._percentiles(query, cosines)
        if cutoff:
            # Both fall from match to match, so those that pass come first.
            kept = int(np.count_nonzero(cutoff.passes(cosines, percentiles)))
            near, cosines, percentiles = near[:kept], cosines[:kept], percentiles[:kept]
        items = tuple(
            Match(rank, game.id, game.name, float(cosine), percentile, game.sha256 == query.sha256, game)
            for rank, (game, cosine, percentile) in enumerate(
                zip(self._reader.games(near.tolist()), cosines, percentiles, strict=True), 1
            )
        )
        return Matches(
            query.query,
            self._reader.manifest.recipe.name,
            items,
            self._masks.undated(only),
            None if query.query.has_words else self.chance,
        )

    def _nearest(
        self, query: QueryVector, k: int, exclude: Sequence[int], among: NDArray[np.bool_] | None
    ) -> Neighbours:
        """The k nearest rows to a query, from the list of its row if the index has one that is long enough."""
        index = self._reader.index
        wanted = k + len(exclude) - 1  # a row's list does not hold the row itself
        if query.row is None or wanted > index.listed:
            return index.nearest(query.vector, k, exclude=exclude, among=among)
        (rows,), (cosines,) = index.neighbours(wanted, rows=np.array([query.row]), among=among)
        kept = rows >= 0
        for row in exclude:
            kept &= rows != row
        return Neighbours(rows[kept][:k], cosines[kept][:k])

    @cached_property
    def chance(self) -> float | None:
        """The level of chance among all games; see `Distribution.chance`."""
        known = self._reader.manifest.similarity
        return None if known is None else known.chance(self._reader.manifest.games)

    def _percentiles(self, query: QueryVector, cosines: NDArray[np.float32]) -> list[float | None]:
        """The percentile of each match: among all pairs of banners, or, with words, among all games."""
        if query.query.has_words:
            # Sentences lie apart from pictures, so the cosines of banners are no measure for them.
            scores = np.sort(self._reader.index.scores(query.vector))
            # A game's own score may be a little lower than its cosine, and it is not less similar than itself.
            places = np.searchsorted(scores, cosines - np.float32(rounding(len(query.vector))))
            percentiles: list[float | None] = (100 * places / len(scores)).tolist()
            return percentiles
        known = self._reader.manifest.similarity
        return [None] * len(cosines) if known is None else [*known.percentiles(cosines)]
