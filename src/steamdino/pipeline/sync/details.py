"""Requests the details of apps in batches, one at a time, and commits each with its outcomes."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence

from steamdino.catalogue.steam.replies import Item
from steamdino.catalogue.steam.web_api import Names, Place, SteamApi, TooMuchError, batches
from steamdino.gallery import Gallery
from steamdino.gallery.games import Source
from steamdino.gallery.layout import KINDS
from steamdino.gallery.steam_apps import FAILED, FOUND, HIDDEN, UNRELEASED
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
        elsewhere: str,
        wanted: SyncRequest,
        counts: Counter[str],
        report: Report,
    ) -> None:
        self._gallery, self._api, self._source, self._place = gallery, api, source, place
        self._elsewhere, self._wanted, self._counts, self._report = elsewhere, wanted, counts, report
        self._foreign = gallery.games.foreign(source)
        self._missed = MissedApps(gallery, wanted)
        self._names: Names | None = None
        self._done = 0

    @property
    def kept(self) -> int:
        """Return how many apps the list should have named and did not: the store shows them."""
        return self._missed.kept

    def run(self, among: Sequence[int] | None) -> None:
        """Request the details that are due for some apps, or all; for hidden apps once more from another country."""
        for elsewhere in (False, True):
            while due := self._gallery.steam_apps.due_apps(among, elsewhere=elsewhere):
                queue = deque(batches(due, self._place))
                total = self._done + len(due)
                while queue:
                    batch = queue.popleft()
                    try:
                        found = self._ask(batch, elsewhere)
                    except TooMuchError as error:
                        self._halve(batch, queue, error)
                        continue
                    self._commit(batch, found, elsewhere)
                    self._report(DETAILS, self._done, total)

    def _ask(self, batch: Sequence[int], elsewhere: bool) -> dict[int, Item]:
        if self._names is None:
            self._names = self._api.names()
        self._counts["details"] += len(batch)
        return self._api.items(batch, self._names, country=self._elsewhere if elsewhere else None)

    def _halve(self, batch: list[int], queue: deque[list[int]], error: TooMuchError) -> None:
        if len(batch) > 1:
            middle = len(batch) // 2
            queue.extendleft((batch[middle:], batch[:middle]))
            return
        with self._gallery.transaction():
            self._gallery.steam_apps.put_outcome(batch[0], FAILED, str(error))
        self._counts["failed"] += 1
        self._done += 1

    def _commit(self, batch: Sequence[int], found: dict[int, Item], elsewhere: bool) -> None:
        with self._gallery.transaction():
            for appid in batch:
                if appid in found:
                    self._take(found[appid], elsewhere)
            absent = [appid for appid in batch if appid not in found]
            failed = self._gallery.steam_apps.put_tries(absent, LEFT_OUT) if absent else []
        self._counts["failed"] += len(failed)
        self._done += len(batch) - len(absent) + len(failed)

    def _take(self, item: Item, elsewhere: bool) -> None:
        apps, assets, game_id = self._gallery.steam_apps, self._gallery.steam_assets, str(item.appid)
        if self._missed.vanish(item, elsewhere=elsewhere):
            self._counts["vanished"] += 1
            return
        if not item.visible:
            # An app that is hidden in one country may be visible in another. What was known of the game stays.
            apps.put_outcome(
                item.appid, HIDDEN, "it is hidden, or not for this country", elsewhere=not elsewhere
            )
            if item.appid not in self._missed:
                self._gallery.games.mark_present(game_id)
            self._counts["hidden"] += elsewhere
            return
        if not elsewhere:
            self._missed.keep(item)
        if owner := self._foreign.get(game_id):
            apps.put_outcome(
                item.appid,
                FAILED,
                f"the id belongs to the source {owner!r}; remove that, or add it with --prefix",
            )
            self._counts["failed"] += 1
            return
        if self._wanted.released_only and item.columns.get("coming_soon"):
            apps.put_outcome(item.appid, UNRELEASED, "it is not released yet")
            self._counts["unreleased"] += 1
            return
        self._gallery.games.put_game(
            self._source, Entry(game_id, item.name or UNNAMED, None, game_id, item.columns)
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
