"""Counts of games by facet, compared with counting the games one by one."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

import steamdino
from steamdino import Snapshot
from steamdino.index import columns as read
from steamdino.index.name_folding import fold
from steamdino.pipeline import build
from steamdino.records import EVERYTHING, Filter

GAMES = [
    {"tags": ["Action", "RPG"], "released": "2012-08-21", "reviews": 50_000, "free": True},
    {"tags": ["action"], "released": "2012", "reviews": 12, "early_access_since": "2011"},
    {"tags": ["RPG", "rpg"], "release_date": "Q3 2020", "reviews": 0, "adult": True},
    {"genres": "Puzzle; Action", "coming_soon": True, "released": "2027"},
    {"reviews": 100, "delisted": True},
    {},
]


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    folder = tmp_path_factory.mktemp("counted")
    rows = []
    for number, columns in enumerate(GAMES):
        Image.new("RGB", (60, 90), (40 * number, 10, 200)).save(folder / f"{number}.png")
        rows.append({"id": str(number), "name": f"Game {number}", "path": f"{number}.png", **columns})
    (folder / "games.jsonl").write_text("\n".join(map(json.dumps, rows)))
    steamdino.add(folder / "gallery", folder / "games.jsonl")
    build(folder / "gallery")
    return Snapshot.open(folder / "gallery")


@pytest.mark.parametrize(
    "only",
    [
        Filter(),
        EVERYTHING,
        Filter(tags=("Action",)),
        Filter(released_from="2012", released_to="2012"),
        Filter(min_reviews=100, delisted=True),
        Filter(free=True),
        Filter(upcoming=True),
        Filter(upcoming=False),
        Filter(tags=("RPG",), adult=True),
    ],
)
@pytest.mark.parametrize("name", ["small", "store"])
def test_counts_are_those_of_counting_the_games_that_pass(
    snapshot: Snapshot, built: Path, name: str, only: Filter
) -> None:
    if name == "store":
        snapshot = Snapshot.open(built)
        if set(map(fold, only.tags)) - set(snapshot.tags()):
            only = Filter(tags=("Noir",))
    games = snapshot.games(snapshot.rows(only))
    found = snapshot.counts(only)
    assert found.games == len(games)
    assert found.tags == Counter(tag for game in games for tag in set(map(fold, read.tags(game.columns))))
    assert list(found.tags.values()) == sorted(found.tags.values(), reverse=True)
    years = Counter(int(when[:4]) for game in games if (when := read.released(game.columns)))
    assert list(found.years.items()) == sorted(years.items())
    reviews = [read.reviews(game.columns) for game in games]
    assert found.reviews == {
        least: number
        for least in (10, 100, 1_000, 10_000, 100_000)
        if (number := sum(count >= least for count in reviews))
    }
    assert found.free == sum(read.is_free(game.columns) for game in games)
    assert found.upcoming == sum(read.is_upcoming(game.columns) for game in games)
    assert found.early_access == sum(read.early_access(game.columns) is not None for game in games)


def test_hidden_games_are_counted_by_what_including_them_adds(snapshot: Snapshot) -> None:
    assert snapshot.counts(Filter()).hidden == {"adult": 1, "delisted": 1}
    assert snapshot.counts(Filter(adult=True)).hidden == {"delisted": 1}
    assert snapshot.counts(Filter(tags=("rpg",))).hidden == {"adult": 1}
    assert snapshot.counts(EVERYTHING).hidden == {}


def test_only_what_some_game_has_can_be_filtered_by(snapshot: Snapshot, built: Path) -> None:
    known = snapshot.counts.known
    assert known.tags and known.released and known.early_access and known.upcoming and known.reviews
    assert known.free and known.hidden == ("adult", "delisted")
    store = Snapshot.open(built).counts.known
    assert store.tags and store.released
    assert not (store.early_access or store.upcoming or store.reviews or store.free or store.hidden)


def test_games_that_pass_a_filter_are_listed_the_most_reviewed_first(snapshot: Snapshot) -> None:
    ids = [snapshot.ids[row] for row in snapshot.counts.ranked(Filter(delisted=True))]
    assert ids == ["0", "4", "1", "3", "5"]
