"""Reads the list of apps page by page, and commits each page with the place where the list continues."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from steamdino.catalogue.steam import app_types
from steamdino.catalogue.steam.replies import App, Page
from steamdino.catalogue.steam.web_api import BY_ID, HIGHEST_ID, NEWEST, QUERIED, SteamApi
from steamdino.errors import BlockedError, NetworkError
from steamdino.gallery import Gallery
from steamdino.pipeline.missing import STEAM_SHARE, missing_from_steam
from steamdino.pipeline.sync.sync_request import LIST, Report, SyncRequest

SWEEP_DAYS = 30
"""After which the whole list is read again and all details are requested again."""

RECHECK_DAYS = 7
"""After which details of visible games without a banner are requested again."""

MARGIN = 86_400
"""Seconds by which two runs overlap, since Steam's clock may differ from ours."""

OVERLAP = 50
"""Games by which two pages overlap, since games at the edges of pages may be missing or repeated."""

PASSES = 3
"""Passes over a list whose pages have fewer games than the list claims to have."""

STALLS = 3
"""Requests for a page that is empty, does not lead further, or claims a much shorter list, before it is given up."""

NEWS = (NEWEST, HIGHEST_ID)
"""The orders in which new games come first, without a key. `NEWEST` finds games that were released, though their appIDs
may be years old; `HIGHEST_ID` finds games that were added without a release date, or with one in the future."""


class Listing:
    """One reading of a list of apps."""

    def __init__(
        self, gallery: Gallery, api: SteamApi, wanted: SyncRequest, counts: Counter[str], report: Report
    ) -> None:
        self._gallery, self._api, self._wanted = gallery, api, wanted
        self._counts, self._report = counts, report
        self._apps = gallery.steam_apps

    @property
    def is_new(self) -> bool:
        """Return whether this reads the store's list from its beginning, and does not continue an earlier reading."""
        return self._wanted.is_whole and self._interrupted() is None

    def run(self) -> tuple[list[int] | None, bool]:
        """Read the list, or as much of it as was requested.

        Returns:
            the appIDs that the run is about (None for all known ones), and whether the list was read to its end.
        """
        wanted = self._wanted
        if wanted.appids is not None:
            with self._gallery.transaction():
                self._apps.take_back(wanted.appids)
                self._apps.put_named(wanted.appids)
            return self._named(App(appid, wanted.names.get(appid)) for appid in wanted.appids), True
        if wanted.top:
            return self._named(App(appid) for appid in self._api.most_played()[: wanted.top]), True
        if wanted.limit:
            return self._first(wanted.limit)
        return None, self._all()

    def _named(self, apps: Iterable[App]) -> list[int]:
        found = list(apps)
        self._put(found, 0, due=True)
        self._report(LIST, len(found), len(found))
        return [app.appid for app in found]

    def _first(self, limit: int) -> tuple[list[int], bool]:
        found: dict[int, App] = {}
        after = total = stalls = 0
        while len(found) < limit and stalls < STALLS:
            if self._keyed:
                page = self._api.apps(after, self._wanted.include)
                after, ended = max(after, page.cursor or 0), page.cursor is None
            else:
                page = self._api.query(
                    len(found),
                    self._wanted.include,
                    min(QUERIED, limit),
                    released=self._wanted.released_only,
                )
                total = max(total, page.total or 0)
                ended = len(found.keys() | {app.appid for app in page.apps}) >= total
            new = {app.appid: app for app in page.apps if app.appid not in found}
            found |= new
            stalls = 0 if new else stalls + 1  # a page is requested only if it should have further games
            if new and ended:
                break
        chosen = list(found.values())[:limit]
        self._put(chosen, 0)
        self._report(LIST, len(chosen), len(chosen))
        return [app.appid for app in chosen], stalls < STALLS

    @property
    def _keyed(self) -> bool:
        return self._api.has_key and not app_types.only_queried(self._wanted.include)

    def _all(self) -> bool:
        state = self._interrupted() or self._begin()
        read = self._by_key if state["keyed"] else self._sweep if state["full"] else self._news
        complete = read(state)
        swept, unrequested = self._swept, app_types.unrequested(state["include"])
        if state["full"] and complete:
            self._check_missing(state["sweep"], swept["sweep"], unrequested)
            # An empty list that nothing contradicts yet is no list of Steam's either.
            complete = self._seen(state) > 0 or self._wanted.allow_missing
        with self._gallery.transaction():
            if not complete:
                # What was not read is found by reading the whole list next time.
                self._apps.put_state("swept", {**swept, "at": 0})
            elif state["full"]:
                self._apps.doubt(state["sweep"], unrequested)
                self._apps.put_state(
                    "swept",
                    {
                        "sweep": state["sweep"],
                        "previous": swept["sweep"],
                        "at": state["began"],
                        "include": state["include"],
                    },
                )
            if complete:
                self._apps.put_state("listed_at", state["began"])
            self._apps.put_state("list", None)
            # --full also repeats details that were requested a moment ago.
            again = _days_ago(-1 if self._wanted.full else SWEEP_DAYS)
            self._apps.make_due(again, max(again, _days_ago(RECHECK_DAYS)))
        return complete

    def _check_missing(self, sweep: int, previous: int, unrequested: Iterable[str]) -> None:
        """Raise an error if the list has lost many games: a server in trouble may answer with a short list."""
        unseen, had = self._apps.unseen(sweep, previous, unrequested)
        if self._wanted.allow_missing or not missing_from_steam(unseen, had):
            return
        with self._gallery.transaction():
            self._apps.put_state("list", None)  # the next run reads the list from its beginning
        raise NetworkError(
            f"Steam's list has {had - unseen:,} of the {had:,} games that it had, so nothing was marked as vanished."
            " Try again later; if they are really gone, run again with --allow-missing"
        )

    @property
    def _swept(self) -> dict[str, Any]:
        """The last whole reading of the list."""
        return self._apps.state("swept") or {"sweep": 0, "at": 0, "include": []}

    def _interrupted(self) -> dict[str, Any] | None:
        """Return where a reading stopped; None if there is none, or if it read another list than is wanted now."""
        state: dict[str, Any] | None = self._apps.state("list")
        if state is None:
            return None
        same = (state["keyed"], state["include"]) == (self._keyed, sorted(self._wanted.include))
        return state if same and state["full"] >= self._wanted.full else None

    def _begin(self) -> dict[str, Any]:
        swept, include, began = self._swept, sorted(self._wanted.include), int(time.time())
        full = (
            self._wanted.full
            or swept["include"] != include
            or began - swept["at"] > timedelta(days=SWEEP_DAYS).total_seconds()
        )
        listed_at = self._apps.state("listed_at") or 0
        return {
            "keyed": self._keyed,
            "full": full,
            # Each whole reading has a number of its own, so that no earlier one counts as part of it.
            "sweep": max(swept["sweep"], self._apps.last_sweep()) + 1 if full else swept["sweep"],
            "since": 0 if full else max(listed_at - MARGIN, 0),
            "after": 0,
            "pass": 1,
            "include": include,
            "began": began,
        }

    def _by_key(self, state: dict[str, Any]) -> bool:
        stalls = done = 0
        while True:
            page = self._api.apps(state["after"], state["include"], state["since"])
            leads = any(app.appid > state["after"] for app in page.apps)
            stuck = not leads or (page.cursor is not None and page.cursor <= state["after"])
            if stuck and (state["after"] or not state["since"]):
                # The page before said that there are more games, and a whole list has some in any case.
                stalls += 1
                if stalls >= STALLS:
                    return not state["after"]  # the caller judges an empty list
                continue
            stalls = 0
            done += len(page.apps)
            last = page.cursor is None
            self._page(page.apps, state, {"after": page.cursor or 0}, done=last)
            self._report(LIST, done, 0 if not last else done)
            if last:
                return not state["full"] or self._wanted.allow_missing or self._has_most(state)

    def _has_most(self, state: dict[str, Any]) -> bool:
        """Return whether a list that has no total is about as long as the list that has one."""
        seen, total = self._seen(state), 0
        try:
            for _ in range(STALLS):
                total = max(total, self._api.query(0, state["include"], 1).total or 0)
                if total >= seen * (1 - STEAM_SHARE):
                    break  # a number that is smaller than what was read is doubtful itself
        except BlockedError:
            raise
        except NetworkError:
            return True  # nothing contradicts the list
        return seen >= total * (1 - STEAM_SHARE)

    def _sweep(self, state: dict[str, Any]) -> bool:
        """Read the whole list without a key; return whether it has as many games as it claims to have."""
        while True:
            # A short first page divides the list into other pages in each pass.
            count = QUERIED if state["after"] else QUERIED // state["pass"]
            page = self._query(state, BY_ID, self._wanted.released_only, count)
            if page is None:
                return False
            total: int = state["total"]
            start = state["after"] + count - OVERLAP
            self._page(page.apps, state, {"after": start}, done=False)
            seen = self._seen(state)
            self._report(LIST, min(seen, total), total)
            if page.apps and start + OVERLAP < total:
                continue
            if seen >= total or state["pass"] >= PASSES:
                return seen >= total
            self._page((), state, {"after": 0, "pass": state["pass"] + 1, "total": 0}, done=False)

    def _news(self, state: dict[str, Any]) -> bool:
        """Read each list of `NEWS` down to the first page without news; return whether no page was missing.

        News are the apps whose details were never requested. Those that this reading has listed thus remain news, on
        purpose: if games are added while it pages, or before it continues after an interruption, a page may repeat
        the games of an earlier one, which must not end the list.
        """
        done = 0
        while True:
            order = state.setdefault("order", NEWS[0])
            # Unreleased games might precede all others in `NEWEST`, since their dates lie in the future.
            released = order == NEWEST or self._wanted.released_only
            page = self._query(state, order, released, QUERIED)
            apps, total = page.apps if page else (), state["total"]
            start = state["after"] + QUERIED - OVERLAP
            ended = not apps or start + OVERLAP >= total or not self._apps.unasked(app.appid for app in apps)
            change = {"after": start, "absent": not apps or state.get("absent", False)}
            following = NEWS[NEWS.index(order) + 1 :]
            if ended and following:
                change |= {"order": following[0], "after": 0, "total": 0}
            self._page(apps, state, change, done=False)
            done += len(apps)
            self._report(LIST, done, 0)
            if ended and not following:
                return not state["absent"]

    def _query(self, state: dict[str, Any], order: int, released: bool, count: int) -> Page | None:
        """Request the next page, again while it is empty; None if the list claims to be much shorter than before."""
        for _ in range(STALLS):
            page = self._api.query(state["after"], state["include"], count, order, released)
            total = page.total or 0
            state["total"] = max(total, state.get("total", 0))
            shrunk = total < state["total"] * (1 - STEAM_SHARE)  # a list does not shrink while it is read
            if not shrunk and (page.apps or state["after"] > total):
                break
        return None if shrunk else page

    def _seen(self, state: dict[str, Any]) -> int:
        """Return the number of apps that the reading has seen."""
        return self._apps.swept(state["sweep"])

    def _page(
        self, apps: Iterable[App], state: dict[str, Any], change: dict[str, Any], *, done: bool
    ) -> None:
        """Commit a page together with the place where the list continues."""
        state.update(change)
        rows = [(app.appid, app.name, app.modified) for app in apps]
        with self._gallery.transaction():
            self._counts["new"] += self._apps.put_listed(rows, state["sweep"])
            if not done:  # the last page is committed with what follows from it
                self._apps.put_state("list", state)

    def _put(self, apps: Iterable[App], sweep: int, *, due: bool = False) -> None:
        rows = [(app.appid, app.name, app.modified) for app in apps]
        with self._gallery.transaction():
            self._counts["new"] += self._apps.put_listed(rows, sweep, due=due)


def _days_ago(days: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="seconds")
