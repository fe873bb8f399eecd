from __future__ import annotations

import json
import sqlite3
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.memory_database import memory_database

from steamdino.errors import QueryError, SnapshotError, UsageError
from steamdino.index import facets
from steamdino.index.columns import early_access, is_upcoming, released, reviews
from steamdino.index.exact import ExactIndex
from steamdino.records import Filter
from steamdino.search import Snapshot
from steamdino.search.filter_parser import filter_of

GAMES: list[dict[str, Any]] = [
    {"tags": ["Horror", "Indie"], "released": "2020-05-17", "reviews": 500, "free": True},
    {"tags": "Horror; Racing", "released": "2019-12-31", "reviews": "50", "free": False},
    {"genres": ["Point & Click"], "year": 2021, "adult": True},
    {"released": "2021-03", "reviews": 1000, "free": "yes", "tags": ["horror"]},
    {},
    {"tags": [None, 3, ""], "released": "soon", "reviews": "many", "adult": "no", "year": float("nan")},
]


def database(games: list[dict[str, Any]]) -> sqlite3.Connection:
    db = memory_database()
    db.executescript(facets.SCHEMA)
    facets.fill(db, enumerate(json.dumps(game, separators=(",", ":")) for game in games))
    return db


def rows(games: list[dict[str, Any]], wanted: Filter) -> list[int]:
    mask = facets.allowed(database(games), wanted, len(games))
    return list(range(len(games))) if mask is None else np.flatnonzero(mask).tolist()


FILES: dict[str, dict[str, Any]] = {
    "Steam's appdetails": {
        "genres": [{"id": "1", "description": "Action"}, {"id": "25", "description": "Adventure"}],
        "release_date": {"coming_soon": False, "date": "21 Aug, 2012"},
        "recommendations": {"total": 60},
        "is_free": True,
    },
    "appdetails as pandas writes it into a CSV": {
        "genres": "[{'id': '1', 'description': 'Action'}, {'id': '25', 'description': 'Adventure'}]",
        "release_date": "{'coming_soon': False, 'date': '21 Aug, 2012'}",
        "recommendations": "{'total': 60}",
        "is_free": "True",
    },
    "SteamSpy, with a date of another file": {
        "genre": "Action, Adventure",
        "tags": {"Indie": 900, "FPS": 0},
        "released": "Aug 21, 2012",
        "positive": 50,
        "negative": 10,
        "is_free": "1",
    },
    "a curator's page": {
        "tags": [{"name": "Action", "tagid": 19}, {"name": "Adventure", "tagid": 21}],
        "release": "21 Aug, 2012",
        "rt_release_date": 1345507200,
        "reviews": "60",
        "free": True,
    },
    "IStoreBrowseService": {
        "tags": ["Action", "Adventure"],
        "release": {"steam_release_date": 1345568400},  # ten o'clock in the morning in Seattle
        "reviews": 60,
        "free": 1,
    },
}


@pytest.mark.parametrize("name", FILES)
def test_the_columns_of_the_files_that_people_have_can_be_filtered_by(name: str) -> None:
    other = {"tags": ["Puzzle"], "released": "2011"}
    games = [other, FILES[name]]
    assert rows(games, filter_of(["action", "adventure"], "2012-08-21..2012-08-21", 60, free=True)) == [1]
    assert rows(games, filter_of(min_reviews=61)) == []
    assert rows(games, filter_of(["fps"])) == []
    assert rows(games, filter_of(released="..2011")) == [0]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (filter_of(), [0, 1, 3, 4, 5]),
        (filter_of(adult=True), [0, 1, 2, 3, 4, 5]),
        (filter_of(["HORROR"]), [0, 1, 3]),
        (filter_of(["horror", "racing"]), [1]),
        (filter_of(["point and click"]), []),
        (filter_of(["Point & Click"], adult=True), [2]),
        (filter_of(released="2020"), [0]),
        (filter_of(released="2020.."), [0, 3]),
        (filter_of(released="..2020"), [0, 1]),
        (filter_of(released="2019-12-31..2020-05-17"), [0, 1]),
        (filter_of(released="2020-05..2020-05"), [0]),
        (filter_of(released="2020-06..", adult=True), [2, 3]),
        (filter_of(min_reviews=500), [0, 3]),
        (filter_of(free=True), [0, 3]),
        (filter_of(["horror"], "2020..", 600, free=True), [3]),
        (filter_of(released="2021-Q1", adult=True), [2, 3]),
        (filter_of(released="2021-q2..", adult=True), [2]),
        (filter_of(released="2021-03-31"), [3]),
        (filter_of(released="2021-04-01", adult=True), [2]),
    ],
)
def test_each_filter_lets_through_what_it_says(wanted: Filter, expected: list[int]) -> None:
    assert rows(GAMES, wanted) == expected


@pytest.mark.parametrize("wanted", [filter_of(), filter_of(free=True), filter_of(free=True, adult=True)])
def test_a_filter_gives_a_mask_of_booleans_one_for_each_game(wanted: Filter) -> None:
    mask = facets.allowed(database(GAMES), wanted, len(GAMES))
    assert mask is not None
    assert (mask.shape, mask.dtype) == ((len(GAMES),), np.bool_)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"reviews": 0}, 0), ({"reviews": 1}, 1), ({"reviews": -5}, 0), ({"reviews": "7"}, 7), ({}, 0),
        ({"reviews": 2**62}, 2**62), ({"reviews": 2**62 + 1}, 2**62), ({"positive": 2, "negative": 0}, 2),
        ({"positive": 2**62, "negative": 1}, 2**62), ({"recommendations": {"total": 0}}, 0),
        ({"recommendations": {"total": 3}, "positive": 9}, 3), ({"reviews": None, "positive": 9}, 0),
    ],
)  # fmt: skip
def test_reviews_are_counted_from_none_to_the_largest_number_that_is_stored(
    columns: dict[str, Any], expected: int
) -> None:
    assert reviews(columns) == expected


@pytest.mark.parametrize(
    "released",
    [
        "20", "2020-13", "2020..2019", "..", "x", "2020-05-17-01", "2020 2021", "٢٠٢٠", "2020...2021", " ", "2020-Q5",
        "2021-02-29", "2020..2021-02-29", "2021-02-29..", "2020-Q2..2020-03", "2020-05-17..2020-05-16", "0000",
    ],
)  # fmt: skip
def test_a_date_that_makes_no_sense_is_a_usage_error(released: str) -> None:
    with pytest.raises(UsageError, match="release date"):
        filter_of(released=released)
    with pytest.raises(UsageError, match="start of early access"):
        filter_of(early_access=released)


@pytest.mark.parametrize("bound", ["released_from", "released_to", "early_access_from", "early_access_to"])
def test_a_date_that_no_parser_made_is_checked_when_it_is_used(bound: str) -> None:
    with pytest.raises(UsageError, match="the date is '2020-13'"):
        facets.allowed(database(GAMES), Filter(**{bound: "2020-13"}), len(GAMES))


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (filter_of(released="2020.."), 2),  # the games without columns, and with a date that is none
        (filter_of(released="..2020"), 2),
        (filter_of(released="2020", adult=True), 2),
        (filter_of(min_reviews=500), 0),
        (filter_of(), 0),
        (filter_of(["horror"], "2020.."), 0),
        (filter_of(released="2020..", min_reviews=1), 0),
        (filter_of(released="2020..", free=True), 0),
    ],
)
def test_games_without_a_date_are_counted_where_a_date_is_asked_for(wanted: Filter, expected: int) -> None:
    assert facets.undated(database(GAMES), wanted, len(GAMES)) == expected
    undated_horror = [*GAMES, {"tags": ["Horror"], "released": "7 AGO 2020", "reviews": 1, "free": True}]
    more = expected + bool(wanted.released_from or wanted.released_to)
    assert facets.undated(database(undated_horror), wanted, len(undated_horror)) == more
    hidden = [*GAMES, {"tags": ["Horror"], "adult": True}]
    more = expected + (wanted.adult and expected > 0)
    assert facets.undated(database(hidden), wanted, len(hidden)) == more


def test_dated_games_are_counted_and_an_older_snapshot_does_not_know() -> None:
    assert facets.dated(database(GAMES)) == 4
    assert facets.dated(memory_database()) is None


DATES = st.dates(date(1990, 1, 1), date(2040, 12, 31))
EDGES = st.builds(
    date, st.integers(2025, 2028), st.sampled_from([1, 3, 4, 6, 7, 9, 10, 12]), st.sampled_from([1, 30])
)


def periods(day: date) -> list[str]:
    iso = day.isoformat()
    return [iso, iso[:7], f"{iso[:4]}-Q{(int(iso[5:7]) - 1) // 3 + 1}", iso[:4]]


PERIODS = (DATES | EDGES).flatmap(lambda day: st.sampled_from(periods(day)))
UNREADABLE = st.sampled_from(["", "soon", "31 Feb, 2020", "08/09/2012"])


def days_of(period: str) -> set[date]:
    """All days that are written so, from the calendar."""
    around = date(int(period[:4]), 1, 1)
    year = (around + timedelta(n) for n in range(366))
    return {day for day in year if period in periods(day)}


@given(
    st.lists(PERIODS | UNREADABLE, max_size=8),
    st.none() | PERIODS,
    st.none() | PERIODS,
    st.sampled_from(["released", "early_access_since"]),
)
def test_a_game_passes_if_any_day_of_its_period_is_in_the_range(
    written: list[str], first: str | None, last: str | None, column: str
) -> None:
    games = [{column: one} for one in written]
    lowest = min(days_of(first)) if first else date.min
    highest = max(days_of(last)) if last else date.max
    known = [days_of(one) if one[:4].isdecimal() else set() for one in written]
    expected = [n for n, days in enumerate(known) if any(lowest <= day <= highest for day in days)]
    if not first and not last:
        wanted = Filter()
        expected = list(range(len(games)))
    elif lowest > highest:
        with pytest.raises(UsageError, match="its end is before its beginning"):
            filter_of(**{column.removesuffix("_since"): f"{first}..{last}"})
        return
    else:
        wanted = filter_of(**{column.removesuffix("_since"): f"{first or ''}..{last or ''}"})
    assert rows(games, wanted) == expected
    undated = facets.undated(database(games), wanted, len(games))
    assert undated == (known.count(set()) if column == "released" and wanted != Filter() else 0)


@given(PERIODS)
def test_a_period_passes_a_filter_of_itself_and_of_each_longer_one(period: str) -> None:
    for longer in periods(min(days_of(period))):
        if len(days_of(longer)) >= len(days_of(period)):
            assert rows([{"released": period}], filter_of(released=longer)) == [0]


UPCOMING: list[dict[str, Any]] = [
    {"coming_soon": True, "released": "2027"},
    {"released": "2020"},
    {},
    {"release_date": {"coming_soon": True, "date": "Q3 2027"}, "adult": True},
    {"release": "{'is_coming_soon': True, 'coming_soon_display': 'text_tba'}"},
    {"coming_soon": "false", "adult": True},
]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (filter_of(upcoming=True), [0, 4]),
        (filter_of(upcoming=True, adult=True), [0, 3, 4]),
        (filter_of(upcoming=False), [1, 2]),
        (filter_of(upcoming=False, adult=True), [1, 2, 5]),
        (filter_of(adult=True), [0, 1, 2, 3, 4, 5]),
        (filter_of(upcoming=True, released="2027-Q4"), [0]),
        (filter_of(upcoming=True, released="2027-Q3", adult=True), [0, 3]),
        (filter_of(upcoming=False, released="2020.."), [1]),
    ],
)
def test_upcoming_games_are_told_from_the_others(wanted: Filter, expected: list[int]) -> None:
    assert rows(UPCOMING, wanted) == expected


def test_an_undated_game_is_counted_where_upcoming_ones_are_left_out() -> None:
    def undated(wanted: Filter) -> int:
        return facets.undated(database(UPCOMING), wanted, len(UPCOMING))

    assert undated(filter_of(released="2020..", upcoming=False)) == 1  # the one without columns
    assert undated(filter_of(released="2020..", upcoming=False, adult=True)) == 2
    assert undated(filter_of(released="2020..", upcoming=True)) == 1


def test_a_row_of_steams_own_fields_is_read_like_its_object() -> None:
    fields = {"steam_release_date": 1830240000, "is_coming_soon": True, "coming_soon_display": "date_year"}
    for columns in (fields, {"release": fields}, {"release": json.dumps(fields)}, {"release": str(fields)}):
        assert (released(columns), is_upcoming(columns), early_access(columns)) == ("2027", True, None)


KEYS = (
    "tags",
    "genres",
    "released",
    "release_date",
    "release",
    "year",
    "reviews",
    "recommendations",
    "positive",
    "free",
    "early_access_since",
    "coming_soon",
    "coming_soon_display",
    "steam_release_date",
)
CELLS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from(["21 Aug, 2012", "{'date': 1}", "[", '{"total": "x"}', "date_quarter", 1830240000]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["date", "description", "name", "total", "x"]), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


@given(st.lists(st.dictionaries(st.text(max_size=8) | st.sampled_from(KEYS), CELLS, max_size=5), max_size=6))
def test_columns_of_any_kind_can_be_written(games: list[dict[str, Any]]) -> None:
    assert len(rows(games, Filter(adult=True))) == len(games)


def test_tags_are_limited_in_number_and_length(monkeypatch: pytest.MonkeyPatch) -> None:
    many = [f"tag {number}" for number in range(1000)]
    db = database([{"tags": ["x" * 5000, "y" * facets.LONGEST_TAG, *many]}, {"tags": "z" * 5000}])
    known = facets.tags(db)
    assert len(known) == facets.MOST_TAGS
    assert "y" * facets.LONGEST_TAG in known
    assert all(len(tag) <= facets.LONGEST_TAG for tag in known)
    monkeypatch.setattr(facets, "MOST_KNOWN", 7)
    assert len(facets.tags(db)) == 7


def test_the_nearest_among_some_are_those_of_a_smaller_matrix() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(500, 8)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    mask = rng.random(500) < 0.3
    kept = np.flatnonzero(mask)
    for k in (1, 10, 499):
        found, cosines = ExactIndex(vectors).nearest(vectors[kept[0]], k, exclude=[int(kept[0])], among=mask)
        own, expected = ExactIndex(vectors[kept]).nearest(vectors[kept[0]], k, exclude=[0])
        assert found.tolist() == kept[own].tolist()
        assert np.allclose(cosines, expected, atol=1e-6)


def test_a_snapshot_of_an_older_program_cannot_be_filtered_and_says_so() -> None:
    with pytest.raises(SnapshotError, match="steam-dino build --rebuild"):
        facets.allowed(memory_database(), filter_of(["horror"]), 3)
    assert facets.allowed(memory_database(), Filter(), 3) is None


def test_a_search_keeps_to_the_filter_and_names_tags_that_are_meant(built: Path) -> None:
    snapshot = Snapshot.open(built)
    known = snapshot.tags()
    query = snapshot.ids[0]
    everything = snapshot.similar(query, len(snapshot))
    if not known:
        pytest.fail("the fictional store has no tags")
    some = snapshot.similar(query, len(snapshot), only=filter_of([known[0]]))
    assert 0 < len(some) < len(everything)
    kept = {match.id for match in some}
    assert [match.id for match in everything if match.id in kept] == some.ids
    with pytest.raises(QueryError, match=f"no game has the tag.*{known[0]}"):
        snapshot.similar(query, only=filter_of([known[0][:-1] + "x"]))
