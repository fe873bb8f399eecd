"""Counts games by what filters ask for: how many of those that a filter allows also have a tag, a year and so on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from steamdino.index.facet_columns import FacetColumns
from steamdino.index.snapshot_reader import SnapshotReader
from steamdino.records import HIDDEN_COLUMNS, Filter
from steamdino.search.filter_masks import FilterMasks
from steamdino.search.lru_cache import LruCache

REVIEWS = (10, 100, 1_000, 10_000, 100_000)
"""Numbers of reviews that games are counted by."""

KEPT = 64
"""Filters whose counts are kept."""


@dataclass(frozen=True, slots=True)
class FacetCounts:
    """How many games a filter allows, by facet. Values that none of them has are missing.

    Attributes:
        games: all of them.
        tags: by tag in lower case, the most frequent first.
        years: by year of release, rising.
        reviews: by least number of reviews, rising.
        free, upcoming: free games, and games that are not released yet.
        early_access: games that are or were in early access.
        hidden: how many more games there would be if the filter included those of a column of `HIDDEN_COLUMNS`.
    """

    games: int
    tags: dict[str, int]
    years: dict[int, int]
    reviews: dict[int, int]
    free: int
    upcoming: int
    early_access: int
    hidden: dict[str, int]


@dataclass(frozen=True, slots=True)
class KnownFacets:
    """By what any game of a snapshot can be filtered.

    Attributes:
        tags, released, early_access, upcoming, reviews, free: whether any game has one.
        hidden: the columns of `HIDDEN_COLUMNS` that hide any game.
    """

    tags: bool
    released: bool
    early_access: bool
    upcoming: bool
    reviews: bool
    free: bool
    hidden: tuple[str, ...]

    def __bool__(self) -> bool:
        return any(
            (
                self.tags,
                self.released,
                self.early_access,
                self.upcoming,
                self.reviews,
                self.free,
                self.hidden,
            )
        )


class FilterCounts:
    """Counts the games of one snapshot. Threads may share it. The first call reads the facets of all games."""

    def __init__(self, reader: SnapshotReader, masks: FilterMasks) -> None:
        self._reader = reader
        self._masks = masks
        self._kept: LruCache[Filter, FacetCounts] = LruCache(KEPT)

    @property
    def known(self) -> KnownFacets:
        """By what games can be filtered."""
        columns = self._reader.facet_columns
        return KnownFacets(
            bool(columns.tags),
            bool(columns.years.any()),
            bool(columns.early_access.any()),
            bool(columns.flags["upcoming"].any()),
            bool(columns.reviews.any()),
            bool(columns.flags["free"].any()),
            tuple(name for name in HIDDEN_COLUMNS if columns.flags[name].any()),
        )

    def __call__(self, only: Filter) -> FacetCounts:
        """Count the games that a filter allows.

        Raises:
            QueryError, SnapshotError: as for `FilterMasks.mask`.
        """
        return self._kept.get(only, lambda: self._counted(only))

    def ranked(self, only: Filter) -> NDArray[np.intp]:
        """List the rows that a filter allows, the most reviewed first.

        Raises:
            QueryError, SnapshotError: as for `FilterMasks.mask`.
        """
        rows = self._masks.rows(only)
        return rows[np.argsort(-self._reader.facet_columns.reviews[rows], kind="stable")]

    def _counted(self, only: Filter) -> FacetCounts:
        columns, rows = self._reader.facet_columns, self._masks.rows(only)
        mask = np.zeros(self._reader.manifest.games, np.bool_)
        mask[rows] = True
        reviews = columns.reviews[rows]
        hidden = {}
        for name in HIDDEN_COLUMNS:
            if not getattr(only, name) and columns.flags[name].any():
                included: dict[str, bool] = {name: True}
                hidden[name] = len(self._masks.rows(replace(only, **included))) - len(rows)  # type: ignore[arg-type]
        return FacetCounts(
            len(rows),
            _by_tag(columns, mask),
            {
                year: number
                for year, number in enumerate(np.bincount(columns.years[rows]).tolist())
                if year and number
            },
            {least: number for least in REVIEWS if (number := int((reviews >= least).sum()))},
            int(columns.flags["free"][rows].sum()),
            int(columns.flags["upcoming"][rows].sum()),
            int(columns.early_access[rows].sum()),
            {name: number for name, number in hidden.items() if number},
        )


def _by_tag(columns: FacetColumns, mask: NDArray[np.bool_]) -> dict[str, int]:
    # The number of marked rows up to each place; bytes of a mask added up by `reduceat` would take longer.
    before = np.zeros(len(columns.tagged) + 1, np.int32)
    np.cumsum(mask[columns.tagged], out=before[1:])
    counts = before[columns.starts[1:]] - before[columns.starts[:-1]]
    order = np.argsort(-counts, kind="stable")
    return {columns.tags[place]: int(counts[place]) for place in order if counts[place]}
