from __future__ import annotations

import re
from collections import Counter

import pytest

from steamdino.sample import FictionalGame, fictional_games

DEFECTS = {
    "exact",
    "reencoded",
    "reskin",
    "mirrored",
    "greyscale",
    "cmyk",
    "blank",
    "large",
    "horizontal",
    "broken",
    "missing",
    "alpha",
    "palette",
    "rotated",
    "hostile-name",
}
RESERVED = {"con", "prn", "aux", "nul", *(f"com{n}" for n in range(10)), *(f"lpt{n}" for n in range(10))}


@pytest.fixture(scope="module")
def games() -> tuple[FictionalGame, ...]:
    return fictional_games()


def test_the_store_is_as_large_as_a_small_shop(games: tuple[FictionalGame, ...]) -> None:
    assert 440 <= len(games) <= 520


def test_the_truth_is_the_same_every_time(games: tuple[FictionalGame, ...]) -> None:
    assert fictional_games() == games


def test_ids_names_and_files_are_unique(games: tuple[FictionalGame, ...]) -> None:
    for values in (
        [game.id for game in games],
        [game.name for game in games],
        [game.file.lower() for game in games if game.file],
    ):
        assert [value for value, count in Counter(values).items() if count > 1] == []


def test_ids_are_safe_as_file_names_on_every_system(games: tuple[FictionalGame, ...]) -> None:
    for game in games:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", game.id), game
        assert game.id not in RESERVED
        assert len(game.id) <= 80


def test_files_lie_below_the_banners_of_their_theme_and_carry_the_id(
    games: tuple[FictionalGame, ...],
) -> None:
    for game in games:
        if game.file:
            assert re.fullmatch(rf"banners/{game.theme}/{game.id}\.(jpg|png)", game.file), game


def test_there_are_at_least_twelve_themes_of_a_useful_size(games: tuple[FictionalGame, ...]) -> None:
    sizes = Counter(game.theme for game in games)
    assert len(sizes) >= 12
    assert min(sizes.values()) >= 20


def test_franchises_have_two_to_four_games_of_one_theme_and_one_developer(
    games: tuple[FictionalGame, ...],
) -> None:
    series: dict[str, list[FictionalGame]] = {}
    for game in games:
        if game.franchise:
            series.setdefault(game.franchise, []).append(game)
    assert 55 <= len(series) <= 70
    for name, members in series.items():
        assert 2 <= len(members) <= 4, name
        assert len({game.theme for game in members}) == 1
        assert len({game.developer for game in members}) == 1
        assert all(game.name.startswith(name) for game in members)
        assert [game.year for game in members] == sorted(game.year for game in members)


def test_every_documented_defect_occurs_and_no_other(games: tuple[FictionalGame, ...]) -> None:
    assert {game.defect for game in games} - {""} == DEFECTS


def test_both_kinds_of_blank_banner_occur_at_least_twice(games: tuple[FictionalGame, ...]) -> None:
    assert sum(game.defect == "blank" for game in games) >= 4


def test_a_copy_names_an_ordinary_game_of_its_own_theme(games: tuple[FictionalGame, ...]) -> None:
    by_id = {game.id: game for game in games}
    copies = [game for game in games if game.duplicate_of]
    assert copies
    for game in copies:
        assert by_id[game.duplicate_of].defect == ""
        assert by_id[game.duplicate_of].theme == game.theme
    for kind in ("exact", "reencoded", "reskin", "mirrored"):
        assert all(game.duplicate_of for game in games if game.defect == kind)


def test_only_the_game_without_a_banner_has_no_file(games: tuple[FictionalGame, ...]) -> None:
    assert {game.defect for game in games if not game.file} == {"missing"}


def test_tags_can_be_joined_with_a_semicolon(games: tuple[FictionalGame, ...]) -> None:
    for game in games:
        assert game.tags
        assert all(tag and ";" not in tag for tag in game.tags)


def test_names_that_break_careless_programs_occur(games: tuple[FictionalGame, ...]) -> None:
    names = {game.name for game in games}
    assert '<script>alert("x")</script>' in names
    assert {"=1+1", "@SUM(A1)", "1984"} <= names
    assert any(len(name) == 200 for name in names)
    assert any("\t" in name for name in names)
    assert any('"' in name and "," in name for name in names)
    assert any("\u0590" <= letter <= "\u05ff" for name in names for letter in name)
    assert any("\u0600" <= letter <= "\u06ff" for name in names for letter in name)
    assert any(ord(letter) > 0x1F000 for name in names for letter in name)
    assert any(": " in name for name in names)


def test_no_name_has_a_line_break_or_space_around_it(games: tuple[FictionalGame, ...]) -> None:
    for game in games:
        assert game.name == game.name.strip()
        assert "\n" not in game.name
