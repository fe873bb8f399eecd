"""Parse the replies of Steam's Web API defensively: their shapes were observed, not documented.

A reply that lacks its call's shape raises `ReplyError`, and the call is repeated. Within a reply, a field of an
unexpected type counts as missing; a row is dropped only if its appID cannot be read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from steamdino.catalogue.steam.reply_fields import (
    LARGEST_ID,
    appid_of,
    column,
    flag,
    record,
    rows,
    sequence,
    text,
    whole,
)
from steamdino.errors import ReplyError

LATEST = 4_102_444_800
"""1 January 2100: a later time is not a release date."""

TYPES = {0: "game", 1: "demo", 2: "mod", 4: "dlc", 6: "software", 11: "music"}
PLATFORMS = ("windows", "mac", "steamos_linux")
ADULT = frozenset({3, 4})
"""Content descriptors of adult-only games; 1 and 5 also mark mainstream ones."""

FOUND, HIDDEN = 1, 15
"""`success` of an app, an unsigned EResult: its details follow; it is hidden, or not available in this country, which
"visible" must confirm. With any other value, or none, the details are missing for a reason that may pass."""

ROLES = {
    "vertical": ("library_capsule", "library_capsule_2x", "hero_capsule"),
    "header": ("header", "main_capsule", "small_capsule"),
    "hero": ("library_hero", "library_hero_2x"),
}
"""The assets that may serve as each kind of banner, best first."""


@dataclass(frozen=True, slots=True)
class App:
    """An entry of a list of apps; fields that the list lacks are None."""

    appid: int
    name: str | None = None
    modified: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list.

    Attributes:
        apps: in the list's order; may repeat earlier ones.
        cursor: where the next page begins; None on the last page, or if the reply has no cursor.
        total: the length of the whole list; None for a list that has a cursor instead.
    """

    apps: tuple[App, ...]
    cursor: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Asset:
    """A picture of a game on Steam's servers.

    Attributes:
        role: which of the game's assets it is, such as "library_capsule".
        path: relative to the servers' assets folder, such as "steam/apps/730/library_600x900.jpg".
        query: the address's "t=..." after the path, which changes whenever the game changes; may be empty.
    """

    role: str
    path: str
    query: str


@dataclass(frozen=True, slots=True)
class Item:
    """Steam's details of one app.

    Attributes:
        visible: False if it is hidden or not available in this country; then the rest is empty.
        name: None if the reply has none.
        columns: all other values that are kept, under the names in `docs/reference/steam.md`.
        assets: by kind of banner, best first.
        unsafe: assets whose paths leave the assets folder; they are not fetched.
        unlisted: whether it was delisted: it has a page, but no list names it.
    """

    appid: int
    visible: bool
    name: str | None = None
    columns: Mapping[str, Any] = field(default_factory=dict)
    assets: Mapping[str, tuple[Asset, ...]] = field(default_factory=dict)
    unsafe: tuple[str, ...] = ()
    unlisted: bool = False


def decoded(body: bytes) -> Any:
    """Return the "response" of a JSON reply.

    Raises:
        ReplyError: it is not JSON, or has no "response".
    """
    try:
        reply = json.loads(body)
    except (ValueError, RecursionError):
        start = body[:40].decode("utf-8", "replace")
        raise ReplyError(f"Steam's answer is not JSON but begins with {start!r}; try again later") from None
    if not isinstance(reply, dict) or not isinstance(reply.get("response"), dict):
        raise ReplyError("Steam's answer has no 'response'; try again later")
    return reply["response"]


def app_list(response: Mapping[str, Any], *, required: bool = True) -> Page:
    """Parse IStoreService/GetAppList: a page of the list that needs a key.

    Args:
        response: the reply's "response".
        required: whether it must have "apps". A list of what changed lacks them if nothing did; any other list lacks
            them only if the call failed.
    """
    apps = tuple(
        App(appid, text(row.get("name")), whole(row.get("last_modified")))
        for row in rows(response, "apps", required=required)
        if (appid := appid_of(row.get("appid"))) is not None
    )
    more = response.get("have_more_results")
    if more not in (None, False, True, "0", "1", "false", "true"):
        raise ReplyError(
            f"Steam's answer has {str(more)[:20]!r} for 'have_more_results', expected true or false; try again later"
        )
    cursor = appid_of(response.get("last_appid")) or (max(app.appid for app in apps) if apps else None)
    return Page(apps, cursor if flag(more) and apps else None)


def query_page(response: Mapping[str, Any]) -> Page:
    """Parse IStoreQueryService/Query: a page of the list that needs no key."""
    metadata = response.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    total = whole(metadata.get("total_matching_records"))
    if total is None or total < 0:
        raise ReplyError("Steam's answer does not say how many games there are; try again later")
    appids = [appid_of(row.get("appid")) for row in rows(response, "ids", required=False)]
    return Page(tuple(App(appid) for appid in appids if appid is not None), total=total)


def most_played(response: Mapping[str, Any]) -> list[int]:
    """Parse ISteamChartsService/GetMostPlayedGames: appIDs, the most played first."""
    found = [(whole(row.get("rank")), appid_of(row.get("appid"))) for row in rows(response, "ranks")]
    ranked = sorted((rank if rank is not None else LARGEST_ID, n) for n, (rank, _) in enumerate(found))
    return list(dict.fromkeys(appid for _, n in ranked if (appid := found[n][1]) is not None))


def names(response: Mapping[str, Any], table: str, key: str, name: str) -> dict[int, str]:
    """Parse GetTagList or GetStoreCategories: the names of the numbered tags or categories."""
    found = ((whole(row.get(key)), text(row.get(name))) for row in rows(response, table))
    return {number: label for number, label in found if number is not None and label}


def items(
    response: Mapping[str, Any], tags: Mapping[int, str], categories: Mapping[int, str]
) -> dict[int, Item]:
    """Parse IStoreBrowseService/GetItems: the details of each app, by appID.

    A requested app that is not in the result was omitted by mistake, or its details failed, and should be requested
    again.
    """
    found = {}
    for row in rows(response, "store_items"):
        appid = appid_of(row.get("id")) or appid_of(row.get("appid"))  # a hidden app has "appid" 0
        if appid is not None and _is_answered(row):
            found[appid] = _item(appid, row, tags, categories)
    return found


def _is_answered(row: Mapping[str, Any]) -> bool:
    """Return whether a row has an app's details, or says that they are refused."""
    success = whole(row.get("success"))
    return success == FOUND or (success == HIDDEN and row.get("visible") in (False, 0))


def _item(appid: int, row: Mapping[str, Any], tags: Mapping[int, str], categories: Mapping[int, str]) -> Item:
    if whole(row.get("success")) == HIDDEN or row.get("visible") in (False, 0):
        return Item(appid, visible=False)
    assets, unsafe = _assets(record(row, "assets"))
    columns = {
        "type": TYPES.get(whole(row.get("type")) or 0, "other"),
        **_release(record(row, "release")),
        "tags": _labels(row.get("tagids"), tags) or _labels(column(row.get("tags"), "tagid"), tags),
        "categories": [
            label
            for kind in ("supported_player", "feature", "controller")
            for label in _labels(record(row, "categories").get(f"{kind}_categoryids"), categories)
        ],
        **_descriptors(row.get("content_descriptorids")),
        **_reviews(record(record(row, "reviews"), "summary_filtered")),
        "free": flag(row.get("is_free")),
        "price_cents": whole(record(row, "best_purchase_option").get("final_price_in_cents")),
        "platforms": [name for name in PLATFORMS if flag(record(row, "platforms").get(name))],
        "early_access": flag(row.get("is_early_access")),
        "parent": appid_of(record(row, "related_items").get("parent_appid")),
        "page": text(row.get("store_url_path")),
    }
    kept = {key: value for key, value in columns.items() if value not in (None, [], "")}
    return Item(appid, True, text(row.get("name")), kept, assets, unsafe, flag(row.get("unlisted")))


def _release(record: Mapping[str, Any]) -> dict[str, Any]:
    moment = whole(record.get("steam_release_date")) or whole(record.get("original_release_date"))
    known = moment is not None and 0 < moment < LATEST
    return {
        "released": datetime.fromtimestamp(moment, UTC).date().isoformat() if known and moment else None,
        "coming_soon": flag(record.get("is_coming_soon")) or None,
    }


def _descriptors(value: Any) -> dict[str, Any]:
    numbers = [number for one in sequence(value) if (number := whole(one)) is not None]
    return {"descriptors": numbers, "adult": bool(ADULT.intersection(numbers)) or None}


def _reviews(record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "reviews": whole(record.get("review_count")),
        "positive_percent": whole(record.get("percent_positive")),
        "review_score": text(record.get("review_score_label")),
    }


def _assets(record: Mapping[str, Any]) -> tuple[dict[str, tuple[Asset, ...]], tuple[str, ...]]:
    pattern = text(record.get("asset_url_format"))
    found: dict[str, tuple[Asset, ...]] = {}
    unsafe = []
    for kind, roles in ROLES.items():
        kept = []
        for role in roles:
            name = text(record.get(role))
            if not pattern or not name:
                continue
            path, _, query = pattern.replace("${FILENAME}", name).partition("?")
            if is_safe(path, query):
                kept.append(Asset(role, path, query))
            else:
                unsafe.append(role)
        if kept:
            found[kind] = tuple(kept)
    return found, tuple(unsafe)


def is_safe(path: str, query: str) -> bool:
    """Return whether an asset's path stays in the assets folder, and its query has the expected form."""
    plain = unquote(path)
    return (
        re.fullmatch(r"[\w.~@%+() -]+(/[\w.~@%+() -]+)*", path, re.ASCII) is not None
        and not any(part.strip() in ("", ".", "..") for part in plain.split("/"))
        and "\\" not in plain
        and ":" not in plain
        and re.fullmatch(r"(t=\d{1,20})?", query, re.ASCII) is not None
    )


def _labels(value: Any, known: Mapping[int, str]) -> list[str]:
    """Return the names of numbers; a number without a name becomes its digits."""
    numbers = [number for one in sequence(value) if (number := whole(one)) is not None]
    return list(dict.fromkeys(known.get(number, str(number)) for number in numbers))
