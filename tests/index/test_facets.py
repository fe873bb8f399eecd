from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steamdino.errors import QueryError, SnapshotError, UsageError
from steamdino.index import facets
from steamdino.index.exact import nearest
from steamdino.records import Filter
from steamdino.search import Snapshot
from steamdino.search.filtering import filter_of

GAMES: list[dict[str, Any]] = [
    {"tags": ["Horror", "Indie"], "released": "2020-05-17", "reviews": 500, "free": True},
    {"tags": "Horror; Racing", "released": "2019-12-31", "reviews": "50", "free": False},
    {"genres": ["Point & Click"], "year": 2021, "adult": True},
    {"released": "2021-03", "reviews": 1000, "free": "yes", "tags": ["horror"]},
    {},
    {"tags": [None, 3, ""], "released": "soon", "reviews": "many", "adult": "no", "year": float("nan")},
]


def database(games: list[dict[str, Any]]) -> sqlite3.Connection:
    db = sqlite3.connect(":memory:")
    db.executescript(facets.SCHEMA)
    facets.fill(db, [json.dumps(game, separators=(",", ":")) for game in games])
    return db


def rows(games: list[dict[str, Any]], wanted: Filter) -> list[int]:
    mask = facets.allowed(database(games), wanted, len(games))
    return list(range(len(games))) if mask is None else np.flatnonzero(mask).tolist()


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
    ],
)
def test_each_filter_lets_through_what_it_says(wanted: Filter, expected: list[int]) -> None:
    assert rows(GAMES, wanted) == expected


@pytest.mark.parametrize(
    "released",
    ["20", "2020-13", "2020..2019", "..", "x", "2020-05-17-01", "2020 2021", "٢٠٢٠", "2020...2021"],
)
def test_a_date_that_makes_no_sense_is_a_usage_error(released: str) -> None:
    with pytest.raises(UsageError, match="date of release"):
        filter_of(released=released)


DATES = st.dates().map(str)


@given(st.lists(DATES, max_size=12), DATES, DATES)
def test_dates_are_compared_as_dates(released: list[str], first: str, last: str) -> None:
    first, last = sorted((first, last))
    games = [{"released": one} for one in released]
    expected = [n for n, one in enumerate(released) if first <= one <= last]
    assert rows(games, filter_of(released=f"{first}..{last}")) == expected


@given(st.lists(st.dictionaries(st.text(max_size=8) | st.sampled_from(("tags", "released", "reviews", "adult", "free")),
       st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.lists(st.text(max_size=4)),
       max_size=5), max_size=6))  # fmt: skip
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
        found, cosines = nearest(vectors, vectors[kept[0]], k, exclude=[int(kept[0])], among=mask)
        own, expected = nearest(vectors[kept], vectors[kept[0]], k, exclude=[0])
        assert found.tolist() == kept[own].tolist()
        assert np.allclose(cosines, expected, atol=1e-6)


def test_a_snapshot_of_an_older_program_cannot_be_filtered_and_says_so() -> None:
    with pytest.raises(SnapshotError, match="steam-dino build --rebuild"):
        facets.allowed(sqlite3.connect(":memory:"), filter_of(["horror"]), 3)
    assert facets.allowed(sqlite3.connect(":memory:"), Filter(), 3) is None


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
