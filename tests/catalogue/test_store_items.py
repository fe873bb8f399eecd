"""Every field of `store_items.json`, whose values are invented in the shapes of Steam's replies, as it must be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steamdino.catalogue.steam import replies
from steamdino.catalogue.steam.app_types import TYPES, name_of
from steamdino.catalogue.steam.numbered_labels import category_labels, labels_of, tag_labels
from steamdino.catalogue.steam.replies import Item

RESPONSE = json.loads(Path(__file__).with_name("store_items.json").read_text("utf-8"))
CATEGORIES = {
    1: "Multi-player",
    2: "Single-player",
    20: "MMO",
    38: "Online Co-op",
    30: "Steam Workshop",
    51: "Steam Workshop (Steam China Workshop)",
    62: "Family Sharing",
    80: "Playable at Your Own Pace",
    81: "Playable without Vision",
    82: "Contrast Controls",
    28: "Full controller support",
    55: "DualShock Controller Support (PS4 Controller)",
    56: "DualShock Controller Support (PS4 Controller BT)",
    57: "DualSense Controller Support (PS5 Controller)",
    58: "DualSense Controller Support (PS5 Controller BT)",
}
READ = {
    *("type", "tags", "categories", "descriptors", "adult", "delisted", "reviews", "positive_percent"),
    *("review_score", "free", "price_cents", "platforms", "early_access", "parent", "page"),
}
"""The columns of the table. Release dates have tests of their own."""

PAID = {"free": False, "early_access": False}
GAME = {"type": "game", **PAID}
WINDOWS = {"platforms": ["windows"]}

EXPECTED: dict[int, tuple[str | None, dict[str, Any]]] = {
    7100010: (
        "Lighthouse Accounting",
        {
            **GAME,
            **WINDOWS,
            "tags": ["Strategy", "Adventure", "700001", "RPG"],
            "categories": [CATEGORIES[number] for number in (2, 38, 30, 51, 62, 80, 55, 56, 28)],
            "descriptors": [2, 5],
            "reviews": 4812,
            "positive_percent": 91,
            "review_score": "Very Positive",
            "price_cents": 2499,
            "page": "app/7100010/Lighthouse_Accounting",
        },
    ),
    7100020: (
        "Paper Armada",
        {
            **GAME,
            "free": True,
            "tags": ["Free to Play"],
            "categories": [CATEGORIES[number] for number in (1, 81, 82, 57, 58)],
            "descriptors": [1, 3, 5],
            "adult": True,
            "reviews": 77,
            "positive_percent": 40,
            "review_score": "Mixed",
            "platforms": ["windows", "mac", "steamos_linux"],
            "page": "app/7100020/Paper_Armada",
        },
    ),
    7100070: (
        "Lighthouse Accounting Demo",
        {
            **PAID,
            **WINDOWS,
            "type": "demo",
            "free": True,
            "parent": 7100010,
            "tags": ["Strategy"],
            "page": "app/7100070/Lighthouse_Accounting_Demo",
        },
    ),
    7100080: (
        "Fog Cartel Playtest",
        {**PAID, **WINDOWS, "type": "beta", "parent": 7100090, "page": "app/7100080/Fog_Cartel_Playtest"},
    ),
    7100090: (
        "Fog Cartel",
        {
            **GAME,
            **WINDOWS,
            "early_access": True,
            "tags": ["Adventure", "Horror"],
            "categories": ["Multi-player", "MMO"],
            "reviews": 0,
            "price_cents": 3999,
            "page": "app/7100090/Fog_Cartel",
        },
    ),
    7100100: (
        "Fog Cartel: Old Edition",
        {
            **PAID,
            **WINDOWS,
            "type": "advertising",
            "parent": 7100090,
            "tags": ["Action"],
            "categories": ["Family Sharing"],
            "page": "app/7100100/Fog_Cartel_Old_Edition",
        },
    ),
    7100110: (
        "Granite Waltz",
        {
            **GAME,
            "tags": ["Strategy"],
            "platforms": ["windows", "mac"],
            "price_cents": 999,
            "page": "app/7100110/Granite_Waltz",
        },
    ),
    7100120: (
        "Last Tram to Vesper",
        {
            **GAME,
            **WINDOWS,
            "delisted": True,
            "tags": ["RPG"],
            "reviews": 310,
            "positive_percent": 80,
            "review_score": "Very Positive",
            "page": "app/7100120/Last_Tram_to_Vesper",
        },
    ),
    7100130: ("Undated Orchard", GAME),
    7100140: ("Paper Armada: Harbour", {**PAID, "type": "dlc", "parent": 7100020}),
    7100150: ("Choir of Anvils", {**GAME, "free": True}),
    7100160: ("Sundial Smugglers", GAME),
    7100170: ("Third Spoon", GAME),
    7100180: ("VELLUM", GAME),
    7100190: ("Vesper Handheld Dock", {**PAID, "type": "hardware"}),
    7100200: ("Lighthouse Accounting Soundtrack", {**PAID, "type": "music", "parent": 7100010}),
    7100210: ("Silent Ferry (2009)", GAME),
    7100220: (None, GAME),
    7100230: ("Type of Tomorrow", {**PAID, "type": "other"}),
}
REFUSED = {
    7100030: "an app that is refused, with appID 0",
    7100040: "an app that is refused, with its appID",
    7100050: "an app with details that is not visible",
}
UNANSWERED = {7100060: "an app whose details failed"}

PICTURES = {
    7100010: {
        "vertical": ["library_600x900.jpg", "library_600x900_2x.jpg", "hero_capsule.jpg"],
        "header": ["header.jpg", "capsule_616x353.jpg", "capsule_231x87.jpg"],
        "hero": ["library_hero.jpg", "library_hero_2x.jpg"],
    },
    7100020: {
        "vertical": [
            "5d1f0aa7c2b94e3388d6b1c0ff5a9e7712ab34cd/library_capsule.jpg",
            "5d1f0aa7c2b94e3388d6b1c0ff5a9e7712ab34cd/library_capsule_2x.jpg",
            "hero_capsule.jpg",
        ],
        "header": ["header.jpg"],
        "hero": ["88e0dd41a6f3c5b2917e4f60123456789abcdef0/library_hero.jpg"],
    },
    7100110: {"vertical": ["portrait.png"], "header": ["header.jpg"]},
    7100120: {"vertical": ["library_600x900_schinese.jpg"], "header": ["header.jpg"]},
    7100130: {
        "vertical": [
            "library_600x900_2x.jpg",
            "9a8b7c6d5e4f30211203f4e5d6c7b8a990817263/hero_capsule.jpg",
        ]
    },
    7100140: {
        "vertical": ["c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00/hero_capsule.jpg"],
        "header": ["header.jpg", "capsule_616x353.jpg"],
    },
    7100150: {},
    7100210: {
        "vertical": ["7ba4943/library_capsule_koreana.jpg", "7ba4943/library_capsule_koreana_2x.jpg"],
        "header": ["header.jpg"],
    },
    7100220: {"header": ["header.jpg"]},
}


@pytest.fixture(scope="module")
def found() -> dict[int, Item]:
    return replies.items(RESPONSE, tag_labels(RESPONSE), category_labels(RESPONSE))


def test_the_table_has_every_app_of_the_reply_and_nothing_else(found: dict[int, Item]) -> None:
    assert set(found) == set(EXPECTED) | set(REFUSED)
    requested = {row["id"] for row in RESPONSE["store_items"] if row["item_type"] == 0}
    assert requested == set(found) | set(UNANSWERED)


@pytest.mark.parametrize("appid", EXPECTED)
def test_each_field_is_read_right(found: dict[int, Item], appid: int) -> None:
    name, columns = EXPECTED[appid]
    item = found[appid]
    assert (item.appid, item.visible, item.name) == (appid, True, name)
    assert {key: value for key, value in item.columns.items() if key in READ} == columns
    assert item.unsafe == ()


@pytest.mark.parametrize("appid", PICTURES)
def test_each_picture_has_its_path_and_the_best_comes_first(found: dict[int, Item], appid: int) -> None:
    read = {kind: [asset.path for asset in assets] for kind, assets in found[appid].assets.items()}
    assert read == {
        kind: [f"steam/apps/{appid}/{name}" for name in names] for kind, names in PICTURES[appid].items()
    }
    (row,) = (one for one in RESPONSE["store_items"] if (one["item_type"], one["id"]) == (0, appid))
    query = row.get("assets", {}).get("asset_url_format", "").partition("?")[2]
    assert {asset.query for assets in found[appid].assets.values() for asset in assets} <= {query}


@pytest.mark.parametrize("appid", REFUSED)
def test_an_app_that_is_refused_is_hidden_and_has_no_details(found: dict[int, Item], appid: int) -> None:
    assert found[appid] == Item(appid, visible=False)


@pytest.mark.parametrize("appid", UNANSWERED)
def test_details_that_failed_are_neither_details_nor_a_refusal(found: dict[int, Item], appid: int) -> None:
    assert appid not in found


@pytest.mark.parametrize("first", [0, 1, 2])
def test_a_package_with_the_number_of_an_app_is_not_taken_for_it(first: int) -> None:
    rows = [row for row in RESPONSE["store_items"] if row["id"] in (7100110, 7100010)]
    assert {row["item_type"] for row in rows} == {0, 1, 2}
    rows = rows[first:] + rows[:first]
    found = replies.items({"store_items": rows}, {}, {})
    assert {appid: item.name for appid, item in found.items()} == {
        7100110: "Granite Waltz",
        7100010: "Lighthouse Accounting",
    }
    assert replies.items({"store_items": [row for row in rows if row["item_type"]]}, {}, {}) == {}


def test_each_category_has_a_readable_label_of_its_own() -> None:
    assert category_labels(RESPONSE) == CATEGORIES


def test_labels_that_repeat_without_an_internal_name_get_their_number() -> None:
    rows = [{"tagid": 5, "name": "Nu"}, {"tagid": 6, "name": "Nu"}, {"tagid": 7, "name": "Nu (5)"}]
    labels = tag_labels({"tags": [*rows, {"tagid": 8, "name": "Nuo"}]})
    assert labels == {5: "Nu (5) (5)", 6: "Nu (6)", 7: "Nu (5) (7)", 8: "Nuo"}
    token = {"categoryid": 9, "display_name": "#category_new"}
    assert category_labels({"categories": [token]}) == {9: "#category_new"}


@given(
    st.dictionaries(
        st.integers(0, 12), st.tuples(st.sampled_from(["A", "#a", "A (1)", "A (B)"]), st.sampled_from("AB1 "))
    )
)
def test_different_numbers_have_different_labels(written: dict[int, tuple[str, str]]) -> None:
    rows = [
        {"categoryid": number, "tagid": number, "name": label, "display_name": label, "internal_name": name}
        for number, (label, name) in written.items()
    ]
    for labels in (category_labels({"categories": rows}), tag_labels({"tags": rows})):
        assert set(labels) == set(written)
        assert len(set(labels.values())) == len(written)
        assert all(label.startswith(("A", "#", "B", "1")) for label in labels.values())
    assert labels_of([*written, *written], labels) == [labels[number] for number in written]


def test_an_app_is_of_the_type_that_its_number_says() -> None:
    assert [name_of(number) for number in (*range(15), None, 15, -1)] == [
        *("game", "demo", "mod", "movie", "dlc", "guide", "software", "video", "series", "episode"),
        *("hardware", "music", "beta", "tool", "advertising", "game", "other", "other"),
    ]
    for one in TYPES:
        row = {"id": 1, "success": 1, "visible": True, "type": str(one.code)}
        assert replies.items({"store_items": [row]}, {}, {})[1].columns["type"] == one.name


@pytest.mark.parametrize(
    ("reviews", "columns"),
    [
        ({"review_count": 0, "percent_positive": 0, "review_score_label": "No user reviews"}, {"reviews": 0}),
        ({"review_count": "0", "percent_positive": 0}, {"reviews": 0}),
        ({"review_count": 1, "percent_positive": 0}, {"reviews": 1, "positive_percent": 0}),
        ({}, {}),
    ],
)
def test_a_game_without_reviews_has_no_percentage_of_them(
    reviews: dict[str, Any], columns: dict[str, int]
) -> None:
    row = {"id": 1, "success": 1, "visible": True, "reviews": {"summary_filtered": reviews}}
    read = replies.items({"store_items": [row]}, {}, {})[1].columns
    assert {key: read[key] for key in read if "review" in key or "positive" in key} == columns


@pytest.mark.parametrize(
    ("unlisted", "visible", "delisted"),
    [(True, True, True), (1, True, True), (False, True, None), (None, True, None), (True, False, None)],
)
def test_an_unlisted_app_that_is_visible_is_delisted(
    unlisted: object, visible: bool, delisted: bool | None
) -> None:
    row = {"id": 1, "success": 1, "visible": visible, "unlisted": unlisted}
    item = replies.items({"store_items": [row]}, {}, {})[1]
    assert (item.visible, item.columns.get("delisted")) == (visible, delisted)


def test_an_app_is_not_its_own_parent() -> None:
    for parent, expected in ((1, None), (2, 2), ("1", None), (0, None)):
        row = {
            "id": 1,
            "appid": "1",
            "success": 1,
            "visible": True,
            "related_items": {"parent_appid": parent},
        }
        assert replies.items({"store_items": [row]}, {}, {})[1].columns.get("parent") == expected
