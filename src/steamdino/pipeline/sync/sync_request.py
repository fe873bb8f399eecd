"""The request and the summary of a run of `sync`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from steamdino.gallery.layout import VERTICAL

LIST, DETAILS, BANNERS = "list", "details", "banners"

Report = Callable[[str, int, int], None]
"""Called with (stage, done, total); a total of 0 means that it is not known yet."""


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """What to bring up to date.

    Attributes:
        appids: just these; None for the store's list.
        names: of apps, from a file that has names.
        include: types of apps besides games, of `catalogue.steam.app_types.INCLUDABLE`. Apps in `appids` are kept
            whatever their types are.
        released_only: skip games that are not released yet.
        top: number of the most played games to request; 0 for the whole list.
        limit: number of games from the beginning of the list; 0 for all.
        kinds: of banner.
        retry_failed: try failed apps and pictures again.
        full: read the whole list and all details again, even if that was done recently.
        allow_missing: continue if most games are missing from the list.
        keep_old: keep the pictures that are replaced, for the record of changes.
    """

    appids: tuple[int, ...] | None = None
    names: dict[int, str] = field(default_factory=dict)
    include: tuple[str, ...] = ()
    released_only: bool = False
    top: int = 0
    limit: int = 0
    kinds: tuple[str, ...] = (VERTICAL,)
    retry_failed: bool = False
    full: bool = False
    allow_missing: bool = False
    keep_old: bool = False

    @property
    def is_whole(self) -> bool:
        """Return whether this is about all games of the store."""
        return self.appids is None and not self.top and not self.limit


@dataclass(frozen=True, slots=True)
class SyncSummary:
    """The result of a run.

    Attributes:
        counts: of this run: "new" apps, "details" requested, "found", "hidden", "other type", "vanished", "kept"
            although the list lacks them, pictures that were "lost" from the gallery, "fetched", "unchanged",
            "missing", "failed".
        outcomes: number of all apps that the gallery knows, by outcome.
        other_types: number of all apps that were left out for their types, by type.
        requests: number of requests sent.
        complete: False if the list ended early, claims to have more games than could be read, or lacks games that the
            store shows.
    """

    counts: Counter[str]
    outcomes: dict[str, int]
    other_types: dict[str, int]
    requests: int
    complete: bool
