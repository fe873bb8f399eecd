"""Reads what Steam's Web API answers, defensively: shapes are what public code saw, not what anybody promised.

A reply that is not of its call's shape at all raises `ReplyError`, and the call is repeated. Within one, a field that
makes no sense is as if it were absent; a row is lost only if not even its appID can be read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from steamdino.errors import ReplyError

LARGEST_ID = 2**32 - 1
LATEST = 4_102_444_800
"""1 January 2100: what claims to be later is no release date."""

TYPES = {0: "game", 1: "demo", 2: "mod", 4: "dlc", 6: "software", 11: "music"}
PLATFORMS = ("windows", "mac", "steamos_linux")
ADULT = frozenset({3, 4})
"""Content descriptors of adult-only games; 1 and 5 also mark mainstream ones."""

HIDDEN = 15
"""`success` of an app that is hidden, or not for this country."""

ROLES = {
    "vertical": ("library_capsule", "library_capsule_2x", "hero_capsule"),
    "header": ("header", "main_capsule", "small_capsule"),
    "hero": ("library_hero", "library_hero_2x"),
}
"""Of each kind of banner, the assets that may serve, best first."""


@dataclass(frozen=True, slots=True)
class App:
    """An entry of a list of apps; what the list does not say is None."""

    appid: int
    name: str | None = None
    modified: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list.

    Attributes:
        apps: in the list's order; may repeat earlier ones.
        cursor: where the next part begins; None where the list says that there is none, or does not say.
        total: of the list as a whole, where it says so.
    """

    apps: tuple[App, ...]
    cursor: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class Asset:
    """A picture of a game on Steam's servers.

    Attributes:
        role: which of the game's assets it is, such as "library_capsule".
        path: below the servers' folder of assets, such as "steam/apps/730/library_600x900.jpg".
        query: the address's "t=..." behind it, which changes whenever anything of the game does; may be empty.
    """

    role: str
    path: str
    query: str


@dataclass(frozen=True, slots=True)
class Item:
    """What Steam says of one app.

    Attributes:
        appid: the app's.
        visible: False for one that is hidden, or not for this country; then the rest is empty.
        name: None where it is not said.
        columns: everything else that is kept, by the names of `docs/reference/steam.md`.
        assets: by kind of banner, the best first.
        unsafe: assets whose paths lead elsewhere than into the folder of assets; they are not fetched.
    """

    appid: int
    visible: bool
    name: str | None = None
    columns: Mapping[str, Any] = field(default_factory=dict)
    assets: Mapping[str, tuple[Asset, ...]] = field(default_factory=dict)
    unsafe: tuple[str, ...] = ()


def decoded(body: bytes) -> Any:
    """The "response" of a reply's JSON.

    Raises:
        ReplyError: it is not JSON, or has none.
    """
    try:
        reply = json.loads(body)
    except (ValueError, RecursionError):
        start = body[:40].decode("utf-8", "replace")
        raise ReplyError(f"Steam's answer is not JSON but begins with {start!r}; try again later") from None
    if not isinstance(reply, dict) or not isinstance(reply.get("response"), dict):
        raise ReplyError("Steam's answer has no 'response'; try again later")
    return reply["response"]


def app_list(response: Mapping[str, Any]) -> Page:
    """IStoreService/GetAppList: a page of the list that a key gives."""
    apps = tuple(
        App(appid, text(row.get("name")), whole(row.get("last_modified")))
        for row in _rows(response, "apps", required=False)
        if (appid := _appid(row.get("appid"))) is not None
    )
    more = response.get("have_more_results") in (True, 1, "1", "true")
    cursor = _appid(response.get("last_appid")) or (max(app.appid for app in apps) if apps else None)
    return Page(apps, cursor if more and apps else None)


def query_page(response: Mapping[str, Any]) -> Page:
    """IStoreQueryService/Query: a page of the list that needs no key."""
    metadata = response.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    total = whole(metadata.get("total_matching_records"))
    if total is None and "ids" not in response:
        raise ReplyError("Steam's answer has neither 'ids' nor their number; try again later")
    appids = [_appid(row.get("appid")) for row in _rows(response, "ids", required=False)]
    return Page(tuple(App(appid) for appid in appids if appid is not None), total=total)


def most_played(response: Mapping[str, Any]) -> list[int]:
    """ISteamChartsService/GetMostPlayedGames: appIDs, the most played first."""
    found = [(whole(row.get("rank")), _appid(row.get("appid"))) for row in _rows(response, "ranks")]
    ranked = sorted((rank if rank is not None else LARGEST_ID, n) for n, (rank, _) in enumerate(found))
    return list(dict.fromkeys(appid for _, n in ranked if (appid := found[n][1]) is not None))


def names(response: Mapping[str, Any], table: str, key: str, name: str) -> dict[int, str]:
    """GetTagList and GetStoreCategories: what numbers mean."""
    found = ((whole(row.get(key)), text(row.get(name))) for row in _rows(response, table))
    return {number: label for number, label in found if number is not None and label}


def items(
    response: Mapping[str, Any], tags: Mapping[int, str], categories: Mapping[int, str]
) -> dict[int, Item]:
    """IStoreBrowseService/GetItems: what is said of each app, by appID.

    An app that was asked for and is not among them was left out by mistake: to be asked for again.
    """
    found = {}
    for row in _rows(response, "store_items"):
        appid = _appid(row.get("id")) or _appid(row.get("appid"))  # of a hidden app "appid" is 0
        if appid is not None:
            found[appid] = _item(appid, row, tags, categories)
    return found


def _item(appid: int, row: Mapping[str, Any], tags: Mapping[int, str], categories: Mapping[int, str]) -> Item:
    if whole(row.get("success")) == HIDDEN or row.get("visible") in (False, 0):
        return Item(appid, visible=False)
    assets, unsafe = _assets(_record(row, "assets"))
    columns = {
        "type": TYPES.get(whole(row.get("type")) or 0, "other"),
        **_release(_record(row, "release")),
        "tags": _labels(row.get("tagids"), tags) or _labels(_column(row.get("tags"), "tagid"), tags),
        "categories": [
            label
            for kind in ("supported_player", "feature", "controller")
            for label in _labels(_record(row, "categories").get(f"{kind}_categoryids"), categories)
        ],
        **_descriptors(row.get("content_descriptorids")),
        **_reviews(_record(_record(row, "reviews"), "summary_filtered")),
        "free": _flag(row.get("is_free")),
        "price_cents": whole(_record(row, "best_purchase_option").get("final_price_in_cents")),
        "platforms": [name for name in PLATFORMS if _flag(_record(row, "platforms").get(name))],
        "early_access": _flag(row.get("is_early_access")),
        "parent": _appid(_record(row, "related_items").get("parent_appid")),
        "page": text(row.get("store_url_path")),
    }
    kept = {key: value for key, value in columns.items() if value not in (None, [], "")}
    return Item(appid, True, text(row.get("name")), kept, assets, unsafe)


def _release(record: Mapping[str, Any]) -> dict[str, Any]:
    moment = whole(record.get("steam_release_date")) or whole(record.get("original_release_date"))
    known = moment is not None and 0 < moment < LATEST
    return {
        "released": datetime.fromtimestamp(moment, UTC).date().isoformat() if known and moment else None,
        "coming_soon": _flag(record.get("is_coming_soon")) or None,
    }


def _descriptors(value: Any) -> dict[str, Any]:
    numbers = [number for one in _sequence(value) if (number := whole(one)) is not None]
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
    """Whether an asset's path stays below the folder of assets, and its query is the plain one."""
    plain = unquote(path)
    return (
        re.fullmatch(r"[\w.~@%+() -]+(/[\w.~@%+() -]+)*", path, re.ASCII) is not None
        and not any(part.strip() in ("", ".", "..") for part in plain.split("/"))
        and "\\" not in plain
        and ":" not in plain
        and re.fullmatch(r"(t=\d{1,20})?", query, re.ASCII) is not None
    )


def whole(value: Any) -> int | None:
    """A whole number, also one that came as a string or as 12.0; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if abs(value) < 2**63 else None
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 2**53 else None
    if isinstance(value, str) and re.fullmatch(r"\s*-?\d{1,18}\s*", value, re.ASCII):
        return int(value)
    return None


def text(value: Any) -> str | None:
    """A text that can be stored and shown on one line; None for anything else."""
    if not isinstance(value, str):
        return None
    clean = "".join(c if c.isprintable() else " " for c in value.encode("utf-8", "replace").decode()).strip()
    return clean[:500] or None


def _appid(value: Any) -> int | None:
    number = whole(value)
    return number if number is not None and 0 < number <= LARGEST_ID else None


def _flag(value: Any) -> bool:
    return value in (True, 1, "1", "true") and value is not None


def _record(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = parent.get(key)
    return value if isinstance(value, dict) else {}


def _sequence(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _column(value: Any, key: str) -> list[Any]:
    return [row.get(key) for row in _sequence(value) if isinstance(row, dict)]


def _labels(value: Any, known: Mapping[int, str]) -> list[str]:
    """The names of numbers; a number without one stands for itself."""
    numbers = [number for one in _sequence(value) if (number := whole(one)) is not None]
    return list(dict.fromkeys(known.get(number, str(number)) for number in numbers))


def _rows(response: Mapping[str, Any], key: str, *, required: bool = True) -> Iterator[Mapping[str, Any]]:
    value = response.get(key)
    if value is None and not required:
        return iter(())
    if not isinstance(value, list):
        raise ReplyError(f"Steam's answer has no list {key!r}; try again later")
    return (row for row in value if isinstance(row, dict))
