from __future__ import annotations

from typing import Any

import pytest

from steamdino.present.game_facts import facts, namesakes, price_text, reviews_text, tags, year
from steamdino.records import Game


def _game(name: str = "Neonoir", key: str = "1", **columns: Any) -> Game:
    return Game(key, name, "table", None, None, "0" * 64, columns)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"free": True, "price": "9.99"}, "Free"),
        ({"price_cents": 1999}, "19.99"),
        ({"price_cents": 0}, "Free"),
        ({"price": "1999", "initialprice": "1999"}, "19.99"),  # SteamSpy's
        ({"price_overview": {"final_formatted": " 19,99€ "}}, "19,99€"),
        ({"price_overview": '{"final_formatted": "$4.99"}'}, "$4.99"),
        ({"price": 4.5}, "4.50"),
        ({"price": "$4.99"}, "$4.99"),
        ({"price": "9" * 99}, "9" * 39 + "…"),
        ({"price_cents": "none"}, ""),
        ({"price_cents": -5}, ""),
        ({"price": True}, ""),
        ({"price": ["1"]}, ""),
        ({}, ""),
    ],
)
def test_prices_are_read_in_the_forms_of_their_sources(columns: dict[str, Any], expected: str) -> None:
    assert price_text(_game(**columns)) == expected


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"reviews": 12345, "positive_percent": 95}, "12,345 reviews, 95 % positive"),
        ({"positive": 3, "negative": 1}, "4 reviews, 75 % positive"),
        ({"reviews": 1}, "1 review"),
        ({"reviews": 10, "positive_percent": "many"}, "10 reviews"),
        ({"reviews": 10, "positive_percent": 400}, "10 reviews"),
        ({"reviews": 0, "positive_percent": 50}, ""),
        ({}, ""),
    ],
)
def test_reviews_are_shown_with_the_share_of_positive_ones(columns: dict[str, Any], expected: str) -> None:
    assert reviews_text(_game(**columns)) == expected


def test_only_facts_that_are_known_are_shown() -> None:
    assert facts(_game()) == []
    game = _game(tags=["Noir", "Noir", *map(str, range(20))], released="2012-08-21", price_cents=999)
    assert [label for label, _ in facts(game)] == ["Release", "Tags", "Price"]
    assert tags(game) == ["Noir", "0", "1", "2", "3", "4"]
    assert year(game) == "2012"
    assert year(_game(released="soon")) == ""


def test_namesakes_are_games_of_one_name_and_not_one_game_twice() -> None:
    twice = _game("Prey", "1")
    assert namesakes([twice, twice, _game("Doom", "2")]) == frozenset()
    assert namesakes([twice, _game("Doom", "2"), _game("Prey", "3")]) == {"Prey"}
