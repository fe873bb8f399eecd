"""A client of Steam's Web API: the lists of games and their details."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from steamdino.catalogue.steam import app_types, numbered_labels, replies
from steamdino.catalogue.steam.replies import Item, Page
from steamdino.errors import BlockedError, ReplyError
from steamdino.net.client import Client, Reply, ThrottledError

T = TypeVar("T")

LARGEST = 64 << 20
"""Bytes of a reply; a page of 50,000 games has about 5 MB."""

LISTED = 50_000
"""Games per page of the list that needs a key."""

QUERIED = 1000
"""Games per page of the list that needs no key."""

BATCH = 200
LONGEST_URL = 7000
"""Limits of GetItems: apps per request, and characters of its address; servers refuse longer ones."""

BY_ID, HIGHEST_ID, NEWEST = 2, 3, 40
"""Sort orders of IStoreQueryService/Query: appIDs rising, appIDs falling, newest release first."""

OK, RATE_LIMITED = 1, 84
REFUSED = (5, 15)
"""Values of the header x-eresult: invalid password, access denied. Others are failures that may pass."""

_DATA = {
    "include_assets": True,
    "include_release": True,
    "include_platforms": True,
    "include_tag_count": 20,
    "include_reviews": True,
}
"""The parts of an app's details that `replies.items` reads and that come only on request. Name, type, price, categories
and content descriptors come unasked. Texts and makers (include_basic_info) and all offers
(include_all_purchase_options), which are about a third of a whole reply, are not read."""


class TooMuchError(ReplyError):
    """A batch was too large for the server; halve it and try again."""


@dataclass(frozen=True, slots=True)
class Place:
    """The language of texts, and the country whose prices and visibility apply."""

    language: str = "english"
    country: str = "US"

    @property
    def context(self) -> dict[str, Any]:
        """Return the context parameter of the API."""
        return {"language": self.language, "country_code": self.country, "steam_realm": 1}


class SteamApi:
    """A client of Steam's Web API at a base address."""

    def __init__(self, client: Client, url: str, place: Place, key: str = "") -> None:
        self._client = client
        self._url = url.rstrip("/")
        self._place = place
        self._key = key

    @property
    def has_key(self) -> bool:
        """Return whether there is a key for the list that needs one."""
        return bool(self._key)

    def apps(self, after: int, include: Sequence[str], modified_since: int = 0) -> Page:
        """Return a page of the list that needs a key, in the order of appIDs.

        Args:
            after: the appID after which the page begins.
            include: types from `app_types.INCLUDABLE`, besides games.
            modified_since: return only apps that changed after this time, in seconds since 1970; 0 for all.

        Raises:
            NetworkError: there is no valid answer.
        """
        asked: dict[str, Any] = {
            "last_appid": after,
            "max_results": LISTED,
            **app_types.listed(include),
        }
        if modified_since:
            asked["if_modified_since"] = modified_since
        read = partial(replies.app_list, required=not modified_since)
        return self._call("IStoreService/GetAppList", asked, read, keyed=True)

    def query(
        self,
        start: int,
        include: Sequence[str],
        count: int = QUERIED,
        order: int = BY_ID,
        released: bool = False,
    ) -> Page:
        """Return a page of the list that needs no key.

        Args:
            start: the number of games before the page.
            include: types from `app_types.INCLUDABLE`, besides games.
            count: the maximum number of games.
            order: `BY_ID`, `HIGHEST_ID` or `NEWEST`.
            released: skip games that are not released yet.
        """
        filters: dict[str, Any] = {"type_filters": app_types.queried(include)}
        if released:
            filters["released_only"] = True
        asked = {
            "query": {"start": start, "count": count, "sort": order, "filters": filters},
            "context": self._place.context,
        }  # without "data_request", since even an empty one makes Steam send 0.7 KB of details of each game
        return self._call("IStoreQueryService/Query", asked, replies.query_page)

    def items(self, appids: Sequence[int], names: Names, *, country: str | None = None) -> dict[int, Item]:
        """Return the store's details of apps, by appID; apps that the store omitted by mistake are missing.

        Raises:
            TooMuchError: there are too many apps for one request.
        """
        place = Place(self._place.language, country) if country else self._place

        def read(reply: Reply) -> dict[int, Item]:
            if reply.status in (400, 413, 414):
                return _TOO_MUCH
            return replies.items(_response(reply), names.tags, names.categories)

        found = self._get("IStoreBrowseService/GetItems", _items_json(appids, place), read)
        if found is _TOO_MUCH:
            raise TooMuchError(f"Steam refuses {len(appids)} apps at a time")
        return found

    def names(self) -> Names:
        """Return the names of the numbered tags and categories."""
        language, labels = f"language={quote(self._place.language)}", numbered_labels
        return Names(
            self._get(
                "IStoreService/GetTagList", language, lambda reply: labels.tag_labels(_response(reply))
            ),
            self._get(
                "IStoreBrowseService/GetStoreCategories",
                language,
                lambda reply: labels.category_labels(_response(reply)),
            ),
        )

    def most_played(self) -> list[int]:
        """Return the appIDs of the most played games, most played first (about 100)."""
        return self._call("ISteamChartsService/GetMostPlayedGames", {}, replies.most_played)

    def _call(
        self,
        method: str,
        asked: Mapping[str, Any],
        read: Callable[[Mapping[str, Any]], T],
        *,
        keyed: bool = False,
    ) -> T:
        parameters = _json_parameter(asked)
        if keyed:
            parameters = f"{urlencode({'key': self._key})}&{parameters}"
        return self._get(method, parameters, lambda reply: read(_response(reply)))

    def _get(self, method: str, parameters: str, read: Callable[[Reply], T]) -> T:
        return self._client.get(f"{self._url}/{method}/v1/?{parameters}", largest=LARGEST, read=read)


@dataclass(frozen=True, slots=True)
class Names:
    """The names of the numbered tags and categories."""

    tags: Mapping[int, str]
    categories: Mapping[int, str]


def batches(appids: Sequence[int], place: Place) -> list[list[int]]:
    """Split apps into batches that each fit one request of GetItems."""
    made: list[list[int]] = []
    for appid in appids:
        full = not made or len(made[-1]) >= BATCH
        if not full and len(made[-1]) % 20 == 0:  # measuring the length for every app would be slow
            full = len(_items_json([*made[-1], *[appid] * 20], place)) > LONGEST_URL
        if full:
            made.append([])
        made[-1].append(appid)
    return made


def _check_result(result: str) -> None:
    """Raise an error for a failure that Steam reports as a reply with status 200: the header x-eresult is not 1."""
    if result == str(OK):
        return
    if result == str(RATE_LIMITED):
        raise ThrottledError(f"Steam is limiting the rate of requests (x-eresult {result}); try again later")
    if result in map(str, REFUSED):
        raise BlockedError(
            f"Steam refuses access (x-eresult {result}): the key is wrong, or may not use this call; nothing more was"
            " requested. Check STEAM_API_KEY, or run without it"
        )
    raise ReplyError(f"Steam reports a failure (x-eresult {result[:20]!r}); try again later")


_TOO_MUCH: dict[int, Item] = {}


def _items_json(appids: Sequence[int], place: Place) -> str:
    ids = [{"appid": appid} for appid in appids]
    return _json_parameter({"ids": ids, "context": place.context, "data_request": _DATA})


def _json_parameter(asked: Mapping[str, Any]) -> str:
    # A query may contain colons and commas as they are, which makes the address of a batch an eighth shorter.
    return f"input_json={quote(json.dumps(asked, separators=(',', ':')), safe=':,')}"


def _response(reply: Reply) -> Mapping[str, Any]:
    if reply.status != 200:
        raise ReplyError(f"Steam answered {reply.status}; try again later")
    _check_result(reply.headers.get("x-eresult", "").strip() or str(OK))
    response: Mapping[str, Any] = replies.decoded(reply.body)
    return response
