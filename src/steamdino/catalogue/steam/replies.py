"""Parse the replies of Steam's Web API defensively: their shapes were observed, not documented.

A reply that lacks its call's shape raises `ReplyError`, and the call is repeated. Within a reply, a field of an
unexpected type counts as missing; a row is dropped only if it is no app's, or its appID cannot be read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from steamdino.appids import LARGEST_APPID
from steamdino.catalogue.steam import app_types
from steamdino.catalogue.steam.asset_paths import Asset, assets
from steamdino.catalogue.steam.numbered_labels import labels_of
from steamdino.catalogue.steam.release_dates import release_columns
from steamdino.catalogue.steam.reply_fields import (
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

PLATFORMS = ("windows", "mac", "steamos_linux")
APP = 0
"""`item_type` of an app. Packages and bundles are numbered by themselves, so one may have the number of an app."""

ADULT = frozenset({3, 4})
"""Content descriptors of adult-only games; 1 and 5 also mark mainstream ones."""

FOUND, HIDDEN = 1, 15
"""`success` of an app, an unsigned EResult: its details follow; it is hidden, or not available in this country, which
"visible" must confirm. With any other value, or none, the details are missing for a reason that may pass."""


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
class Item:
    """Steam's details of one app.

    Attributes:
        visible: False if it is hidden or not available in this country; then the rest is empty.
        name: None if the reply has none.
        columns: all other values that are kept, under the names in `docs/reference/steam.md`.
        assets: by kind of banner, best first.
        unsafe: assets whose paths leave the assets folder; they are not fetched.
    """

    appid: int
    visible: bool
    name: str | None = None
    columns: Mapping[str, Any] = field(default_factory=dict)
    assets: Mapping[str, tuple[Asset, ...]] = field(default_factory=dict)
    unsafe: tuple[str, ...] = ()


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
    ranked = sorted((rank if rank is not None else LARGEST_APPID, n) for n, (rank, _) in enumerate(found))
    return list(dict.fromkeys(appid for _, n in ranked if (appid := found[n][1]) is not None))


def items(
    response: Mapping[str, Any], tags: Mapping[int, str], categories: Mapping[int, str]
) -> dict[int, Item]:
    """Parse IStoreBrowseService/GetItems: the details of each app, by appID.

    A requested app that is not in the result was omitted by mistake, or its details failed, and should be requested
    again.
    """
    found = {}
    for row in rows(response, "store_items"):
        if whole(row.get("item_type")) not in (None, APP):
            continue
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
    pictures, unsafe = assets(record(row, "assets"))
    parent = appid_of(record(row, "related_items").get("parent_appid"))
    columns = {
        "type": app_types.name_of(whole(row.get("type"))),
        **release_columns(row),
        "tags": labels_of(row.get("tagids"), tags) or labels_of(column(row.get("tags"), "tagid"), tags),
        "categories": [
            label
            for kind in ("supported_player", "feature", "controller")
            for label in labels_of(record(row, "categories").get(f"{kind}_categoryids"), categories)
        ],
        **_descriptors(row.get("content_descriptorids")),
        "delisted": flag(row.get("unlisted")) or None,
        **_reviews(record(record(row, "reviews"), "summary_filtered")),
        "free": flag(row.get("is_free")),
        "price_cents": whole(record(row, "best_purchase_option").get("final_price_in_cents")),
        "platforms": [name for name in PLATFORMS if flag(record(row, "platforms").get(name))],
        "early_access": flag(row.get("is_early_access")),
        "parent": parent if parent != appid else None,
        "page": text(row.get("store_url_path")),
    }
    kept = {key: value for key, value in columns.items() if value not in (None, [], "")}
    return Item(appid, True, text(row.get("name")), kept, pictures, unsafe)


def _descriptors(value: Any) -> dict[str, Any]:
    numbers = [number for one in sequence(value) if (number := whole(one)) is not None]
    return {"descriptors": numbers, "adult": bool(ADULT.intersection(numbers)) or None}


def _reviews(record: Mapping[str, Any]) -> dict[str, Any]:
    count = whole(record.get("review_count"))
    if count == 0:  # then 0 % and the label say nothing
        return {"reviews": 0}
    return {
        "reviews": count,
        "positive_percent": whole(record.get("percent_positive")),
        "review_score": text(record.get("review_score_label")),
    }
