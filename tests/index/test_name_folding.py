from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from steamdino.index.name_folding import LONGEST_WORD, fold, initials, number, numbers, words


@pytest.mark.parametrize(
    ("name", "folded"),
    [
        ("Pokémon™: Éclair—2", "pokemon eclair 2"),
        ("Baldur's Gate 3", "baldurs gate 3"),
        ("Baldur’s Gate 3", "baldurs gate 3"),
        ("ＦＵＬＬ　ＷＩＤＴＨ", "full width"),
        ("Straße", "strasse"),
        ("東京", "東京"),
        ("!!!", "!!!"),
        ("a\0b", "ab"),
    ],
)
def test_a_name_is_folded_to_what_people_type(name: str, folded: str) -> None:
    assert fold(name) == folded


@given(st.text(st.characters(codec="ascii")))
@example("It's")
def test_a_name_of_ascii_folds_as_it_does_beside_another_letter(name: str) -> None:
    assert fold(f"é {name}") == f"e {fold(name)}" or not any(c.isalnum() for c in name)


@given(st.text())
def test_folding_twice_is_folding_once(name: str) -> None:
    assert fold(fold(name)) == fold(name)


@given(st.text(st.characters(categories=["L", "Nd"])))
def test_both_normalisations_of_a_name_fold_to_the_same(name: str) -> None:
    assert fold(unicodedata.normalize("NFD", name)) == fold(unicodedata.normalize("NFC", name))


def test_katakana_and_hiragana_are_the_same_words() -> None:
    assert words(fold("ポケット モンスター")) == words(fold("ぽけっと もんすたー"))


@given(st.text())
def test_words_are_short_and_hold_nothing_that_the_full_text_index_takes_for_a_separator(name: str) -> None:
    for word in words(fold(name)):
        assert 0 < len(word) <= LONGEST_WORD
        assert all(c.isalnum() or not c.isascii() for c in word)


def test_roman_numerals_are_numbers_from_one_to_twenty() -> None:
    assert [number(word) for word in ("i", "iv", "ix", "x", "xiv", "xx")] == ["1", "4", "9", "10", "14", "20"]
    assert [number(word) for word in ("", "xxi", "iiii", "mix", "5")] == [None] * 5


def test_a_roman_numeral_counts_after_the_first_word() -> None:
    assert numbers(["final", "fantasy", "x", "ii"]) == ["10", "2"]
    assert numbers(["i", "robot"]) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Grand Theft Auto V", {"gta", "gta5", "gtav"}),
        ("Baldur's Gate 3", {"bg", "bg3"}),
        ("Counter-Strike: Global Offensive", {"csgo", "cs", "go"}),
        ("Call of Duty®: Modern Warfare® II", {"codmw", "codmw2", "codmwii", "cod", "mw", "mw2", "mwii"}),
        ("Half-Life", set()),
        ("Portal 2", set()),
        ("Left 4 Dead 2", {"l4", "l4d2"}),
        ("V Rising Is Here", {"vrih"}),
        ("One Two Three Four Five Six Seven Eight Nine", set()),
    ],
)
def test_a_name_of_three_words_has_initials_before_its_number_and_with_it(
    name: str, expected: set[str]
) -> None:
    assert set(initials(name, fold(name))) == expected
