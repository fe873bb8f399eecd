"""The calls of Steam's Web API that tell which games there are and what is known of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from steamdino.catalogue.steam import replies
from steamdino.catalogue.steam.replies import Item, Page
from steamdino.errors import ReplyError
from steamdino.net.client import Client, Reply

T = TypeVar("T")

LARGEST = 64 << 20
"""Bytes of a reply; a page of 50,000 games has about 5 MB."""

LISTED = 50_000
"""Games on a page of the list that a key gives."""

QUERIED = 1000
"""Games on a page of the list that needs no key."""

BATCH = 200
LONGEST_URL = 7000
"""Of GetItems: apps at a time, and characters; what is longer, servers refuse."""

BY_ID, NEWEST = 2, 40
"""Orders of IStoreQueryService/Query."""

INCLUDED = ("dlc", "demo", "software")
"""What there is besides games."""

_DATA = {
    "include_assets": True,
    "include_release": True,
    "include_platforms": True,
    "include_tag_count": 20,
    "include_reviews": True,
    "include_basic_info": True,
    "include_all_purchase_options": True,
}


class TooMuchError(ReplyError):
    """A batch was too long for the server: to be halved."""


@dataclass(frozen=True, slots=True)
class Place:
    """From where the store is seen: texts in this language, prices and visibility of this country."""

    language: str = "english"
    country: str = "US"

    @property
    def context(self) -> dict[str, Any]:
        """As the API wants it."""
        return {"language": self.language, "country_code": self.country, "steam_realm": 1}


class SteamApi:
    """Steam's Web API at an address."""

    def __init__(self, client: Client, url: str, place: Place, key: str = "") -> None:
        self._client = client
        self._url = url.rstrip("/")
        self._place = place
        self._key = key

    @property
    def has_key(self) -> bool:
        """Whether the list may be had by key."""
        return bool(self._key)

    def apps(self, after: int, include: Sequence[str], modified_since: int = 0) -> Page:
        """A page of the list that a key gives, in the order of appIDs.

        Args:
            after: the appID behind which it begins.
            include: of `INCLUDED`, besides games.
            modified_since: only what changed after this moment, in seconds since 1970; 0 for all.

        Raises:
            NetworkError: there is no answer that makes sense.
        """
        asked: dict[str, Any] = {
            "last_appid": after,
            "max_results": LISTED,
            "include_games": True,
            "include_dlc": "dlc" in include,
            "include_software": "software" in include,
        }
        if modified_since:
            asked["if_modified_since"] = modified_since
        return self._call("IStoreService/GetAppList", asked, replies.app_list, keyed=True)

    def query(
        self,
        start: int,
        include: Sequence[str],
        count: int = QUERIED,
        order: int = BY_ID,
        released: bool = False,
    ) -> Page:
        """A page of the list that needs no key.

        Args:
            start: how many games come before it.
            include: of `INCLUDED`, besides games.
            count: how many games it may have.
            order: `BY_ID` or `NEWEST`.
            released: leave out what is not released yet.
        """
        types = {"include_games": True, **{f"include_{_TYPE_FILTERS[one]}": True for one in include}}
        filters: dict[str, Any] = {"type_filters": types}
        if released:
            filters["released_only"] = True
        asked = {
            "query": {"start": start, "count": count, "sort": order, "filters": filters},
            "context": self._place.context,
            "data_request": {},
        }
        return self._call("IStoreQueryService/Query", asked, replies.query_page)

    def items(self, appids: Sequence[int], names: Names, *, country: str | None = None) -> dict[int, Item]:
        """What the store says of apps, by appID; those that it left out by mistake are not among them.

        Raises:
            TooMuchError: they are too many for one request.
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
        """What the numbers of tags and categories mean."""
        return Names(
            self._table("IStoreService/GetTagList", "tags", "tagid", "name"),
            self._table("IStoreBrowseService/GetStoreCategories", "categories", "categoryid", "display_name"),
        )

    def _table(self, method: str, table: str, key: str, name: str) -> dict[int, str]:
        language = f"language={quote(self._place.language)}"
        return self._get(method, language, lambda reply: replies.names(_response(reply), table, key, name))

    def most_played(self) -> list[int]:
        """The appIDs that most people play, best first (about 100)."""
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
    """What the numbers of tags and categories mean."""

    tags: Mapping[int, str]
    categories: Mapping[int, str]


def batches(appids: Sequence[int], place: Place) -> list[list[int]]:
    """Apps in groups that fit into one request of GetItems each."""
    made: list[list[int]] = []
    for appid in appids:
        full = not made or len(made[-1]) >= BATCH
        if not full and len(made[-1]) % 20 == 0:  # the length is worth a look now and then
            full = len(_items_json([*made[-1], *[appid] * 20], place)) > LONGEST_URL
        if full:
            made.append([])
        made[-1].append(appid)
    return made


_TYPE_FILTERS = {"dlc": "dlc", "demo": "demos", "software": "software"}
_TOO_MUCH: dict[int, Item] = {}


def _items_json(appids: Sequence[int], place: Place) -> str:
    ids = [{"appid": appid} for appid in appids]
    return _json_parameter({"ids": ids, "context": place.context, "data_request": _DATA})


def _json_parameter(asked: Mapping[str, Any]) -> str:
    return f"input_json={quote(json.dumps(asked, separators=(',', ':')))}"


def _response(reply: Reply) -> Mapping[str, Any]:
    if reply.status != 200:
        raise ReplyError(f"Steam answered {reply.status}; try again later")
    response: Mapping[str, Any] = replies.decoded(reply.body)
    return response
