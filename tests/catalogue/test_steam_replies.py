from __future__ import annotations

import contextlib
import json
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steamdino.catalogue.steam import numbered_labels, replies
from steamdino.catalogue.steam.asset_paths import Asset, is_safe
from steamdino.catalogue.steam.replies import App
from steamdino.errors import ReplyError

JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
FIELDS = (
    *(
        "item_type",
        "unlisted",
        "id",
        "appid",
        "success",
        "visible",
        "name",
        "type",
        "is_free",
        "is_early_access",
        "related_items",
    ),
    *("tagids", "tags", "categories", "content_descriptorids", "reviews", "release", "best_purchase_option"),
    *("assets", "platforms", "store_url_path"),
)
ITEM = st.fixed_dictionaries({}, optional={**dict.fromkeys(FIELDS, JUNK), "success": st.just(1) | JUNK})

REAL = {
    "item_type": 0,
    "id": 730,
    "success": 1,
    "visible": True,
    "name": "Counter-Strike 2",
    "store_url_path": "app/730/CounterStrike_2",
    "appid": "730",
    "type": 0,
    "is_free": True,
    "tagids": [1663, 1774, 99999],
    "categories": {"supported_player_categoryids": [49, 36], "feature_categoryids": [29]},
    "content_descriptorids": [2, 5],
    "reviews": {
        "summary_filtered": {
            "review_count": "9331234",
            "percent_positive": 86,
            "review_score": 8,
            "review_score_label": "Very Positive",
        }
    },
    "release": {"steam_release_date": 1345500000, "is_coming_soon": False},
    "best_purchase_option": {"final_price_in_cents": "1499"},
    "platforms": {"windows": True, "mac": False, "steamos_linux": True},
    "assets": {
        "asset_url_format": "steam/apps/730/${FILENAME}?t=1789251637",
        "library_capsule": "library_600x900.jpg",
        "library_capsule_2x": "library_600x900_2x.jpg",
        "header": "header.jpg",
    },
}


def response(**parts: Any) -> bytes:
    return json.dumps({"response": parts}).encode()


def test_a_real_item_is_read_with_all_that_can_be_filtered() -> None:
    found = replies.items({"store_items": [REAL]}, {1663: "FPS", 1774: "Shooter"}, {49: "PvP"})[730]
    assert (found.name, found.visible, found.unsafe) == ("Counter-Strike 2", True, ())
    assert found.columns == {
        "type": "game",
        "released": "2012-08-20",
        "tags": ["FPS", "Shooter", "99999"],
        "categories": ["PvP", "36", "29"],
        "descriptors": [2, 5],
        "reviews": 9331234,
        "positive_percent": 86,
        "review_score": "Very Positive",
        "free": True,
        "price_cents": 1499,
        "platforms": ["windows", "steamos_linux"],
        "early_access": False,
        "page": "app/730/CounterStrike_2",
    }
    assert found.assets["vertical"] == (
        Asset("library_capsule", "steam/apps/730/library_600x900.jpg", "t=1789251637"),
        Asset("library_capsule_2x", "steam/apps/730/library_600x900_2x.jpg", "t=1789251637"),
    )
    assert found.assets["header"] == (Asset("header", "steam/apps/730/header.jpg", "t=1789251637"),)


@pytest.mark.parametrize("descriptors", [[3], [4], [1, 3, 5]])
def test_adult_only_games_are_recognised_by_descriptors_3_and_4(descriptors: list[int]) -> None:
    item = {**REAL, "content_descriptorids": descriptors}
    assert replies.items({"store_items": [item]}, {}, {})[730].columns["adult"] is True


@pytest.mark.parametrize(
    ("success", "visible", "answered"),
    [
        (1, True, True),
        ("1", True, True),
        (15, False, True),
        (15, 0, True),
        (15, None, False),
        (15, True, False),
        (2, None, False),
        (None, None, False),
    ]
    + [(other, True, False) for other in (0, 2, 8, 16, 84, 4294967295, None, "one")],
)
def test_only_success_1_has_details_and_only_15_that_is_not_visible_is_a_refusal(
    success: object, visible: object, answered: bool
) -> None:
    item = {**REAL, "success": success, "visible": visible}
    assert (730 in replies.items({"store_items": [item]}, {}, {})) == answered


def test_a_hidden_app_is_identified_by_id_when_its_appid_is_0() -> None:
    rows = [{"id": 42, "appid": 0, "success": 15, "visible": False}]
    assert replies.items({"store_items": rows}, {}, {})[42].visible is False


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        ("../../etc/${FILENAME}", "x.jpg"),
        ("steam/apps/1/${FILENAME}", "../../x.jpg"),
        ("steam/apps/1/${FILENAME}", "%2e%2e/x.jpg"),
        ("https://evil.example/${FILENAME}", "x.jpg"),
        ("//evil.example/${FILENAME}", "x.jpg"),
        ("steam//${FILENAME}", "x.jpg"),
        ("/steam/${FILENAME}", "x.jpg"),
        ("steam\\${FILENAME}", "x.jpg"),
        ("steam/${FILENAME}?t=1&x=2", "x.jpg"),
        ("steam/${FILENAME}#", "x.jpg"),
        ("steam/a:b/${FILENAME}", "x.jpg"),
        ("steam/\n/${FILENAME}", "x.jpg"),
    ],
)
def test_a_path_that_leads_elsewhere_is_reported_and_not_used(pattern: str, name: str) -> None:
    item = {**REAL, "assets": {"asset_url_format": pattern, "library_capsule": name}}
    found = replies.items({"store_items": [item]}, {}, {})[730]
    assert found.assets == {}
    assert found.unsafe == ("library_capsule",)


@given(st.text(max_size=40), st.text(max_size=12))
def test_a_safe_path_has_no_dot_dot_and_no_host(path: str, query: str) -> None:
    if is_safe(path, query):
        parts = unquote(path).split("/")
        assert all(part not in ("", ".", "..") for part in parts)
        assert "\\" not in unquote(path)
        assert "://" not in path
        assert path == path.strip("/")


@pytest.mark.slow
@given(st.lists(ITEM, max_size=5))
def test_an_odd_item_breaks_no_other_and_is_kept_if_its_id_can_be_read(
    rows: list[dict[str, Any]],
) -> None:
    found = replies.items({"store_items": [*rows, REAL]}, {}, {})
    assert found[730].name == "Counter-Strike 2"
    for row in rows:
        if row.get("item_type", 0) not in (0, None):
            continue  # it may be no app
        for key in ("id", "appid"):
            number = row.get(key)
            if isinstance(number, int) and not isinstance(number, bool) and 0 < number < 2**32:
                if row.get("success") == 1 and not isinstance(row["success"], bool):
                    assert number in found
                break
    json.dumps([dict(item.columns) for item in found.values()])  # all of it can be stored


@given(
    st.dictionaries(
        st.sampled_from(("apps", "ids", "metadata", "ranks", "tags", "have_more_results", "last_appid")), JUNK
    )
)
def test_a_reply_of_any_shape_is_read_or_refused_by_our_own_error(parts: dict[str, Any]) -> None:
    for read in (
        replies.app_list,
        replies.query_page,
        replies.most_played,
        numbered_labels.tag_labels,
        numbered_labels.category_labels,
        lambda r: replies.items(r, {}, {}),
    ):
        with contextlib.suppress(ReplyError):
            read(parts)


@given(st.binary(max_size=200))
def test_bytes_that_are_not_a_reply_raise_only_our_own_error(data: bytes) -> None:
    with pytest.raises(ReplyError):
        replies.decoded(data)


@given(st.integers(0, 500))
def test_a_reply_that_is_cut_off_anywhere_is_refused(length: int) -> None:
    whole = response(store_items=[REAL])
    with pytest.raises(ReplyError):
        replies.decoded(whole[: min(length, len(whole) - 1)])


def test_deeply_nested_json_is_refused() -> None:
    with pytest.raises(ReplyError):
        replies.decoded(b"[" * 100_000)


def test_pages_of_the_list_have_the_cursor_of_the_next_page() -> None:
    rows = [{"appid": 10, "name": "A", "last_modified": 5}, {"appid": "20", "name": 7}, {"appid": -1}, "junk"]
    page = replies.app_list({"apps": rows, "have_more_results": True, "last_appid": 20})
    assert page.apps == (App(10, "A", 5), App(20))
    assert page.cursor == 20
    assert replies.app_list({"apps": rows}).cursor is None  # the last one says nothing at all
    assert (
        replies.app_list({"apps": rows, "have_more_results": True}).cursor == 20
    )  # a cursor that was forgotten
    assert replies.app_list({"apps": rows, "have_more_results": "false"}).cursor is None
    assert replies.app_list({}, required=False).apps == ()
    with pytest.raises(ReplyError, match="'many' for 'have_more_results'"):
        replies.app_list({"apps": rows, "have_more_results": "many"})
    with pytest.raises(ReplyError, match="no list 'apps'"):
        replies.app_list({})


def test_pages_of_the_query_have_the_total() -> None:
    page = replies.query_page({"metadata": {"total_matching_records": "184000"}, "ids": [{"appid": 10}, {}]})
    assert (page.apps, page.total) == ((App(10),), 184_000)
    for metadata in ({}, {"total_matching_records": "many"}, {"total_matching_records": -1}):
        with pytest.raises(ReplyError, match="how many games"):
            replies.query_page({"metadata": metadata, "ids": [{"appid": 10}]})


def test_the_most_played_are_in_the_order_of_rank() -> None:
    ranks = [{"rank": 2, "appid": 20}, {"rank": 1, "appid": 10}, {"rank": 3, "appid": 20}]
    assert replies.most_played({"ranks": ranks}) == [10, 20]


def test_of_the_most_played_those_without_a_rank_come_last_as_they_are_listed() -> None:
    ranks = [{"appid": 30}, {"rank": 2, "appid": 20}, {"rank": "?", "appid": 40}, {"rank": 1, "appid": 10}]
    assert replies.most_played({"ranks": ranks}) == [10, 20, 30, 40]


@pytest.mark.parametrize(
    ("value", "number"),
    [(5, 5), ("5", 5), (" 7 ", 7), (12.0, 12), (True, None), (1.5, None), ("x", None), (float("nan"), None),
     (float("inf"), None), (10**30, None), ("9" * 40, None), (None, None), ([], None), ("٣", None)],
)  # fmt: skip
def test_whole_numbers_are_read_in_every_form(value: Any, number: int | None) -> None:
    assert replies.whole(value) == number


@given(st.text(max_size=600))
def test_a_text_becomes_one_line_that_can_be_stored(raw: str) -> None:
    found = replies.text(raw)
    if found is not None:
        assert found.isprintable()
        assert found == found.strip() != ""
        found.encode()
