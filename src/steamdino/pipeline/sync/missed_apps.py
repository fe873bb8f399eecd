"""Decides what became of the apps that a whole reading of the list missed: the store is asked about each of them.

A list proves nothing by what it lacks: a page can be short, or a list can end early. So the store decides:

=================================================  ===================================================================
what the store says of a missed app                what becomes of it
=================================================  ===================================================================
its details, in the country of the list            It stays, and the list was incomplete, unless the whole reading
                                                   before missed it, too: then Steam's lists do not have it.
its details, in the other country alone            it stays
that it was delisted                               it vanishes
refusals everywhere, of an app that it showed      it vanishes
refusals everywhere, as before                     It stays hidden, and vanishes if the next whole reading misses it,
                                                   too. Steam refuses hidden apps and apps that do not exist alike.
nothing, or a failure                              it stays, and has failed
=================================================  ===================================================================
"""

from __future__ import annotations

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
        self._reading = gallery.steam_apps.state("swept") or {"sweep": 0}
        self._apps = gallery.steam_apps.missed(self._reading["sweep"])
        self.kept = 0
        """Number of apps that the list should have named: the store shows them."""

    def __contains__(self, appid: int) -> bool:
        return appid in self._apps

    def vanish(self, item: Item, *, elsewhere: bool) -> bool:
        """Mark an app as vanished if it was missed and the store confirms that it is not there; return whether it did.

        Args:
            item: its details.
            elsewhere: whether they are from the other country.
        """
        if item.appid not in self:
            return False
        _, before = self._apps[item.appid]
        refused = not item.visible and elsewhere
        if not item.unlisted and not (refused and (self._twice(item.appid) or before in _SHOWN)):
            return False
        reason = (
            "it was delisted" if item.unlisted else "the list no longer has it, and its details are refused"
        )
        self._gallery.steam_apps.put_outcome(item.appid, VANISHED, reason)
        self._gallery.games.mark_gone([str(item.appid)])
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
        return item.columns.get("type") in ("game", *self._reading["include"]) and not unreleased


_SHOWN = (FOUND, UNRELEASED, VANISHED)
"""Outcomes after which a refusal is news, or confirms what is known."""
