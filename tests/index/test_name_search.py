"""What people type, and what they find."""

from __future__ import annotations

import json
import sqlite3
import unicodedata
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from tests.fakes.memory_database import memory_database

from steamdino.index import facets, name_index, name_search
from steamdino.index.name_folding import fold

REVIEWS = {
    "Grand Theft Auto V": 900,
    "Counter-Strike 2": 890,
    "The Witcher 3: Wild Hunt": 800,
    "Baldur's Gate 3": 790,
    "Red Dead Redemption 2": 780,
    "The Legend of Zelda: Breath of the Wild": 700,
    "Pokémon™ Violet": 690,
    "Assassin's Creed® Unity": 600,
    "Assassin’s Creed® IV Black Flag™": 590,
    "Half-Life 2": 580,
    "Half-Life": 570,
    "Half-Life 2: Episode One": 560,
    "DARK SOULS™ III": 550,
    "StarCraft II": 540,
    "The Elder Scrolls V: Skyrim": 530,
    "FINAL FANTASY VII": 520,
    "FINAL FANTASY X/X-2 HD Remaster": 510,
    "Call of Duty®: Modern Warfare® II": 500,
    "Minecraft": 490,
    "Counter-Strike: Global Offensive": 480,
    "Tom Clancy's Ghost Recon® Wildlands": 470,
    "東京ザナドゥ": 460,
    "東京喰種": 450,
    "平安京エイリアン": 440,
    "던전앤파이터": 430,
    "Ведьмак": 420,
    "2048": 410,
    "Ori and the Blind Forest": 400,
    "Richter's Wicker": 30,
    "Witchfire": 20,
    "Assassinate Them": 10,
    "Portal": 9,
    "portal": 8,
    "Startup Company": 7,
    "!!!": 6,
    "Star Trek": 5,
    "Vice": 4,
}
NAMES = list(REVIEWS)


def _database(names: Sequence[str], reviews: Sequence[int] = ()) -> sqlite3.Connection:
    db = memory_database(isolation_level=None)
    db.execute("CREATE TABLE games (row INTEGER PRIMARY KEY, name TEXT, folded TEXT)")
    db.executescript(facets.SCHEMA)
    db.executemany("INSERT INTO games VALUES (?, ?, ?)", [(n, s, fold(s)) for n, s in enumerate(names)])
    facets.fill(db, enumerate(json.dumps({"reviews": count}) for count in reviews))
    name_index.build(db)
    return db


@pytest.fixture(scope="module")
def gallery() -> sqlite3.Connection:
    return _database(NAMES, list(REVIEWS.values()))


def _suggested(db: sqlite3.Connection, typed: str, names: Sequence[str] = NAMES) -> list[str]:
    return [names[row] for row in name_search.suggest(db, typed)]


def _found(db: sqlite3.Connection, typed: str, names: Sequence[str] = NAMES) -> list[str]:
    return [names[row] for row in name_search.find(db, typed)]


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        # Typos
        ("zlda", "The Legend of Zelda: Breath of the Wild"),
        ("assasin", "Assassin's Creed® Unity"),
        ("asassin cred", "Assassin's Creed® Unity"),
        ("wichter", "The Witcher 3: Wild Hunt"),
        ("the wicther 3", "The Witcher 3: Wild Hunt"),
        ("pokmon", "Pokémon™ Violet"),
        ("hlaf-life 2", "Half-Life 2"),
        ("baldrus gate 3", "Baldur's Gate 3"),
        ("porxal", "Portal"),
        ("ortal", "Portal"),
        ("skyirm", "The Elder Scrolls V: Skyrim"),
        ("elder scrols skirym", "The Elder Scrolls V: Skyrim"),
        ("ведьмк", "Ведьмак"),
        # while the last word is unfinished
        ("mincra", "Minecraft"),
        ("manec", "Minecraft"),
        ("assasi", "Assassin's Creed® Unity"),
        ("the witcehr 3 wil", "The Witcher 3: Wild Hunt"),
        # in a short word
        ("legend fo zelda", "The Legend of Zelda: Breath of the Wild"),
        ("ori adn the blind", "Ori and the Blind Forest"),
        # Initials and numbers
        ("gta 5", "Grand Theft Auto V"),
        ("gta5", "Grand Theft Auto V"),
        ("gtav", "Grand Theft Auto V"),
        ("gta", "Grand Theft Auto V"),
        ("grand theft auto 5", "Grand Theft Auto V"),
        ("rdr2", "Red Dead Redemption 2"),
        ("bg 3", "Baldur's Gate 3"),
        ("csgo", "Counter-Strike: Global Offensive"),
        ("cs go", "Counter-Strike: Global Offensive"),
        ("cod mw2", "Call of Duty®: Modern Warfare® II"),
        ("dark souls 3", "DARK SOULS™ III"),
        ("final fantasy 7", "FINAL FANTASY VII"),
        ("final fantasy 10", "FINAL FANTASY X/X-2 HD Remaster"),
        ("half life ii", "Half-Life 2"),
        ("assassins creed 4", "Assassin’s Creed® IV Black Flag™"),
        # Spaces
        ("darksouls", "DARK SOULS™ III"),
        ("counterstrike", "Counter-Strike 2"),
        ("grandtheftau", "Grand Theft Auto V"),
        ("star craft", "StarCraft II"),
        ("mine craft", "Minecraft"),
        ("ghostrecon", "Tom Clancy's Ghost Recon® Wildlands"),
        ("tom clancys ghostrec", "Tom Clancy's Ghost Recon® Wildlands"),
        ("star t", "Star Trek"),
        # Words and parts of words
        ("blind ori", "Ori and the Blind Forest"),
        ("assassin creed", "Assassin's Creed® Unity"),
        ("craft", "StarCraft II"),
        ("rest blind for", "Ori and the Blind Forest"),
        # Other writings
        ("東京", "東京ザナドゥ"),
        ("東", "東京ザナドゥ"),
        ("喰", "東京喰種"),
        ("エイ", "平安京エイリアン"),
        ("えいりあん", "平安京エイリアン"),
        ("ｴｲﾘｱﾝ", "平安京エイリアン"),
        ("던전", "던전앤파이터"),
        ("던ㅈ", "던전앤파이터"),
        ("파이터", "던전앤파이터"),
        (unicodedata.normalize("NFD", "던전"), "던전앤파이터"),
        (unicodedata.normalize("NFD", "ザナドゥ"), "東京ザナドゥ"),
        (unicodedata.normalize("NFD", "pokémon"), "Pokémon™ Violet"),
        ("ＧＴＡ　５", "Grand Theft Auto V"),
        ("v", "Vice"),
        ("p", "Pokémon™ Violet"),
        ("!", "!!!"),
    ],
)
def test_what_people_type_finds_first_what_they_mean(
    gallery: sqlite3.Connection, typed: str, meant: str
) -> None:
    assert _suggested(gallery, typed)[0] == meant
    assert _found(gallery, typed)[0] == meant


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("half", ["Half-Life 2", "Half-Life", "Half-Life 2: Episode One"]),
        ("half-life", ["Half-Life", "Half-Life 2", "Half-Life 2: Episode One"]),  # equal before most reviewed
        ("portal", ["portal", "Portal"]),  # exact before folded
        ("PORTAL", ["Portal", "portal"]),
        ("wit", ["Witchfire", "The Witcher 3: Wild Hunt"]),  # beginning before most reviewed
        ("itch", ["The Witcher 3: Wild Hunt", "Witchfire"]),
        ("star", ["StarCraft II", "Startup Company", "Star Trek"]),
        ("star tr", ["Star Trek", "StarCraft II", "Startup Company"]),  # a short word may be too many
        ("portal 3", ["Portal", "portal"]),
        ("it", []),  # two letters inside a word are too few
        ("zzzzqqq", []),
        ("", []),
        (" ", []),
        ("\0", []),
        ('"', []),
    ],
)
def test_names_come_in_the_order_of_how_well_they_match_and_then_of_their_reviews(
    gallery: sqlite3.Connection, typed: str, expected: list[str]
) -> None:
    assert _suggested(gallery, typed) == expected


def test_a_smaller_distance_comes_before_more_reviews() -> None:
    names = ["Wonderlands", "Wonderland"]
    assert _suggested(_database(names, [9, 1]), "wunderland", names) == ["Wonderland", "Wonderlands"]


def test_names_much_less_similar_than_the_best_are_left_out() -> None:
    names = ["Wunderlamp", "Wunderlant"]
    db = _database(names, [9, 1])
    assert _suggested(db, "wunderland", names) == ["Wunderlant"]
    assert _suggested(db, "wunderlimp", names) == ["Wunderlamp"]
    assert _suggested(db, "wunterlimp", names) == ["Wunderlamp"]


def test_a_name_without_the_comes_before_the_one_with_it() -> None:
    names = ["The Forest", "Forest"]
    assert _suggested(_database(names, [9, 1]), "FOREST", names) == ["Forest", "The Forest"]


def test_a_number_in_either_digits_comes_before_the_name_without_it() -> None:
    names = ["Quake", "Quake 3", "Doom", "Doom III"]
    db = _database(names, [9, 1, 9, 1])
    assert _suggested(db, "quake iii", names)[0] == "Quake 3"
    assert _suggested(db, "doom 3", names)[0] == "Doom III"


def test_another_first_letter_comes_after_other_typos() -> None:
    names = ["Cortal", "Pertal"]
    assert _suggested(_database(names, [9, 1]), "portal", names) == ["Pertal", "Cortal"]


def test_typos_are_thought_of_only_if_little_is_found_without() -> None:
    names = ["Storm One", "Storm Two", "Storm Three", "Stork", "Storms"]
    db = _database(names)
    assert _suggested(db, "storm", names) == ["Storms", "Storm One", "Storm Two", "Storm Three"]
    assert _suggested(db, "stork", names) == ["Stork"]  # and not if a name is equal
    assert "Storm One" in _suggested(db, "sturm", names)


def test_numbers_have_no_typos(gallery: sqlite3.Connection) -> None:
    assert _suggested(gallery, "2049") == []


def test_the_best_matches_alone_are_found_when_one_game_is_meant(gallery: sqlite3.Connection) -> None:
    assert _found(gallery, "Half-Life") == ["Half-Life"]
    assert _found(gallery, "half") == ["Half-Life 2", "Half-Life", "Half-Life 2: Episode One"]
    assert _found(gallery, "witcher hunt") == ["The Witcher 3: Wild Hunt"]


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("portal", ["portal"]),
        ("PORTAL", ["Portal", "portal"]),
        ("Pokemon Violet", ["Pokémon™ Violet"]),
        ("witcher 3 wild hunt", ["The Witcher 3: Wild Hunt"]),
        ("wit", []),
        ("", []),
    ],
)
def test_a_name_is_found_exactly_as_it_is_written_or_folded(
    gallery: sqlite3.Connection, typed: str, expected: list[str]
) -> None:
    assert [NAMES[row] for row in name_search.find_exact(gallery, typed)] == expected


def test_no_more_names_are_found_than_are_asked_for() -> None:
    db = _database([f"Rain {n:02}" for n in range(30)])
    assert name_search.find(db, "rain", 7) == name_search.suggest(db, "rain", 7) == list(range(7))
    assert len(name_search.find(db, "ain", 7)) == 7
    assert len(name_search.find(db, "rain")) == len(name_search.suggest(db, "rain")) == 10
    twins = _database(["Same"] * 30)
    assert len(name_search.find_exact(twins, "Same")) == 10
    assert name_search.find_exact(twins, "Same", 3) == [0, 1, 2]


def test_more_names_than_words_are_compared_with_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("steamdino.index.name_typos.ALTERNATIVES", 2)
    names = [f"A unique{letter}" for letter in "abcdefgh"]
    assert _suggested(_database(names), "unique", names) == names
    assert _suggested(_database(names), "nique", names) == names[:2]


def test_a_long_part_of_a_word_is_compared_to_its_end() -> None:
    names = ["Xabcdefghijklmnop", "Xabcdefghijklzzzz"]
    assert _suggested(_database(names), "abcdefghijklmn", names) == names[:1]


def test_words_beyond_the_most_are_found_whole_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("steamdino.index.name_index.MOST_WORDS", 1)
    names = ["Alpine", "Borealis"]
    db = _database(names, [9, 1])
    assert _suggested(db, "alpina", names) == ["Alpine"]
    assert _suggested(db, "boreal", names) == ["Borealis"]
    assert _suggested(db, "borealix", names) == []


LETTERS = st.sampled_from("abcdefgé")
WORD = st.text(LETTERS, min_size=4, max_size=8)


@given(st.lists(st.text(min_size=1), min_size=1, max_size=8), st.data())
def test_every_name_is_found_by_itself_and_by_its_other_normalisation(
    names: list[str], data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(names))
    assume(fold(name))
    db = _database(names)
    assert _found(db, name, names)[0] == name
    assert fold(name) in [fold(one) for one in _found(db, unicodedata.normalize("NFD", name), names)]


@pytest.mark.slow
@given(st.lists(st.lists(WORD, min_size=1, max_size=3).map(" ".join), min_size=1, max_size=6))
def test_every_unique_beginning_of_a_name_finds_it(names: list[str]) -> None:
    db = _database(names)
    for name in names:
        for end in range(3, len(name) + 1):
            typed = fold(name[:end])
            if [fold(one).startswith(typed) for one in names].count(True) == 1:
                assert name == _suggested(db, typed, names)[0]


@given(st.lists(st.lists(WORD, min_size=1, max_size=3).map(" ".join), min_size=1, max_size=3), st.data())
def test_every_name_of_six_letters_is_found_by_one_typo(names: list[str], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(names))
    assume(len(name) >= 6)
    place = data.draw(st.sampled_from([place for place, letter in enumerate(name) if letter != " "]))
    kinds = {
        "left out": name[:place] + name[place + 1 :],
        "added": name[:place] + "x" + name[place:],
        "replaced": name[:place] + "x" + name[place + 1 :],
    }
    if name[place + 1 : place + 2].strip():
        kinds["swapped"] = name[:place] + name[place + 1] + name[place] + name[place + 2 :]
    typed = data.draw(st.sampled_from(sorted(kinds.values())))
    assume(all(fold(typed) != fold(one) for one in names if one != name))
    assert name in _suggested(_database(names), typed, names)


@given(st.text())
@example("::\0")
@example('"""')
@example("\ud800")
@example("\x01\x02")
@example("a " * 300)
@example("a" * 3000)
@example("ab" * 20 + " " + "cd" * 20)
@example(" ".join(f"word{n}" for n in range(100)))
@example("NEAR(a b) OR * ^ - col:")
@settings(deadline=None)
def test_no_text_whatever_raises(gallery: sqlite3.Connection, typed: str) -> None:
    name_search.find(gallery, typed)
    name_search.find_exact(gallery, typed)
    assert len(set(name_search.suggest(gallery, typed))) == len(name_search.suggest(gallery, typed)) <= 10


@given(
    st.lists(
        st.tuples(st.lists(WORD, min_size=1, max_size=2).map(" ".join), st.integers(0, 3), st.booleans()),
        min_size=1,
        max_size=30,
    ),
    st.data(),
)
@settings(deadline=None)
def test_under_a_mask_the_suggestions_are_those_of_a_gallery_of_these_games_alone(
    games: list[tuple[str, int, bool]], data: st.DataObject
) -> None:
    names, reviews, allowed = zip(*games, strict=True)
    typed = data.draw(st.one_of(st.sampled_from(names), WORD, st.text(LETTERS, min_size=1, max_size=3)))
    typed = typed[: data.draw(st.integers(1, 12))]
    everything = _database(names, reviews)
    rows = [row for row, here in enumerate(allowed) if here]
    alone = _database([names[row] for row in rows], [reviews[row] for row in rows])
    for limit in (1, 3, 10):
        found = name_search.suggest(everything, typed, limit, np.array(allowed))
        assert found == [rows[row] for row in name_search.suggest(alone, typed, limit)]


def test_a_mask_that_lets_one_game_in_a_thousand_through_loses_no_suggestion() -> None:
    names = [f"Rain {n}" for n in range(2000)]
    mask = np.zeros(len(names), np.bool_)
    mask[[999, 1999]] = True
    db = _database(names, list(range(len(names), 0, -1)))
    for typed in ("r", "rain", "ain", "rian"):
        assert name_search.suggest(db, typed, 10, mask) == [999, 1999]


def test_more_suggestions_begin_with_the_same_ones(gallery: sqlite3.Connection) -> None:
    for typed in ("h", "half", "assasin", "the", "witche", "portl"):
        most = name_search.suggest(gallery, typed, 50)
        assert [name_search.suggest(gallery, typed, limit) for limit in range(1, 12)] == [
            most[:limit] for limit in range(1, 12)
        ]


def test_a_snapshot_of_an_older_program_finds_exact_names_and_parts() -> None:
    db = memory_database(isolation_level=None)
    db.execute("CREATE TABLE games (row INTEGER PRIMARY KEY, name TEXT, folded TEXT)")
    db.executemany("INSERT INTO games VALUES (?, ?, ?)", [(n, s, fold(s)) for n, s in enumerate(NAMES)])
    assert not name_index.is_current(db)
    assert _found(db, "Portal") == ["Portal"]
    assert _suggested(db, "half") == ["Half-Life", "Half-Life 2", "Half-Life 2: Episode One"]
    assert _suggested(db, "forest blind") == ["Ori and the Blind Forest"]
    assert _suggested(db, "craft") == ["Minecraft", "StarCraft II"]
    assert _suggested(db, "or")[0] == "Ori and the Blind Forest"  # although "Portal" is shorter
    assert _suggested(db, "zlda") == []
    assert name_search.suggest(db, "half", 10, np.array(["2" in name for name in NAMES])) == [
        NAMES.index("Half-Life 2"),
        NAMES.index("Half-Life 2: Episode One"),
    ]
