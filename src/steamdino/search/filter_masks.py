"""Which rows of a snapshot a filter allows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from steamdino.errors import QueryError
from steamdino.index.snapshot_reader import SnapshotReader
from steamdino.records import Filter
from steamdino.search.lru_cache import LruCache
from steamdino.search.tag_hints import unknown_tags

MASKS = 64
"""Filters whose masks are kept."""


class FilterMasks:
    """The masks of the filters that were used last. Threads may share it; the masks are read-only."""

    def __init__(self, reader: SnapshotReader) -> None:
        self._reader = reader
        self._kept: LruCache[Filter, NDArray[np.bool_] | None] = LruCache(MASKS)
        self._undated: LruCache[Filter, int] = LruCache(MASKS)

    def mask(self, only: Filter) -> NDArray[np.bool_] | None:
        """Find the rows that a filter allows: bool, shape (games,); None for all rows.

        Raises:
            QueryError: no game has one of its tags.
            SnapshotError: an older program built the snapshot, without filters.
        """

        def look_up() -> NDArray[np.bool_] | None:
            mask = self._reader.allowed(only)
            if mask is not None and not mask.any():
                self._check_tags(only)
            if mask is not None:
                mask.flags.writeable = False  # all threads get the same array
            return mask

        return self._kept.get(only, look_up)

    def rows(self, only: Filter) -> NDArray[np.intp]:
        """Find the rows that a filter allows, rising. Raises the same as `mask`."""
        mask = self.mask(only)
        return np.arange(self._reader.manifest.games) if mask is None else np.flatnonzero(mask)

    def undated(self, only: Filter) -> int:
        """Count the games that a filter excludes only because their release date is unknown; 0 if it needs no date.

        Raises:
            QueryError, SnapshotError: as for `mask`.
        """
        self.mask(only)  # refuses what cannot be filtered by
        if not (only.released_from or only.released_to):
            return 0
        return self._undated.get(only, lambda: self._reader.undated(only))

    def _check_tags(self, only: Filter) -> None:
        """Refuse a tag that no game has, since it may be mistyped."""
        known = self._reader.tags()
        for tag, near in unknown_tags(only.tags, known).items():
            hint = (
                f"did you mean: {', '.join(near)}"
                if near
                else f"there are: {', '.join(known[:10]) or 'none'}"
            )
            raise QueryError(f"no game has the tag {tag!r}; {hint}")
