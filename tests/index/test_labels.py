from __future__ import annotations

import json
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steamdino.index.labels import read
from steamdino.index.literals import LONGEST, unpacked

TWO = ["Action", "Free to Play"]
FORMS = {
    "a list": TWO,
    "commas": "Action, Free to Play",
    "semicolons": "Action;Free to Play",
    "bars": " Action | Free to Play |",
    "SteamSpy's votes": {"Action": 5426, "Free to Play": 1},
    "votes with gaps, as a data frame writes them": {
        "Action": 5426.0,
        "RPG": None,
        "Indie": 0,
        "Free to Play": 2.0,
    },
    "appdetails": [{"id": "1", "description": "Action"}, {"id": "37", "description": "Free to Play"}],
    "a curator's": [{"name": "Action", "tagid": 19}, {"name": "Free to Play", "tagid": 113}],
    "a map in Parquet": [["Action", 5426], ["Free to Play", 1]],
    "among what is none": [None, 3, "", " Action ", {}, {"id": 4}, [], "Free to Play", True],
}


@pytest.mark.parametrize("name", FORMS)
def test_labels_are_read_from_each_form(name: str) -> None:
    assert list(read(FORMS[name])) == TWO


@pytest.mark.parametrize("name", [name for name, value in FORMS.items() if not isinstance(value, str)])
@pytest.mark.parametrize("write", [json.dumps, repr, lambda value: f" {json.dumps(value, indent=1)}\n"])
def test_labels_are_read_from_text_that_holds_each_form(name: str, write: object) -> None:
    assert list(read(write(FORMS[name]))) == TWO  # type: ignore[operator]


@pytest.mark.parametrize(
    "value", [None, 5, True, "", " , ;", {}, [], {"Action": "many"}, "[]", "{}", {"Action": -1}]
)
def test_what_holds_no_label_gives_none(value: object) -> None:
    assert list(read(value)) == []


def test_a_single_genre_is_an_object() -> None:
    assert list(read({"id": "1", "description": "Action"})) == ["Action"]


def test_a_bracket_in_a_text_does_not_make_it_an_object() -> None:
    assert list(read("[sic], Indie")) == ["[sic]", "Indie"]
    assert list(read("Shoot 'Em Up, [x]")) == ["Shoot 'Em Up", "[x]"]


def test_python_may_nest_as_deep_as_any_table_does() -> None:
    assert unpacked("[" * 8 + "'x'" + "]" * 8) == [[[[[[[["x"]]]]]]]]


def test_a_python_literal_may_be_as_long_as_the_limit_and_json_longer() -> None:
    longest = "['" + "x" * (LONGEST - 4) + "']"
    assert unpacked(longest) == ["x" * (LONGEST - 4)]
    longer = "['" + "x" * (LONGEST - 3) + "']"
    assert unpacked(longer) is longer
    assert unpacked(longer.replace("'", '"')) == ["x" * (LONGEST - 3)]


@pytest.mark.parametrize(
    "text",
    [
        "{'a': __import__('os').getcwd()}",
        "[" * 100_000,
        "[" * 9 + "'x'" + "]" * 9,
        "[" * 8 + "'x'" + "]" * 8 + "]",
        "{'a': " * 50 + "1" + "}" * 50,
        "[" + "1-" * 9000 + "1]",
        "['a' " * 3,
        "['\\d']",
        "[1is 2]",
        "{[]: 1}",
        "('a', 'b')",
        "[" + "1" * 5000 + "]",
    ],
)
def test_what_is_neither_json_nor_a_plain_literal_stays_text(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert unpacked(text) is text


PLAIN = st.recursive(
    st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="\\"), max_size=5)
    | st.integers(min_value=0) | st.sampled_from([0.5, 5426.0]) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["date", "x"]), inner, max_size=2),
    max_leaves=6,
).filter(lambda value: isinstance(value, list | dict))  # fmt: skip


@given(PLAIN)
def test_what_python_and_json_write_of_plain_values_is_read_back(value: object) -> None:
    assert unpacked(json.dumps(value)) == value
    assert unpacked(repr(value)) == value


ANYTHING = st.recursive(
    st.text(max_size=12) | st.integers() | st.floats() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@given(ANYTHING | st.text(alphabet="[]{}()'\":,-1aTrueNon \n\\"))
def test_any_value_gives_labels_that_are_not_empty(value: object) -> None:
    assert all(isinstance(label, str) and label.strip() == label != "" for label in read(value))
