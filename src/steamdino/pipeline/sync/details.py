"""Requests the details of apps in batches, one at a time, and commits each with its outcomes."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence

from steamdino.catalogue.steam.app_types import GAME
from steamdino.catalogue.steam.replies import Item
from steamdino.catalogue.steam.web_api import Names, Place, SteamApi, TooMuchError, batches
from steamdino.gallery import Gallery
from steamdino.gallery.games import Source
from steamdino.gallery.layout import KINDS
from steamdino.gallery.steam_apps import FAILED, FOUND, HIDDEN, UNRELEASED
from steamdino.pipeline.sync.countries import Countries
from steamdino.pipeline.sync.missed_apps import MissedApps
from steamdino.pipeline.sync.sync_request import DETAILS, Report, SyncRequest
from steamdino.records import Entry

LEFT_OUT = 3
"""Replies that may omit an app before it counts as failed."""

UNNAMED = "N/A"


class Details:
    """Requests details until none are due."""

    def __init__(
        self,
        gallery: Gallery,
        api: SteamApi,
        source: Source,
        place: Place,
        countries: Countries,
        wanted: SyncRequest,
        counts: Counter[str],
        report: Report,
    ) -> None:
        self._gallery, self._api, self._source, self._place = gallery, api, source, place
        self._countries, self._wanted, self._counts, self._report = countries, wanted, counts, report
        self._foreign = gallery.games.foreign(source)
        self._types = {GAME, *wanted.include}
        self._named: set[int] = set()
        self._missed = MissedApps(gallery, wanted)
        self._names: Names | None = None
        self._done = 0

    @property
    def kept(self) -> int:
        """Return how many apps the list should have named and did not: the store shows them."""
        return self._missed.kept

    def run(self, among: Sequence[int] | None) -> None:
        """Request the details that are due for some apps, or all; for hidden apps from one country after another."""
        self._named = self._gallery.steam_apps.named()
        self._missed.load()
        for turn in self._countries.turns:
            while due := self._gallery.steam_apps.due_apps(among, turn=turn):
                total = self._done + len(due)
                for country, appids in self._countries.at(turn, due).items():
                    self._request(appids, country, turn, total)

    def _request(self, appids: Sequence[int], country: str, turn: int, total: int) -> None:
        queue = deque(batches(appids, self._place))
        while queue:
            batch = queue.popleft()
            try:
                found = self._ask(batch, country)
            except TooMuchError as error:
                self._halve(batch, queue, error)
                continue
            self._commit(batch, found, country, turn)
            self._report(DETAILS, self._done, total)

    def _ask(self, batch: Sequence[int], country: str) -> dict[int, Item]:
        if self._names is None:
            self._names = self._api.names()
        self._counts["details"] += len(batch)
        return self._api.items(batch, self._names, country=country)

    def _halve(self, batch: list[int], queue: deque[list[int]], error: TooMuchError) -> None:
        if len(batch) > 1:
            middle = len(batch) // 2
            queue.extendleft((batch[middle:], batch[:middle]))
            return
        with self._gallery.transaction():
            self._gallery.steam_apps.put_outcome(batch[0], FAILED, str(error))
        self._counts["failed"] += 1
        self._done += 1

    def _commit(self, batch: Sequence[int], found: dict[int, Item], country: str, turn: int) -> None:
        with self._gallery.transaction():
            for appid in batch:
                if appid in found:
                    self._take(found[appid], country, turn)
            absent = [appid for appid in batch if appid not in found]
            failed = self._gallery.steam_apps.put_tries(absent, LEFT_OUT) if absent else []
        self._counts["failed"] += len(failed)
        self._done += len(batch) - len(absent) + len(failed)

    def _take(self, item: Item, country: str, turn: int) -> None:
        apps, assets, game_id = self._gallery.steam_apps, self._gallery.steam_assets, str(item.appid)
        if self._missed.vanish(item, last=not self._countries.after(turn)):
            self._counts["vanished"] += 1
            return
        if not item.visible:
            # An app that is hidden in one country may be visible in another. What was known of the game stays.
            following = self._countries.after(turn)
            asked = country if following else " or ".join(self._countries.codes)
            apps.put_outcome(item.appid, HIDDEN, f"it is hidden, or not available in {asked}", turn=following)
            if item.appid not in self._missed:
                self._gallery.games.mark_present(self._gallery.games.from_stores([game_id]))
            self._counts["hidden"] += not following
            return
        if turn == 1:
            self._missed.keep(item)
        if owner := self._foreign.get(game_id):
            apps.put_outcome(
                item.appid,
                FAILED,
                f"the id belongs to the source {owner!r}; remove that, or add it with --prefix",
            )
            self._counts["failed"] += 1
            return
        type_name = item.columns["type"]
        if not (type_name in self._types or item.appid in self._named or game_id in self._gallery.games):
            apps.put_other_type(item.appid, type_name)
            self._counts["other type"] += 1
            return
        if self._wanted.released_only and item.columns.get("coming_soon"):
            apps.put_outcome(item.appid, UNRELEASED, "it is not released yet")
            self._counts["unreleased"] += 1
            return
        columns = {**item.columns, "country": country}
        self._gallery.games.put_game(
            self._source, Entry(game_id, item.name or UNNAMED, None, game_id, columns)
        )
        for kind in KINDS:
            if candidates := item.assets.get(kind):
                assets.put_candidates(
                    item.appid, kind, [(one.role, one.path, one.query) for one in candidates]
                )
            else:
                assets.drop(item.appid, kind)
        if item.unsafe and not item.assets:
            apps.put_outcome(
                item.appid, FAILED, f"the paths of its pictures lead elsewhere: {', '.join(item.unsafe)}"
            )
            self._counts["failed"] += 1
            return
        apps.put_outcome(item.appid, FOUND)
        self._counts["found"] += 1
