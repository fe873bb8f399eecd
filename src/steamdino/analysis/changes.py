"""What changed in a gallery in a period, and how similar the banners before and after are."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from steamdino.analysis.closest_older import closest_older
from steamdino.analysis.period import Period
from steamdino.appids import store_page_of
from steamdino.errors import UsageError
from steamdino.gallery import Gallery
from steamdino.gallery.history import ART, NEW, WHATS, ChangedGame, Event, Import
from steamdino.gallery.layout import VERTICAL
from steamdino.index.exact import ExactIndex
from steamdino.index.facets import allowed_among
from steamdino.records import EVERYTHING, Filter, Game, Match
from steamdino.search import Snapshot
from steamdino.storage.location import Location

NOT_BUILT = "its banner is not encoded yet; run: steam-dino build"
NO_BANNER = "it has no banner"
NEVER_ENCODED = "one of the two banners was never encoded under this recipe"
NO_OLDER = "no game that a search finds was there before"


@dataclass(frozen=True, slots=True)
class BannerVersion:
    """A banner that a game has or had.

    Attributes:
        sha256: of the picture's bytes.
        location: where the picture is stored; None if it is not kept.
    """

    sha256: str
    location: Location | None


@dataclass(frozen=True, slots=True)
class Change:
    """Something that happened to a game, with what the snapshot says about it.

    Attributes:
        what: one of `gallery.history.WHATS`.
        at: when the gallery noticed it: UTC, in ISO 8601 with whole seconds.
        game: as the gallery holds it now; its sha256 is empty if it has no banner.
        gone: whether its source no longer has it.
        before, after: the banner before and after a change of it; None where there was none, and for other changes.
        again: whether the game had the banner `after` once before.
        similarity: cosine of the two banners, -1 to 1; None if it is unknown.
        percentile: percentage of the snapshot's pairs of banners that are less similar; None if unknown.
        closest: of a new game, and of one that got its first banner: the most similar game that was there before.
        unknown: why there is neither a similarity nor a closest game where one belongs; else empty.
    """

    what: str
    at: str
    game: Game
    gone: bool
    before: BannerVersion | None = None
    after: BannerVersion | None = None
    again: bool = False
    similarity: float | None = None
    percentile: float | None = None
    closest: Match | None = None
    unknown: str = ""

    @property
    def day(self) -> str:
        """The day, in UTC: YYYY-MM-DD."""
        return self.at[:10]


@dataclass(frozen=True, slots=True)
class Day:
    """The changes of a day.

    Attributes:
        start: number of changes before them.
        count: how many they are.
        latest: the time of the last one.
    """

    start: int
    count: int
    latest: str


class Changes:
    """The changes of a period, the newest day first; within a day in the order of `WHATS`, the newest first.

    Only the page that is asked for is compared, so that a long list costs little.

    Attributes:
        period: the days.
        imports: many games that appeared at once, the newest first; they are not among the changes.
        counts: number of changes of each kind, before `whats` chose among them.
        recorded_from: from when banners and returns are recorded; a day or a time in UTC.
        latest: the time of the last change of all; None in an empty gallery.
    """

    def __init__(
        self,
        gallery: Gallery,
        snapshot: Snapshot | None,
        period: Period,
        *,
        kind: str = VERTICAL,
        only: Filter | None = None,
        whats: Sequence[str] = WHATS,
    ) -> None:
        """Find the changes.

        Args:
            gallery: open, as long as pages are read.
            snapshot: with the vectors; None if there is none, and then no similarity is known.
            period: the days.
            kind: of banner.
            only: which games; None for all that are not hidden. Of the closest games it only hides some.
            whats: which kinds of change, of `WHATS`.

        Raises:
            UsageError: there is no such kind of change.
            QueryError: no game has one of the filter's tags.
        """
        for what in whats:
            if what not in WHATS:
                raise UsageError(f"there is no kind of change {what!r}; there are: {', '.join(WHATS)}")
        self.period = period
        self._history, self._vectors = gallery.history, gallery.vectors
        self._snapshot, self._kind, self._only = snapshot, kind, only or Filter()
        self.recorded_from, self.latest = self._history.recorded_from, self._history.latest(kind)
        self.imports: list[Import] = self._history.imports(period.first, period.end, kind)
        found = self._allowed(self._history.events(period.first, period.end, kind, self.imports))
        self.counts = Counter(event.what for event in found)
        found = [event for event in reversed(found) if event.what in whats]
        found.sort(key=lambda event: (event.day, -WHATS.index(event.what)), reverse=True)
        self._events = found

    def __len__(self) -> int:
        return len(self._events)

    @property
    def mark(self) -> str:
        """A text that is another one whenever the list is another one."""
        return hashlib.sha256(repr(self._events).encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def days(self) -> dict[str, Day]:
        """Return the days on which something changed, the newest first."""
        found: dict[str, Day] = {}
        start = 0
        for day, same in groupby(self._events, key=lambda event: event.day):
            times = [event.at for event in same]
            found[day] = Day(start, len(times), max(times))
            start += len(times)
        return found

    def page(self, offset: int, k: int) -> list[Change]:
        """Return up to k changes, from an offset, compared with what was there before."""
        events = self._events[offset : offset + k]
        games = self._history.games({event.game_id for event in events}, self._kind)
        replaced = self._history.replaced(games, self._kind)
        contents = {sha256 for event in events for sha256 in (event.old_sha256, event.new_sha256) if sha256}
        places = self._history.pictures(contents)
        cosines = self._cosines(events)
        closest = self._closest(events)
        found = []
        for number, event in enumerate(events):
            game, cosine, near = games[event.game_id], cosines.get(number), closest.get(number)
            known = cosine is not None or near is not None
            found.append(
                Change(
                    event.what,
                    event.at,
                    _game(game),
                    game.gone,
                    _version(event.old_sha256, places),
                    _version(event.new_sha256, places),
                    bool(event.new_sha256)
                    and replaced.get((event.game_id, event.new_sha256 or ""), event.at) < event.at,
                    cosine,
                    None if cosine is None or not self._snapshot else self._snapshot.percentile(cosine),
                    near,
                    "" if known else self._why_unknown(event, game),
                )
            )
        return found

    def _allowed(self, events: list[Event]) -> list[Event]:
        if self._only == EVERYTHING:
            return events
        ids = list(dict.fromkeys(event.game_id for event in events))
        mask = allowed_among(self._history.columns(ids), self._only)
        passing = {key for key, is_allowed in zip(ids, mask, strict=True) if is_allowed}
        if not passing and self._only.tags and self._snapshot:
            self._snapshot.rows(self._only)  # reports a mistyped tag
        return [event for event in events if event.game_id in passing]

    def _cosines(self, events: Sequence[Event]) -> dict[int, float]:
        """The cosine of the banners before and after, by the event's place, where both have vectors."""
        import numpy as np

        pairs = {
            number: (event.old_sha256, event.new_sha256)
            for number, event in enumerate(events)
            if event.old_sha256 and event.new_sha256
        }
        key = self._vectors.recipe_key(self._snapshot.recipe) if self._snapshot else None
        if not pairs or key is None:
            return {}
        stored = self._vectors.stored(key, {sha256 for pair in pairs.values() for sha256 in pair if sha256})
        if not stored:
            return {}
        row_of = {sha256: row for row, sha256 in enumerate(stored)}
        # Stored vectors are rounded; a snapshot's have length 1 again.
        index = ExactIndex.build(np.stack([vector / np.linalg.norm(vector) for vector in stored.values()]))
        return {
            number: index.similarity(row_of[old], row_of[new])
            for number, (old, new) in pairs.items()
            if old in row_of and new in row_of
        }

    def _closest(self, events: Sequence[Event]) -> dict[int, Match]:
        """The most similar older game of each game that is new, or has its first banner, by the event's place."""
        wanted = {number: event for number, event in enumerate(events) if _is_first(event)}
        if not wanted or self._snapshot is None:
            return {}
        found = closest_older(
            self._snapshot,
            [(event.game_id, event.new_sha256, event.at) for event in wanted.values()],
            self._history.added(),
            self._only.without_conditions,
        )
        return {number: match for number, match in zip(wanted, found, strict=True) if match is not None}

    def _why_unknown(self, event: Event, game: ChangedGame) -> str:
        if event.what == ART and event.old_sha256:
            return NEVER_ENCODED if event.new_sha256 else ""
        if not _is_first(event):
            return ""
        if game.sha256 is None:
            return NO_BANNER
        row = self._snapshot.row(game.id) if self._snapshot else None
        return NO_OLDER if row is not None else NOT_BUILT


def _is_first(event: Event) -> bool:
    """Whether a game's banner is seen for the first time."""
    return event.what == NEW or (event.what == ART and event.old_sha256 is None)


def _game(known: ChangedGame) -> Game:
    place = known.location
    return Game(
        known.id,
        known.name,
        known.source,
        store_page_of(known.id, steam=known.steam),
        place.path if place else None,
        known.sha256 or "",
        json.loads(known.columns),
        place,
    )


def _version(sha256: str | None, places: Mapping[str, Location]) -> BannerVersion | None:
    return None if sha256 is None else BannerVersion(sha256, places.get(sha256))
