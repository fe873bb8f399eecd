"""Decides what became of the apps that a whole reading of the list missed: the store is asked about each of them.

A list proves nothing by what it lacks: a page can be short, or a list can end early. So the store decides:

=================================================  ===================================================================
what the store says of a missed app                what becomes of it
=================================================  ===================================================================
its details, in the country of the list            It stays, and the list was incomplete, unless the whole reading
                                                   before missed it, too: then Steam's lists do not have it.
its details, in another country alone              it stays
that it is delisted                                It stays, with the column `delisted`. Lists do not have it.
refusals everywhere, of an app that it showed      it vanishes
refusals everywhere, as before                     It stays hidden, and vanishes if the next whole reading misses it,
                                                   too. Steam refuses hidden apps and apps that do not exist alike.
nothing, or a failure                              it stays, and has failed
=================================================  ===================================================================
"""

from __future__ import annotations

from typing import Any

from steamdino.catalogue.steam import app_types
from steamdino.catalogue.steam.app_types import GAME
from steamdino.catalogue.steam.replies import Item
from steamdino.gallery import Gallery
from steamdino.gallery.steam_apps import FOUND, UNRELEASED, VANISHED
from steamdino.pipeline.sync.sync_request import SyncRequest


class MissedApps:
    """The apps that the last whole reading of the list missed, and whose details are due.

    Call the methods that write inside `Gallery.transaction`.
    """

    def __init__(self, gallery: Gallery, wanted: SyncRequest) -> None:
        self._gallery, self._wanted = gallery, wanted
        self._reading: dict[str, Any] = {}
        self._apps: dict[int, tuple[int, str]] = {}
        self.kept = 0
        """Number of apps that the list should have named: the store shows them."""

    def load(self) -> None:
        """Find the apps that were missed, after a reading."""
        self._reading = self._gallery.steam_apps.state("swept") or {"sweep": 0, "include": []}
        unrequested = app_types.unrequested(self._reading["include"])
        self._apps = self._gallery.steam_apps.missed(self._reading["sweep"], unrequested)

    def __contains__(self, appid: int) -> bool:
        return appid in self._apps

    def vanish(self, item: Item, *, last: bool) -> bool:
        """Mark an app as vanished if it was missed and the store confirms that it is not there; return whether it did.

        Args:
            item: its details.
            last: whether they are from the last country to ask.
        """
        if item.appid not in self or item.visible or not last:
            return False
        _, before = self._apps[item.appid]
        if not self._twice(item.appid) and before not in _SHOWN:
            return False
        reason = "the list no longer has it, and its details are refused"
        self._gallery.steam_apps.put_outcome(item.appid, VANISHED, reason)
        # The same id may be that of a game in a folder, which is still there.
        self._gallery.games.mark_gone(self._gallery.games.from_stores([str(item.appid)]))
        return True

    def keep(self, item: Item) -> None:
        """Record that the store shows an app in the country of the list.

        If the list should have named it, the next run reads the whole list again.
        """
        if item.appid not in self:
            return
        expected = not self._twice(item.appid) and self._belongs_to_list(item)
        del self._apps[item.appid]
        if expected:
            self.kept += 1
            self._reading["at"] = 0
            self._gallery.steam_apps.put_state("swept", self._reading)

    def _twice(self, appid: int) -> bool:
        """Return whether the whole reading before missed the app, too."""
        seen, _ = self._apps[appid]
        previous: int = self._reading.get("previous", 0)
        return seen < previous

    def _belongs_to_list(self, item: Item) -> bool:
        unreleased = self._wanted.released_only and item.columns.get("coming_soon")
        listed = item.columns.get("type") in (GAME, *self._reading["include"]) and not item.columns.get(
            "delisted"
        )
        return listed and not unreleased


_SHOWN = (FOUND, UNRELEASED, VANISHED)
"""Outcomes after which a refusal is news, or confirms what is known."""
