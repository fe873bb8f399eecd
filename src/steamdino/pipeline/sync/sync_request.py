"""What a run of `sync` is asked for, and what it comes to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from steamdino.gallery.layout import VERTICAL

LIST, DETAILS, BANNERS = "list", "details", "banners"

Report = Callable[[str, int, int], None]
"""Called with (stage, done, total); total 0 means that it is not known yet."""


@dataclass(frozen=True, slots=True)
class SyncRequest:
    """What to bring up to date.

    Attributes:
        appids: just these; None for the store's list.
        names: of apps, where a file that names them had some.
        include: besides games, of `catalogue.steam.web_api.INCLUDED`.
        released_only: leave out what is not released yet.
        top: the most played ones, so many; 0 for the whole list.
        limit: the first of the list, so many; 0 for all.
        kinds: of banner.
        retry_failed: try again what failed.
        full: read the whole list again, also if the last time was not long ago.
        allow_missing: go on where the list has lost most of its games.
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


@dataclass(frozen=True, slots=True)
class SyncSummary:
    """What a run came to.

    Attributes:
        counts: of this run: "new" apps, "details" asked for, "found", "hidden", "vanished", pictures that were
            "lost" from the gallery, "fetched", "unchanged", "missing", "failed".
        outcomes: of all apps that the gallery knows, by outcome.
        requests: that were sent.
        complete: False if the list said that it has more than could be seen.
    """

    counts: Counter[str]
    outcomes: dict[str, int]
    requests: int
    complete: bool
