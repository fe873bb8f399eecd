"""Lists over a whole served snapshot: unique games, games to open with, duplicates and changes."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from steamdino.analysis.audit import taken_from
from steamdino.analysis.changes import Changes
from steamdino.analysis.neighbours_among import check_listed
from steamdino.analysis.opening import opening
from steamdino.analysis.period import Period
from steamdino.analysis.unique import UniqueGames, unique_at_hand
from steamdino.errors import NotComputedError
from steamdino.gallery.curation import Decision
from steamdino.pipeline.duplicate_groups import Duplicates, FoundDuplicates
from steamdino.pipeline.duplicate_search import find_duplicates
from steamdino.present.web.concurrency import WorkLimits
from steamdino.present.web.kept_results import KeptResults
from steamdino.present.web.served_gallery import NotServedError, ServedGallery
from steamdino.present.web.timing import stage
from steamdino.records import Filter, Game
from steamdino.search import Snapshot
from steamdino.settings import DuplicateSettings

PAIRS = 8_000**2
"""Pairs of games that a request may compare: those of 8,000 games, which takes 0.8 s on one core."""


class ServedLists:
    """The lists of one served snapshot. Threads may share it."""

    def __init__(
        self, snapshot: Snapshot, gallery: ServedGallery, results: KeptResults, work: WorkLimits
    ) -> None:
        self._snapshot, self._gallery, self._results, self._work = snapshot, gallery, results, work
        self._grouping = threading.Lock()
        self._decided: tuple[list[Decision], list[Duplicates]] | None = None

    def unique(self, only: Filter) -> UniqueGames:
        """Return the games that a filter allows, the most unique first.

        Their ranks are those among all games that the filter does not hide, whatever its conditions are.

        Raises:
            NotComputedError: the snapshot does not list the neighbours of its games, and has too many to compare them.
            BusyError: they are being computed, and too many requests are waiting already.
            QueryError: no game has one of the tags.
        """
        compared = only.without_conditions
        found: UniqueGames = self._results.once_slowly(
            f"unique {compared.hides}", lambda: self._ranked(compared)
        )
        return found if only == compared else found.among(self._snapshot.rows(only))

    def _ranked(self, only: Filter) -> UniqueGames:
        try:
            return unique_at_hand(self._snapshot, only, PAIRS)
        except NotComputedError:
            if self._gallery.folder is not None:
                raise
            raise NotComputedError(
                f"the neighbours of so many games ({len(self._snapshot):,}) are not listed for a packed snapshot, and"
                " to search for them takes long; run: steam-dino unique --snapshot FILE"
            ) from None

    def varied(self, n: int) -> list[Game]:
        """Return games that differ from each other, for the home page; none with a blank banner leads."""
        found: list[Game] = self._results.once(
            f"varied {n}", lambda: opening(self._snapshot, n, self._gallery.folder)
        )
        return found

    def duplicates(self, only: Filter, *, of: str = "") -> list[Duplicates]:
        """Return groups of games with duplicate banners, under all decisions that were made until now.

        Args:
            only: conditions of which a game of each group meets all; without any, all groups.
            of: the id of a game that the groups have; empty for all groups.

        Raises:
            NotServedError: a packed snapshot is served, which has no pictures.
            NotComputedError: too many games, or their pictures, would have to be compared in this request.
            BusyError: they are being computed, and too many requests are waiting already.
            QueryError: no game has one of the tags.
        """
        found = [
            one for one in self._grouped() if not of or any(of == member.game_id for member in one.members)
        ]
        if only == only.without_conditions:
            return found
        ids = self._snapshot.ids
        allowed = {ids[row] for row in self._snapshot.rows(only)}
        return [one for one in found if any(member.game_id in allowed for member in one.members)]

    def _grouped(self) -> list[Duplicates]:
        if self._gallery.folder is None:
            raise NotServedError(
                "duplicates need a gallery's pictures, but this server serves a packed snapshot"
            )
        found: FoundDuplicates = self._results.once_slowly(
            "duplicates", partial(self._paired, self._gallery.folder)
        )
        with self._gallery.open() as opened, self._grouping:
            decisions = list(opened.curation.decisions())
            if self._decided is None or self._decided[0] != decisions:
                self._decided = (decisions, found.groups(opened))
            return self._decided[1]

    def _paired(self, gallery: Path) -> FoundDuplicates:
        known = self._snapshot.manifest.similarity
        check_listed(self._snapshot.index, taken_from(known.usual["pairs"] if known else 0.0), PAIRS)
        try:
            return find_duplicates(
                gallery,
                self._snapshot.recipe.hash,
                thresholds=DuplicateSettings.load({}),
                stored_only=True,
            )
        except NotComputedError:  # its message names the gallery's folder
            raise NotComputedError(
                "not all pictures that look alike were compared yet; run: steam-dino check"
            ) from None

    @contextmanager
    def changes(self, period: Period, only: Filter, whats: Sequence[str]) -> Iterator[Changes]:
        """Find what changed; pages can be read within the block. It must not be called in the event loop.

        Raises:
            NotServedError: a packed snapshot, or one without its gallery, is served.
            BusyError: too many requests are waiting already.
            QueryError, UsageError: as for `Changes`.
        """
        with self._work.reading(), stage("search"), self._gallery.open() as opened:
            yield Changes(opened, self._snapshot, period, only=only, whats=whats)
