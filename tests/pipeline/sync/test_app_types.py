"""Apps that are not games: which lists contain them, and what becomes of those that nobody asked for."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.fakes.steam import Game, Store, serving
from tests.pipeline.sync.test_sync import outcomes, pictures, reasons, rows_of, settings_for

from steamdino.catalogue.steam.app_types import TYPES, AppType
from steamdino.gallery import Gallery
from steamdino.pipeline.sync import SyncRequest, SyncSummary, sync

Run = Callable[..., SyncSummary]
APPIDS = {one.name: 1000 + one.code for one in TYPES if one.name != "game"}
GAMES = [10, 20, 30, 40, 50]
DLC, BETA, DEMO = (APPIDS[name] for name in ("dlc", "beta", "demo"))
BY_KEY = pytest.mark.parametrize("key", [True, False], ids=["with a key", "without a key"])


@pytest.fixture
def store() -> Iterator[Store]:
    """Five games, and one app of each other type that lists contain if they are asked for it."""
    store = Store.of(5)
    for one in TYPES[1:]:
        store.games[APPIDS[one.name]] = Game(APPIDS[one.name], one.name, type=one.code)
    with serving(store) as running:
        yield running


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    return tmp_path / "g"


@pytest.fixture
def run(store: Store, gallery: Path) -> Run:
    def runs(*, key: bool = True, **wanted: object) -> SyncSummary:
        return sync(gallery, SyncRequest(**wanted), settings_for(store, key=store.key if key else ""))  # type: ignore[arg-type]

    return runs


def let_time_pass(gallery: Path) -> None:
    """Makes the details of all apps old enough to be requested again."""
    with closing(sqlite3.connect(gallery / "gallery.sqlite")) as db:
        db.execute("UPDATE steam_apps SET asked_at = '2020-01-01'")
        db.commit()


def asked(store: Store, since: int = 0) -> list[int]:
    return [appid for request in store.log[since:] if request.what == "items" for appid in request.ids]


@BY_KEY
@pytest.mark.parametrize("one", TYPES[1:], ids=lambda one: one.name)
def test_a_list_is_asked_for_each_type_that_it_has(run: Run, gallery: Path, key: bool, one: AppType) -> None:
    name = one.name
    run(key=key, include=(name,))
    listed = name not in ("movie", "guide", "episode", "beta", "tool", "advertising")
    kept = {appid for appid, outcome in outcomes(gallery).items() if outcome == "fetched"}
    assert kept == {*GAMES, *([APPIDS[name]] if listed else [])}
    # The list with a key has videos and series together.
    left_out = {appid for appid, outcome in outcomes(gallery).items() if outcome == "other type"}
    together = {"video": "series", "series": "video"}
    assert left_out == ({APPIDS[together[name]]} if key and name in together else set())


@pytest.mark.parametrize(
    ("include", "keyed"),
    [((), True), (("dlc", "software", "video", "series", "hardware"), True), (("beta",), True)]
    + [((name,), False) for name in ("demo", "mod", "music")]
    + [(("dlc", "demo"), False)],
)
def test_the_list_with_a_key_is_read_unless_only_the_other_has_a_type(
    run: Run, store: Store, include: tuple[str, ...], keyed: bool
) -> None:
    run(include=include)
    read = {
        request.what for request in store.log if len(request.ids) > 1
    }  # one id comes with the number of games
    assert ("list" in read, "query" in read) == (keyed, not keyed)


@BY_KEY
def test_an_app_of_another_type_in_a_list_is_left_out_with_the_reason_and_not_asked_about_again(
    run: Run, store: Store, gallery: Path, key: bool
) -> None:
    for appid in (BETA, DLC):
        store.games[appid].stray = True
    summary = run(key=key)
    assert summary.counts["other type"] == 2
    assert summary.counts["found"] == summary.counts["fetched"] == len(GAMES)
    assert summary.outcomes == {"fetched": len(GAMES), "other type": 2}
    assert summary.other_types == {"beta": 1, "dlc": 1}
    assert (reasons(gallery)[BETA], reasons(gallery)[DLC]) == ("its type is beta", "its type is dlc")
    assert set(pictures(gallery)) == set(GAMES)
    assert rows_of(gallery, "SELECT count(*) FROM games") == [(len(GAMES),)]
    for again in ({}, {"retry_failed": True}, {"limit": 100}):
        before = len(store.log)
        assert not run(key=key, **again).counts["other type"]
        assert asked(store, before) == []
    assert outcomes(gallery)[BETA] == "other type"


def test_an_app_becomes_due_when_its_type_is_included_and_no_other(
    run: Run, store: Store, gallery: Path
) -> None:
    for appid in (BETA, DLC):
        store.games[appid].stray = True
    run()
    before = len(store.log)
    summary = run(include=("beta",))
    assert asked(store, before) == [BETA]
    assert summary.outcomes == {"fetched": len(GAMES) + 1, "other type": 1}
    assert summary.other_types == {"dlc": 1}
    before = len(store.log)
    run(include=("dlc", "beta"))
    assert asked(store, before) == [DLC]


def test_an_app_that_was_left_out_is_asked_about_again_with_everything_else(
    run: Run, store: Store, gallery: Path
) -> None:
    store.games[BETA].stray = True
    run()
    let_time_pass(gallery)
    store.games[BETA].type = 0  # the playtest has become a game
    run()
    assert outcomes(gallery)[BETA] == "fetched"


@BY_KEY
def test_an_app_that_a_person_names_is_kept_whatever_its_type(
    run: Run, store: Store, gallery: Path, key: bool
) -> None:
    run(key=key, appids=tuple(APPIDS.values()))
    named = dict.fromkeys(APPIDS.values(), "fetched")
    assert outcomes(gallery) == named
    run(key=key)
    assert outcomes(gallery) == named | dict.fromkeys(GAMES, "fetched")
    columns = dict(rows_of(gallery, "SELECT game_id, json_extract(columns, '$.type') FROM games"))
    assert columns == {str(appid): name for name, appid in APPIDS.items()} | {str(n): "game" for n in GAMES}


def test_an_app_that_was_left_out_is_kept_once_a_person_names_it(
    run: Run, store: Store, gallery: Path
) -> None:
    store.games[BETA].stray = True
    run()
    run(appids=(BETA,))
    assert outcomes(gallery)[BETA] == "fetched"


def test_a_named_app_that_appears_later_is_kept_by_a_run_over_the_list(
    run: Run, store: Store, gallery: Path
) -> None:
    store.games[BETA].fate = "failing"
    store.games[BETA].stray = True
    run(appids=(BETA,))
    assert outcomes(gallery)[BETA] == "failed"
    store.games[BETA].fate = ""
    run(retry_failed=True)
    assert outcomes(gallery)[BETA] == "fetched"


def test_the_most_played_are_a_list_of_games(run: Run, store: Store, gallery: Path) -> None:
    run(top=100)
    assert outcomes(gallery) == dict.fromkeys(GAMES, "fetched") | dict.fromkeys(APPIDS.values(), "other type")
    run(top=100, include=("software",))
    assert outcomes(gallery)[APPIDS["software"]] == "fetched"


@BY_KEY
def test_nothing_that_is_in_a_gallery_leaves_it_because_its_type_is_not_asked_for(
    run: Run, store: Store, gallery: Path, key: bool
) -> None:
    for n in range(100, 130):  # far more than may be missing from a list
        store.games[n] = Game(n, "more", type=4)
    run(key=key, include=("dlc",))
    everything = dict.fromkeys((*GAMES, *range(100, 130), DLC), "fetched")
    assert outcomes(gallery) == everything
    before = rows_of(gallery, "SELECT * FROM games ORDER BY game_id")
    summary = run(key=key)
    assert not summary.counts["vanished"]
    assert outcomes(gallery) == everything
    assert rows_of(gallery, "SELECT * FROM games ORDER BY game_id") == before
    let_time_pass(gallery)
    store.games[10].name = store.games[DLC].name = "Another name"
    run(key=key)  # brings the details of all up to date
    assert outcomes(gallery) == everything
    names = rows_of(gallery, f"SELECT name FROM games WHERE game_id IN ('10', '{DLC}')")
    assert names == [("Another name",)] * 2
    for n in range(100, 130):
        del store.games[n]
    run(key=key, include=("dlc",), full=True)  # the store confirms it of each
    assert outcomes(gallery) == everything | dict.fromkeys(range(100, 130), "vanished")


@BY_KEY
def test_apps_that_were_left_out_may_leave_the_list_without_notice(
    run: Run, store: Store, gallery: Path, key: bool
) -> None:
    for n in range(100, 130):  # far more than may be missing from a list
        store.games[n] = Game(n, "playtest", type=12, stray=True)
    run(key=key)
    for n in range(100, 130):
        del store.games[n]
    with Gallery.write(gallery, "sync") as opened, opened.transaction():
        opened.steam_apps.put_state(
            "swept", {**opened.steam_apps.state("swept"), "at": 0}
        )  # the list is due again
    summary = run(key=key)
    assert (summary.counts["vanished"], summary.complete) == (0, True)
    assert summary.outcomes == {"fetched": len(GAMES), "other type": 30}
