"""Games that are hidden in some countries: where they are asked for, in which order, and how often."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.steam import Request, Store, serving

from steamdino.errors import BlockedError
from steamdino.gallery import Gallery
from steamdino.pipeline.sync import SyncRequest, SyncSummary, sync
from steamdino.pipeline.sync.countries import in_turn
from steamdino.settings import SteamSettings

WORLD = "US,JP,DE,CN,KR"
EVERYWHERE, IN_DE, IN_KR, NOWHERE = (tuple(range(first, 2001, 40)) for first in (10, 20, 30, 40))
"""Games by where they are available, 50 each."""


@dataclass
class Interrupting(Store):
    """A store that refuses everything after some requests for details, until it is told otherwise."""

    details: int = 1_000_000

    def note(self, request: Request) -> None:
        super().note(request)
        self.blocked |= self.counts()["items"] >= self.details


@pytest.fixture
def store() -> Iterator[Interrupting]:
    with serving(Interrupting.of(200, fates={"no art": 1.0})) as running:
        assert isinstance(running, Interrupting)
        for games, available in ((IN_DE, {"DE"}), (IN_KR, {"KR", "CN"}), (NOWHERE, {"XX"})):
            for appid in games:
                running.games[appid].available = frozenset(available)
        yield running


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    return tmp_path / "gallery"


def run(gallery: Path, store: Store, countries: str = "US,JP,DE", *appids: int) -> SyncSummary:
    settings = SteamSettings(
        key=store.key,
        api_url=store.address,
        assets_url=f"{store.address}/assets",
        countries=countries,
        rate=0,
        backoff=0.01,
    )
    store.log.clear()
    return sync(gallery, SyncRequest(appids=appids or None), settings)


def asked(store: Store) -> dict[str, list[int]]:
    """The games whose details were requested, by country, with repetitions."""
    found: dict[str, list[int]] = {}
    for request in store.log:
        if request.what == "items" and request.answer == "ok":
            found.setdefault(request.country, []).extend(request.ids)
    return {country: sorted(ids) for country, ids in found.items()}


def age(gallery: Path, days: int) -> None:
    """Let the details of all games be as old as that."""
    with closing(sqlite3.connect(gallery / "gallery.sqlite")) as db, db:
        at = (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="seconds")
        db.execute("UPDATE steam_apps SET asked_at = ?", (at,))


def outcomes(gallery: Path) -> dict[str, int]:
    with Gallery.open(gallery) as opened:
        return opened.steam_apps.outcomes("vertical")


def countries(gallery: Path) -> Counter[str]:
    with closing(sqlite3.connect(gallery / "gallery.sqlite")) as db:
        return Counter(
            json.loads(columns)["country"] for (columns,) in db.execute("SELECT columns FROM games")
        )


def test_hidden_games_are_asked_for_in_one_country_after_another(gallery: Path, store: Interrupting) -> None:
    run(gallery, store)
    hidden = sorted(IN_KR + NOWHERE)
    assert asked(store) == {
        "US": sorted(store.games),
        "JP": sorted((*IN_DE, *hidden)),
        "DE": sorted((*IN_DE, *hidden)),
    }
    assert store.counts()["items"] == 3  # at most 200 games each
    assert outcomes(gallery) == {"no banner": 100, "hidden": 100}
    assert countries(gallery) == {"US": 50, "DE": 50}
    with Gallery.open(gallery) as opened:
        reasons = {
            reason
            for _, outcome, reason, _ in opened.steam_apps.each_outcome("vertical")
            if outcome == "hidden"
        }
    assert reasons == {"it is hidden, or not available in US or JP or DE"}


def test_one_country_asks_once(gallery: Path, store: Interrupting) -> None:
    run(gallery, store, "JP")
    assert asked(store) == {"JP": sorted(store.games)}
    assert outcomes(gallery) == {"no banner": 50, "hidden": 150}


def test_a_month_later_the_country_that_had_a_game_follows_the_main_one(
    gallery: Path, store: Interrupting
) -> None:
    run(gallery, store, WORLD)
    assert countries(gallery) == {"US": 50, "DE": 50, "CN": 50}
    age(gallery, 31)
    run(gallery, store, WORLD)
    assert {country: len(ids) for country, ids in asked(store).items()} == {
        "US": 200,
        "DE": 100,  # 50 that it had, and 50 that are available nowhere
        "CN": 100,
        "JP": 50,
        "KR": 50,
    }


def test_a_game_that_left_its_country_is_found_in_another_and_one_that_came_home_at_home(
    gallery: Path, store: Interrupting
) -> None:
    run(gallery, store, WORLD)
    store.games[IN_DE[0]].available = frozenset({"JP"})
    store.games[IN_DE[1]].available = frozenset({"US", "DE"})
    age(gallery, 31)
    run(gallery, store, WORLD)
    assert countries(gallery) == {"US": 51, "DE": 48, "CN": 50, "JP": 1}


def test_a_game_that_is_hidden_everywhere_is_asked_for_again_after_a_month_and_not_after_a_week(
    gallery: Path, store: Interrupting
) -> None:
    run(gallery, store)
    for days, again in ((8, set()), (31, {"US", "JP", "DE"})):
        age(gallery, days)
        run(gallery, store)
        assert {country for country, ids in asked(store).items() if NOWHERE[0] in ids} == again


@pytest.mark.parametrize(
    ("changed", "turns"), [("US,DE,CN", ["CN"]), ("US,CN,DE", ["CN", "DE"]), ("DE,US", []), ("US", [])]
)
def test_hidden_games_are_asked_for_in_a_country_that_is_new(
    gallery: Path, store: Interrupting, changed: str, turns: list[str]
) -> None:
    run(gallery, store, "US,DE")
    run(gallery, store, changed)
    hidden = {"CN": sorted(IN_KR + NOWHERE), "DE": sorted(NOWHERE)}
    assert asked(store) == {country: hidden[country] for country in turns}
    run(gallery, store, changed)
    assert asked(store) == {}


def test_a_run_about_some_games_does_not_decide_where_all_others_are_asked_for(
    gallery: Path, store: Interrupting
) -> None:
    run(gallery, store)
    run(gallery, store, "CN,KR", IN_KR[0])
    assert asked(store) == {"CN": [IN_KR[0]]}
    run(gallery, store)
    assert asked(store) == {}
    assert countries(gallery) == {"US": 50, "DE": 50, "CN": 1}


@pytest.mark.parametrize("requests", range(1, 5))
def test_a_run_that_was_interrupted_in_any_country_continues_there(
    gallery: Path, store: Interrupting, requests: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steamdino.catalogue.steam.web_api.BATCH", 100)
    store.details = requests
    with pytest.raises(BlockedError):
        run(gallery, store)
    before = asked(store)
    store.blocked, store.details = False, 1_000_000
    run(gallery, store)
    pairs = Counter(
        (country, appid) for part in (before, asked(store)) for country, ids in part.items() for appid in ids
    )
    assert set(pairs.values()) == {1}
    assert len(pairs) == 200 + 150 + 150
    assert outcomes(gallery) == {"no banner": 100, "hidden": 100}


def test_a_run_that_continues_with_other_countries_begins_with_its_main_one(
    gallery: Path, store: Interrupting
) -> None:
    store.details = 2  # it stops in JP, where 150 games were hidden
    with pytest.raises(BlockedError):
        run(gallery, store)
    store.blocked, store.details = False, 1_000_000
    run(gallery, store, "KR,CN")
    assert {country: len(ids) for country, ids in asked(store).items()} == {"KR": 150, "CN": 100}
    assert countries(gallery) == {"US": 50, "KR": 50}


@given(
    st.lists(st.sampled_from(WORLD.split(",")), unique=True, min_size=1),
    st.sampled_from([*WORLD.split(","), None, "?"]),
)
def test_each_country_has_one_turn_and_the_main_one_the_first(
    codes: list[str], remembered: str | None
) -> None:
    order = in_turn(codes, remembered)
    assert sorted(order) == sorted(codes)
    assert order[0] == codes[0]
    assert remembered not in codes or remembered in order[:2]
    assert [code for code in order if code != remembered] == [code for code in codes if code != remembered]
