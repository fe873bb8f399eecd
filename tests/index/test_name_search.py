from __future__ import annotations

import sqlite3

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from steamdino.index import facets, name_index, name_search
from steamdino.index.name_folding import fold

NAMES = [
    "Half-Life",
    "Half-Life 2: Episode One",
    "Half-Life 2",
    "2048",
    "Pokémon™ Éclair",
    "Baldur's Gate 3",
    "The Witcher 3: Wild Hunt",
    "Witchfire",
    "Minecraft",
    "Portal",
    "portal",
    "!!!",
    "日本語ゲーム",
    "Ori and the Blind Forest",
]


def _database(listed: list[str]) -> sqlite3.Connection:
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.execute("CREATE TABLE games (row INTEGER PRIMARY KEY, name TEXT, folded TEXT)")
    db.executemany(
        "INSERT INTO games VALUES (?, ?, ?)", [(n, s, fold(s)) for n, s in enumerate(listed)]
    )
    db.executescript(facets.SCHEMA)
    name_index.build(db)
    return db


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("Half-Life", ["Half-Life"]),
        ("half life", ["Half-Life"]),
        ("half", ["Half-Life", "Half-Life 2", "Half-Life 2: Episode One"]),
        ("Half-Life 2: Episode One", ["Half-Life 2: Episode One"]),
        ("episode half", ["Half-Life 2: Episode One"]),
        ("2048", ["2048"]),
        ("pokemon eclair", ["Pokémon™ Éclair"]),
        ("POKÉMON", ["Pokémon™ Éclair"]),
        ("baldurs gate", ["Baldur's Gate 3"]),
        ("witcher hunt", ["The Witcher 3: Wild Hunt"]),
        ("wit", ["Witchfire"]),
        ("craft", ["Minecraft"]),
        ("hlaf-life 2", ["Half-Life 2"]),
        ("baldrus gate 3", ["Baldur's Gate 3"]),
        ("Portal", ["Portal"]),
        ("portal", ["portal"]),
        ("PORTAL", ["Portal", "portal"]),
        ("!!!", ["!!!"]),
        ("日本語", ["日本語ゲーム"]),
        ("witcher 3 wild hunt", ["The Witcher 3: Wild Hunt"]),
        ("ori blind", ["Ori and the Blind Forest"]),
        ("zzzzqqq", []),
        ("", []),
        ('"', []),
    ],
)
def test_the_first_step_that_finds_anything_decides(query: str, expected: list[str]) -> None:
    found = [NAMES[row] for row in name_search.find(_database(NAMES), query)]
    if query == "hlaf-life 2":
        found = found[:1]  # with typos, others are near as well
    assert found == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("and ori", ["Ori and the Blind Forest"]),  # words of three letters are enough
        ("itc", ["Witchfire", "The Witcher 3: Wild Hunt"]),  # and so are three letters inside one
        ("tc", []),
        ("forest blind ori", ["Ori and the Blind Forest"]),
        ("rest blind for", []),  # "rest" is no word of it
        ("blind rest for", []),
    ],
)
def test_words_may_stand_in_any_order_and_only_the_last_may_be_unfinished(
    query: str, expected: list[str]
) -> None:
    assert [NAMES[row] for row in name_search.find(_database(NAMES), query)] == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("portal", ["portal"]),
        ("PORTAL", ["Portal", "portal"]),
        ("Pokemon Eclair", ["Pokémon™ Éclair"]),
        ("witcher 3 wild hunt", ["The Witcher 3: Wild Hunt"]),
        ("wit", []),
        ("", []),
    ],
)
def test_a_name_is_found_exactly_as_it_is_written_or_folded(query: str, expected: list[str]) -> None:
    assert [NAMES[row] for row in name_search.find_exact(_database(NAMES), query)] == expected


def test_no_more_names_are_found_than_are_asked_for() -> None:
    db = _database([f"Rain {n:02}" for n in range(30)])
    for search in (name_search.find, name_search.suggest, name_search.find_exact):
        for limit in (1, 7, 30):
            assert (
                len(search(db, "rain" if search is not name_search.find_exact else "Rain 03", limit)) <= limit
            )
    assert name_search.find(db, "rain", 7) == name_search.suggest(db, "rain", 7) == list(range(7))
    assert len(name_search.find(db, "ain", 7)) == 7
    long = _database([f"Rain over the harbour {n:02}" for n in range(30)])
    assert len(name_search.find(long, "rain ovre the harbour", 3)) == 3  # with a typo
    assert len(name_search.find(db, "rain")) == len(name_search.suggest(db, "rain")) == 10
    twins = _database(["Same"] * 30)
    assert len(name_search.find_exact(twins, "Same")) == 10


@pytest.mark.parametrize("typed", ["porxal", "poxtal"])
def test_a_name_with_a_typo_is_found_if_three_letters_in_a_row_are_right(typed: str) -> None:
    assert [NAMES[row] for row in name_search.find(_database(NAMES), typed)] == ["Portal", "portal"]


def test_quotation_marks_are_searched_for_like_any_other_characters() -> None:
    listed = ['!"""!', '!"!', "!!!"]
    assert [listed[row] for row in name_search.find(_database(listed), '"""')] == ['!"""!']


@given(st.lists(st.text(min_size=1), min_size=1, max_size=8), st.data())
def test_every_name_is_found_by_itself(listed: list[str], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(listed))
    if fold(name):
        assert name in [listed[row] for row in name_search.find(_database(listed), name)]


@given(st.text())
@example("::\0")
def test_no_query_whatever_raises(query: str) -> None:
    name_search.find(_database(NAMES), query)


@given(st.text())
def test_folding_twice_is_folding_once(name: str) -> None:
    assert fold(fold(name)) == fold(name)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("half", ["Half-Life 2", "Half-Life", "Half-Life 2: Episode One"]),
        ("half-life 2", ["Half-Life 2", "Half-Life 2: Episode One"]),
        ("wit", ["Witchfire", "The Witcher 3: Wild Hunt"]),
        ("por", ["portal", "Portal"]),
        ("mincraft", ["Minecraft"]),
        ("", []),
    ],
)
def test_what_is_being_typed_brings_the_most_reviewed_first_then_words_then_typos(
    typed: str, expected: list[str]
) -> None:
    db = _database(NAMES)
    db.execute("CREATE TABLE facets (row INTEGER PRIMARY KEY, reviews INTEGER)")
    reviews = {"Half-Life": 80, "Half-Life 2": 150, "portal": 9, "Portal": 1, "Witchfire": 3}
    db.executemany(
        "INSERT INTO facets VALUES (?, ?)",
        [(row, reviews[name]) for row, name in enumerate(NAMES) if name in reviews],
    )
    assert [NAMES[row] for row in name_search.suggest(db, typed)] == expected
    assert [NAMES[row] for row in name_search.suggest(db, typed, 1)] == expected[:1]


def test_without_reviews_shorter_names_come_first() -> None:
    assert NAMES[name_search.suggest(_database(NAMES), "half")[0]] == "Half-Life"
