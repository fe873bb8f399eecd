from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steamdino.appids import LARGEST_APPID
from steamdino.catalogue.steam import app_lists
from steamdino.catalogue.steam.web_api import LONGEST_URL, Place, _items_json, batches
from steamdino.errors import SourceError, SteamDinoError, UsageError

NAMED = {730: "Counter-Strike 2", 570: "Dota 2"}


@pytest.mark.parametrize(
    "content",
    [
        "730,Counter-Strike 2\n570,Dota 2\n",
        '# mine\n730\tCounter-Strike 2\n\n570,"Dota 2"\nno number\n',
        {
            "response": {
                "apps": [{"appid": 730, "name": "Counter-Strike 2"}, {"appid": 570, "name": "Dota 2"}]
            }
        },
        {"apps": [{"appid": 730, "name": "Counter-Strike 2"}, {"appid": "570", "name": "Dota 2"}]},
        {"applist": {"apps": [{"appid": 730, "name": "Counter-Strike 2"}, {"appid": 570, "name": "Dota 2"}]}},
        {"730": {"appid": 730, "name": "Counter-Strike 2", "owners": "50"}, "570": {"name": "Dota 2"}},
        {"730": "Counter-Strike 2", "570": "Dota 2"},
        [{"appid": 730, "name": "Counter-Strike 2"}, {"appid": 570, "name": "Dota 2"}],
        [[{"appid": 730, "name": "Counter-Strike 2"}], [{"appid": 570, "name": "Dota 2"}]],
    ],
)
def test_every_format_of_app_lists_is_read(tmp_path: Path, content: Any) -> None:
    path = tmp_path / "apps"
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    assert app_lists.read(path) == NAMED


def test_lines_may_be_indented_comments_and_names_may_hold_commas(tmp_path: Path) -> None:
    path = tmp_path / "apps.txt"
    path.write_text('  # 99,not an app\n730,"Counter-Strike 2, and more, of it"\n', "utf-8")
    assert app_lists.read(path) == {730: "Counter-Strike 2, and more, of it"}


def test_the_first_name_of_an_app_stays_and_one_without_a_name_gets_it_later(tmp_path: Path) -> None:
    path = tmp_path / "apps.txt"
    path.write_text("730\n730,First\n730,Second\n", "utf-8")
    assert app_lists.read(path) == {730: "First"}


def test_appids_are_from_1_to_the_largest_one(tmp_path: Path) -> None:
    path = tmp_path / "apps.json"
    largest = LARGEST_APPID
    path.write_text(json.dumps([0, 1, largest, largest + 1, -1]), "utf-8")
    assert app_lists.read(path) == {1: None, largest: None}


def test_json_may_begin_after_white_space(tmp_path: Path) -> None:
    path = tmp_path / "apps.json"
    path.write_text("\n  [10]\n", "utf-8")
    assert app_lists.read(path) == {10: None}


def test_a_list_of_numbers_has_no_names(tmp_path: Path) -> None:
    path = tmp_path / "app_ids.json"
    path.write_text("[10, 20, 30, 20]")
    assert app_lists.read(path) == {10: None, 20: None, 30: None}


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ("", SourceError, "lists no app"),
        ("[1, 2", SourceError, "starts like JSON"),
        ("hello", SourceError, "no app"),
    ],
)
def test_a_file_that_is_not_a_list_is_refused_with_the_reason(
    tmp_path: Path, content: str, error: type[Exception], message: str
) -> None:
    path = tmp_path / "apps"
    path.write_text(content)
    with pytest.raises(error, match=message):
        app_lists.read(path)


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        app_lists.read(tmp_path / "none")


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_by_our_own_error(tmp_path_factory: Any, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any-list"
    path.write_bytes(data)
    with contextlib.suppress(SteamDinoError):
        assert all(0 < appid < 2**32 for appid in app_lists.read(path))


@given(st.lists(st.integers(1, 2**32 - 1), max_size=900))
def test_batches_fit_into_one_address_and_contain_every_app(appids: list[int]) -> None:
    made = batches(appids, Place())
    assert [appid for batch in made for appid in batch] == appids
    assert all(0 < len(batch) <= 200 for batch in made)
    assert all(len(_items_json(batch, Place())) <= LONGEST_URL for batch in made)
