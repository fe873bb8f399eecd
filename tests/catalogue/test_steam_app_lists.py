from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steamdino.appids import LARGEST_APPID, is_appid
from steamdino.catalogue.steam import app_lists
from steamdino.catalogue.steam.web_api import LONGEST_URL, Place, _items_json, batches
from steamdino.errors import SourceError, SteamDinoError, UsageError

NAMED = {730: "Counter-Strike 2", 570: "Dota 2"}


@pytest.mark.parametrize(
    "content",
    [
        "730,Counter-Strike 2\n570,Dota 2\n",
        '# mine\n730\tCounter-Strike 2\n\n570,"Dota 2"\n',
        "appid,name\n730,Counter-Strike 2\n570,Dota 2\n",
        '"appid"\t"name"\n"730"\t"Counter-Strike 2"\n"570"\t"Dota 2"\n',
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


NAMES = ["Counter-Strike 2", "1954", "2048", "Dota 2"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (NAMES, "seems to be a list of names, not of appIDs: one of them is 'Counter-Strike 2'; appIDs come"),
        (["1954", "2048", "007"], "a list of names, not of appIDs: one of them is '007'"),
        (["1954", ""], "a list of names, not of appIDs: one of them is ''"),
        ([730, "570", "N/A"], "a list of names, not of appIDs: one of them is 'N/A'"),
        ({"apps": NAMES}, "a list of names, not of appIDs: one of them is 'Counter-Strike 2'"),
        ([[730], NAMES], "a list of names, not of appIDs: one of them is 'Counter-Strike 2'"),
        ([{"id": "1954"}, {"id": "neonoir"}], "has the id 'neonoir', which is not an appID"),
        ({"007": 10}, "has the key '007', which is not an appID"),
        ({"1954": 10, "Portal": 400}, "has the key 'Portal', which is not an appID"),
        ("1954\n2048\nCounter-Strike 2\n", "something else than appIDs: line 3 is 'Counter-Strike 2'"),
        ("Portal\n\n# 7\n1954\n2048, the game\nDota 2", "than appIDs: line 6 is 'Dota 2'"),
        ("730,Counter\nStrike 2\n", "something else than appIDs: line 2 is 'Strike 2'"),
    ],
)
def test_a_list_of_names_is_not_taken_for_appids_though_some_are_numbers(
    tmp_path: Path, content: Any, message: str
) -> None:
    path = tmp_path / "apps"
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    with pytest.raises(SourceError) as error:
        app_lists.read(path)
    assert message in str(error.value)
    assert "\n" not in str(error.value) and "IStoreService.json" in str(error.value)


def test_quoted_appids_are_appids_unless_the_file_is_the_familys_list_of_names(tmp_path: Path) -> None:
    for name, content in (("app_ids.json", ["730", 570, " 10 "]), ("app_names.json", ["730", "570"])):
        (tmp_path / name).write_text(json.dumps(content))
    assert app_lists.read(tmp_path / "app_ids.json") == {730: None, 570: None, 10: None}
    with pytest.raises(SourceError, match="is a list of names, not of appIDs: the first is '730'"):
        app_lists.read(tmp_path / "app_names.json")
    # Of the same name, but with the appIDs.
    (tmp_path / "app_names.json").write_text('{"730": "Counter-Strike 2"}')
    assert app_lists.read(tmp_path / "app_names.json") == {730: "Counter-Strike 2"}


@given(st.lists(st.text(max_size=12) | st.integers(-3, 2**33), min_size=1, max_size=6))
def test_a_json_list_with_any_text_that_is_no_appid_is_refused(
    tmp_path_factory: Any, values: list[str | int]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any-values"
    path.write_text(json.dumps(values))
    texts = [value.strip() for value in values if isinstance(value, str)]
    try:
        found = set(app_lists.read(path))
    except SourceError:
        found = set()
    if all(map(is_appid, texts)):
        assert found == {n for n in map(int, values) if 0 < n <= LARGEST_APPID}
    else:
        assert not found


@pytest.mark.parametrize(("before", "after"), [("[", "]"), ('{"apps": ', "}")])
def test_a_list_is_read_however_deeply_it_is_nested_or_refused_by_our_own_error(
    tmp_path: Path, before: str, after: str
) -> None:
    for depth in (300, 5000, 200_000):
        (tmp_path / "apps.json").write_text(before * depth + "[730]" + after * depth)
        with contextlib.suppress(SourceError):
            assert app_lists.read(tmp_path / "apps.json") == {730: None}
            continue
        assert depth > 300


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
