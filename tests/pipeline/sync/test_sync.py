from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.steam import TRANSIENT, Game, Store, picture, serving
from tests.fakes.steam_faults import IN_A_ROW

from steamdino.errors import BlockedError, GalleryError, NetworkError, QueryError
from steamdino.gallery import Gallery
from steamdino.pipeline.sync import SyncRequest, SyncSummary, estimate, fetch_one, sync
from steamdino.settings import SteamSettings

Run = Callable[..., SyncSummary]

FATES = {
    "hidden": 0.03,
    "regional": 0.03,
    "absent art": 0.03,
    "no art": 0.03,
    "broken": 0.03,
    "elsewhere": 0.02,
    "climbs": 0.02,
    "fallback": 0.03,
}
OUTCOMES = {
    "": "fetched",
    "regional": "fetched",
    "fallback": "fetched",
    "hidden": "hidden",
    "absent art": "missing",
    "no art": "no banner",
    "broken": "failed",
    "elsewhere": "failed",
    "climbs": "failed",
    "huge": "failed",
}


def settings_for(store: Store, **changes: Any) -> SteamSettings:
    plain = SteamSettings(
        key=store.key,
        api_url=store.address,
        assets_url=f"{store.address}/assets",
        rate=0,
        banner_rate=0,
        backoff=0.05,
        timeout=60.0,  # more than a slow machine takes: a reply that comes too late is one more fault
    )
    return replace(plain, **changes)


@pytest.fixture
def store() -> Iterator[Store]:
    with serving(Store.of(150, seed=1, fates=FATES)) as running:
        yield running


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    return tmp_path / "gallery"


@pytest.fixture
def run(store: Store, gallery: Path) -> Run:
    def runs(wanted: SyncRequest | None = None, **changes: Any) -> SyncSummary:
        return sync(gallery, wanted or SyncRequest(), settings_for(store, **changes))

    return runs


def outcomes(gallery: Path) -> dict[int, str]:
    with Gallery.open(gallery) as opened:
        return {appid: outcome for appid, outcome, _, _ in opened.steam_apps.each_outcome("vertical")}


def reasons(gallery: Path) -> dict[int, str | None]:
    with Gallery.open(gallery) as opened:
        return {appid: reason for appid, _, reason, _ in opened.steam_apps.each_outcome("vertical")}


def rows_of(gallery: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(gallery / "gallery.sqlite")) as db:
        return db.execute(sql).fetchall()


def pictures(gallery: Path) -> dict[int, bytes]:
    with Gallery.open(gallery) as opened:
        return {int(one.game_id): one.location.read().data for one in opened.banners.known()}


def assert_right(gallery: Path, store: Store) -> None:
    """Every game has the outcome that its fate demands, and its picture is byte for byte the server's."""
    assert outcomes(gallery) == {game.appid: OUTCOMES[game.fate] for game in store.games.values()}
    fetched = {appid for appid, game in store.games.items() if OUTCOMES[game.fate] == "fetched"}
    kept = pictures(gallery)
    assert set(kept) == fetched
    for appid in fetched:
        assert kept[appid] == picture(appid, store.games[appid].art)


def assert_nothing_twice(store: Store, slack: int = 0) -> None:
    """Each picture was sent once, and the details of each app were told once but for what has a reason."""
    sent = Counter(
        request.path for request in store.log if request.what == "picture" and request.answer == "ok"
    )
    again = {path: n for path, n in sent.items() if n > 1}
    broken = {game.file for game in store.games.values() if game.fate == "broken"}
    assert sum(n - 1 for path, n in again.items() if path not in broken) <= slack
    told = Counter(
        (appid, request.country)
        for request in store.log
        if request.what == "items" and request.answer == "ok"
        for appid in request.ids
    )
    for (appid, country), count in told.items():
        asked_anew = store.games[appid].fate == "absent art"
        assert count <= 1 + asked_anew, (appid, country, count)


def test_every_game_of_the_store_comes_with_its_outcome_and_its_picture(
    run: Run, store: Store, gallery: Path
) -> None:
    assert set(OUTCOMES) - {"huge"} == {game.fate for game in store.games.values()}  # there is one of each
    summary = run()
    assert_right(gallery, store)
    assert_nothing_twice(store)
    assert summary.outcomes == dict(Counter(outcomes(gallery).values()))
    assert summary.requests == len(store.log)
    assert summary.complete


@pytest.mark.parametrize("key", [True, False], ids=["with a key", "without a key"])
def test_transient_faults_change_nothing_of_what_comes_out(
    store: Store, gallery: Path, run: Run, key: bool
) -> None:
    # No address meets more faults in a row than a client has tries, so that none fails by chance.
    store.rates = {name: 0.02 for name in TRANSIENT if name != "429-after"}
    store.drip_seconds = 0.3
    run(**({} if key else {"key": ""}))
    seen = {request.answer for request in store.log}
    assert len(seen & set(TRANSIENT)) >= 4  # faults did happen
    assert_right(gallery, store)
    told = Counter(r.path for r in store.log if r.what == "picture" and r.answer == "ok")
    broken = {game.file for game in store.games.values() if game.fate == "broken"}
    assert all(count == 1 for path, count in told.items() if path not in broken)


def test_a_second_run_with_nothing_new_asks_only_for_the_list(run: Run, store: Store) -> None:
    run()
    before = len(store.log)
    summary = run()
    assert [request.what for request in store.log[before:]] == ["list"]
    assert summary.requests == 1
    assert not any(summary.counts.values())


@pytest.mark.parametrize("key", [True, False], ids=["with a key", "without a key"])
def test_every_game_is_listed_though_pages_drop_some_at_their_edges_and_stall(
    gallery: Path, key: bool
) -> None:
    with serving(Store.of(2500, seed=2, fates={"no art": 1.0})) as store:
        store.rates = {"page-edges": 0.5, "stalled": 0.3}
        summary = sync(gallery, SyncRequest(), settings_for(store, key=store.key if key else ""))
        assert summary.complete
        assert summary.outcomes == {"no banner": 2500}
        if not key:
            assert store.counts()["query"] > 3  # more pages than an honest server needs


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "key"),
    [(fault, key) for fault in ("empty-page", "empty-response") for key in (True, False)],
    ids=lambda value: value if isinstance(value, str) else ("with a key" if value else "without a key"),
)
def test_a_list_that_ends_early_lets_no_game_vanish(
    gallery: Path, monkeypatch: pytest.MonkeyPatch, fault: str, key: bool
) -> None:
    monkeypatch.setattr("steamdino.catalogue.steam.web_api.LISTED", 400)
    with serving(Store.of(2500, fates={"no art": 1.0})) as store:
        settings = settings_for(store, key=store.key if key else "", backoff=0.01, tries=3)
        assert sync(gallery, SyncRequest(), settings).complete
        before = outcomes(gallery)
        store.rates = {fault: 1.0}
        try:
            assert not sync(gallery, SyncRequest(full=True), settings).complete
        except NetworkError as error:
            assert re.search("no list 'apps'|games that it had|how many games there are", str(error))
        assert outcomes(gallery) == before
        store.rates = {fault: 0.3}
        assert sync(gallery, SyncRequest(full=True), replace(settings, tries=IN_A_ROW + 2)).complete
        assert outcomes(gallery) == before


@pytest.mark.parametrize("key", [True, False], ids=["with a key", "without a key"])
def test_a_list_that_is_much_shorter_than_before_is_refused_and_a_little_shorter_is_not(
    gallery: Path, key: bool
) -> None:
    with serving(Store.of(300, fates={"no art": 1.0})) as store:
        settings = settings_for(store, key=store.key if key else "")
        sync(gallery, SyncRequest(), settings)
        games = store.games
        store.games = dict(list(games.items())[16:])
        with pytest.raises(NetworkError, match="has 284 of the 300 games.*--allow-missing"):
            sync(gallery, SyncRequest(full=True), settings)
        assert Counter(outcomes(gallery).values()) == {"no banner": 300}
        store.games = dict(list(games.items())[15:])
        sync(gallery, SyncRequest(full=True), settings)
        assert Counter(outcomes(gallery).values()) == {"no banner": 285, "vanished": 15}
        store.games = games
        sync(gallery, SyncRequest(full=True), settings)
        assert Counter(outcomes(gallery).values()) == {"no banner": 300}


def test_what_changed_in_the_store_is_fetched_and_nothing_else(run: Run, store: Store, gallery: Path) -> None:
    run()
    plain = [game for game in store.games.values() if not game.fate]
    redrawn, touched, renamed = plain[0], plain[1], plain[2]
    later = 1_900_000_000
    redrawn.art += 1
    renamed.name = "Another name"
    for game in (redrawn, touched, renamed):
        game.stamp = game.modified = later  # ?t= is of the whole app
    store.games[99990] = Game(99990, "New", modified=later)
    gone = plain[3]
    del store.games[gone.appid]
    before = len(store.log)
    summary = run()
    assert summary.counts["new"] == 1
    assert summary.counts["fetched"] == 2  # redrawn and new
    answers = Counter((request.what, request.answer) for request in store.log[before:])
    assert answers[("picture", "304")] == 2  # only the stamp was new
    assert answers[("picture", "ok")] == 2
    assert answers[("items", "ok")] == 1
    assert pictures(gallery)[redrawn.appid] == picture(redrawn.appid, 1)
    names = dict(rows_of(gallery, "SELECT game_id, name FROM games"))
    assert names[str(renamed.appid)] == "Another name"


def test_a_game_that_vanished_is_marked_and_keeps_what_was_known(
    run: Run, store: Store, gallery: Path
) -> None:
    run()
    game = next(game for game in store.games.values() if not game.fate)
    kept = pictures(gallery)[game.appid]
    del store.games[game.appid]
    summary = run(SyncRequest(full=True))
    assert summary.counts["vanished"] == 1
    assert outcomes(gallery)[game.appid] == "vanished"
    ((gone_at, columns),) = rows_of(
        gallery, f"SELECT gone_at, columns FROM games WHERE game_id = '{game.appid}'"
    )
    assert gone_at
    assert "tags" in columns
    with Gallery.open(gallery) as opened:
        location = opened.banners.location(str(game.appid))
    assert location is not None
    assert location.read().data == kept
    store.games[game.appid] = game
    run(SyncRequest(full=True))
    assert outcomes(gallery)[game.appid] == "fetched"  # it came back


@pytest.mark.parametrize("key", [True, False], ids=["with a key", "without a key"])
def test_a_full_run_asks_for_all_details_again_and_a_plain_one_for_none(gallery: Path, key: bool) -> None:
    with serving(Store.of(5)) as store:
        settings = settings_for(store, key=store.key if key else "")
        sync(gallery, SyncRequest(), settings)
        # Nothing in the list shows this change: a better reading of the same reply is none for Steam.
        store.games[10].release = {
            "steam_release_date": 1830240000,
            "is_coming_soon": True,
            "coming_soon_display": "date_year",
        }

        def released(request: SyncRequest) -> str:
            before = len(store.log)
            assert sync(gallery, request, settings).complete
            asked = {appid for one in store.log[before:] if one.what == "items" for appid in one.ids}
            assert asked == (set(store.games) if request.full else set())
            ((columns,),) = rows_of(gallery, "SELECT columns FROM games WHERE game_id = '10'")
            return str(json.loads(columns)["released"])

        assert released(SyncRequest()) == "2017-07-14"
        assert released(SyncRequest(full=True)) == "2027"


def test_details_that_fail_change_nothing_that_was_known(run: Run, store: Store, gallery: Path) -> None:
    run(SyncRequest(appids=(20, 30)))
    sql = "SELECT game_id, name, columns FROM games ORDER BY game_id"
    before, kept = rows_of(gallery, sql), pictures(gallery)
    store.games[20].fate = "failing"
    run(SyncRequest(appids=(20, 30)))
    assert rows_of(gallery, sql) == before
    assert pictures(gallery) == kept
    assert outcomes(gallery)[20] == "failed"
    assert reasons(gallery)[20] == "Steam's replies have no details of it"
    store.games[20].fate = ""
    run(SyncRequest(appids=(20, 30)))
    assert outcomes(gallery)[20] == "fetched"


def test_named_games_alone_are_fetched(run: Run, store: Store, gallery: Path) -> None:
    wanted = [game.appid for game in store.games.values() if not game.fate][:3]
    run(SyncRequest(appids=tuple(wanted)))
    assert sorted(outcomes(gallery)) == wanted
    assert {request.what for request in store.log} == {"items", "picture", "other"}


def test_the_most_played_and_the_first_of_the_list_alone_are_fetched(
    run: Run, store: Store, gallery: Path
) -> None:
    run(SyncRequest(top=7))
    assert len(outcomes(gallery)) == 7
    run(SyncRequest(limit=12))
    assert len(outcomes(gallery)) == 12
    run(SyncRequest(limit=12), key="")
    assert len(outcomes(gallery)) == 12


def test_what_failed_is_tried_again_when_asked_for(run: Run, store: Store, gallery: Path) -> None:
    run()
    broken = next(game for game in store.games.values() if game.fate == "broken")
    absent = next(game for game in store.games.values() if game.fate == "absent art")
    assert "cannot be decoded" in str(reasons(gallery)[broken.appid])
    broken.fate = absent.fate = ""
    before = len(store.log)
    run()
    assert all(request.what == "list" for request in store.log[before:])  # not by itself
    run(SyncRequest(retry_failed=True))
    assert_right(gallery, store)


def test_several_kinds_of_banner_live_side_by_side(gallery: Path) -> None:
    with serving(Store.of(5)) as store:
        for game in store.games.values():
            game.fate = ""
        settings = settings_for(store)
        sync(gallery, SyncRequest(kinds=("vertical", "header")), settings)
        with Gallery.open(gallery) as opened:
            assert opened.steam_apps.outcomes("vertical") == {"fetched": 5}
            assert opened.steam_apps.outcomes("header") == {"missing": 5}  # this store has none of these


@pytest.mark.slow
def test_many_broken_pictures_do_not_end_the_run(gallery: Path) -> None:
    with serving(Store.of(400, seed=9, fates={"broken": 0.1})) as store:
        sync(gallery, SyncRequest(), settings_for(store, backoff=0.01))
        assert Counter(outcomes(gallery).values())["failed"] > 25  # more than may fail in a row
        assert_right(gallery, store)


def test_403_stops_the_run_and_keeps_what_was_fetched(run: Run, store: Store, gallery: Path) -> None:
    run(SyncRequest(limit=20))
    kept = pictures(gallery)
    store.blocked = True
    before = len(store.log)
    with pytest.raises(BlockedError, match="answered 403"):
        run()
    assert len(store.log) == before + 1
    assert pictures(gallery) == kept
    with pytest.raises(BlockedError):
        run(SyncRequest(appids=(30,)))


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("result", [5, 15])
@pytest.mark.parametrize("key", [True, False], ids=["with a key", "without a key"])
def test_a_refusal_that_is_reported_with_status_200_stops_the_run_and_changes_nothing(
    run: Run, store: Store, gallery: Path, result: int, key: bool
) -> None:
    changes = {} if key else {"key": ""}
    run(**changes)
    before, asked = outcomes(gallery), len(store.log)
    store.eresult = result
    with pytest.raises(BlockedError, match=f"x-eresult {result}.*STEAM_API_KEY"):
        run(SyncRequest(full=True), **changes)
    assert len(store.log) == asked + 1
    assert outcomes(gallery) == before


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("result", [2, 8, 84])
@pytest.mark.parametrize("key", [True, False], ids=["with a key", "without a key"])
def test_failures_that_are_reported_with_status_200_empty_no_gallery(
    run: Run, store: Store, gallery: Path, result: int, key: bool
) -> None:
    changes = {} if key else {"key": ""}
    run(**changes)
    before = outcomes(gallery)
    store.eresult = result
    with pytest.raises(NetworkError, match=f"x-eresult '?{result}"):
        run(SyncRequest(full=True), backoff=0.01, **changes)
    assert outcomes(gallery) == before
    store.eresult = 1
    run(SyncRequest(full=True), **changes)
    assert outcomes(gallery) == before


def test_a_wrong_key_stops_the_run_and_is_not_told(run: Run) -> None:
    with pytest.raises(BlockedError) as error:
        run(key="WRONGSECRET")
    assert "WRONGSECRET" not in str(error.value)


def test_a_key_is_never_stored_or_shown(run: Run, store: Store, gallery: Path) -> None:
    run(SyncRequest(limit=5))
    run()
    assert store.key.encode() not in b"".join(
        path.read_bytes() for path in gallery.rglob("*") if path.is_file()
    )
    assert store.key not in repr(settings_for(store))


def test_servers_that_are_down_end_the_run_with_advice(store: Store, gallery: Path) -> None:
    settings = settings_for(store, assets_url="http://127.0.0.1:9/assets", tries=1)
    with pytest.raises(NetworkError, match="20 pictures in a row could not be downloaded.*the same command"):
        sync(gallery, SyncRequest(), settings)
    with pytest.raises(NetworkError, match="cannot be reached"):
        sync(gallery, SyncRequest(), settings_for(store, api_url="http://127.0.0.1:9", tries=1))


def test_a_picture_of_200_mb_is_not_read_to_its_end(gallery: Path) -> None:
    with serving(Store.of(3)) as store:
        store.games[20].fate = "huge"
        sync(gallery, SyncRequest(), settings_for(store, timeout=20.0))
        assert_right(gallery, store)
        assert "sends more than" in str(reasons(gallery)[20])


def test_the_rate_is_kept_as_the_server_measures_it(gallery: Path) -> None:
    with serving(Store.of(60)) as store:
        sync(gallery, SyncRequest(), settings_for(store, banner_rate=20, connections=8))
        assert store.counts()["picture"] == 60
        assert 10 <= store.busiest_second({"picture"}) <= 20


@pytest.mark.slow
def test_a_batch_that_is_too_long_for_the_server_is_halved(gallery: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("steamdino.catalogue.steam.web_api.LONGEST_URL", 100_000)
    monkeypatch.setattr("steamdino.catalogue.steam.web_api.BATCH", 600)
    with serving(Store.of(600)) as store:
        sync(gallery, SyncRequest(), settings_for(store))
        assert "414" in {request.answer for request in store.log}
        assert_right(gallery, store)


@pytest.mark.parametrize(
    ("days", "asked_again"), [(6, "none"), (8, "without a banner"), (29, "without a banner"), (31, "all")]
)
def test_details_are_asked_for_again_after_a_week_without_a_banner_and_after_a_month_with_one(
    gallery: Path, days: int, asked_again: str
) -> None:
    with serving(Store.of(45)) as store:
        for appid, fate in ((10, "hidden"), (20, "no art"), (30, "broken"), (40, "regional")):
            store.games[appid].fate = fate
        wanted, settings = SyncRequest(released_only=True), settings_for(store)
        sync(gallery, wanted, settings)  # with a key, since the list without one then has no unreleased games
        settings = replace(settings, key="")
        without = {appid for appid, outcome in outcomes(gallery).items() if outcome != "fetched"}
        assert without == {10, 20, 30, 400}  # the last one is not released
        with closing(sqlite3.connect(gallery / "gallery.sqlite")) as db, db:
            asked_at = (datetime.now(UTC) - timedelta(days=days)).isoformat(timespec="seconds")
            db.execute("UPDATE steam_apps SET asked_at = ?", (asked_at,))
        before = len(store.log)
        sync(gallery, wanted, settings)
        asked = {appid for request in store.log[before:] if request.what == "items" for appid in request.ids}
        visible = without - {10}  # a hidden game waits for a month
        assert asked == {"none": set(), "without a banner": visible, "all": set(store.games)}[asked_again]


def test_unreleased_games_are_left_out_when_asked_for(run: Run, gallery: Path) -> None:
    run(SyncRequest(released_only=True))
    assert Counter(outcomes(gallery).values())["unreleased"] > 0
    shown = [columns for (columns,) in rows_of(gallery, "SELECT columns FROM games")]
    assert shown
    assert not any("coming_soon" in columns for columns in shown)


@pytest.mark.parametrize("damage", ["not a database", "of a newer version", "of an older version"])
def test_an_estimate_for_a_gallery_that_cannot_be_read_is_refused_before_steam_is_asked(
    store: Store, gallery: Path, run: Run, damage: str
) -> None:
    run(SyncRequest(appids=(10,)))
    database = gallery / "gallery.sqlite"
    if damage == "not a database":
        database.write_bytes(b"this is no database" * 100)
    else:
        with closing(sqlite3.connect(database)) as connection:
            connection.execute(f"PRAGMA user_version = {999 if damage == 'of a newer version' else 1}")
    store.log.clear()
    with pytest.raises(GalleryError, match="gallery"):
        estimate(gallery, SyncRequest(), settings_for(store))
    assert store.log == []


def test_an_estimate_tells_what_a_run_would_do_and_writes_nothing(
    store: Store, gallery: Path, run: Run
) -> None:
    settings = settings_for(store, rate=1.0, banner_rate=10.0)
    plan = estimate(gallery, SyncRequest(), settings)
    assert plan.apps == plan.pictures == len(store.games)
    assert 15 <= plan.seconds <= 20
    assert not gallery.exists()
    run()
    assert estimate(gallery, SyncRequest(), settings).apps == 0
    again = estimate(gallery, SyncRequest(full=True), settings)
    assert (again.apps, again.pictures) == (len(store.games), 0)
    assert estimate(gallery, SyncRequest(appids=(10, 20)), settings).apps == 2


def test_one_game_is_fetched_on_demand_or_its_absence_explained(store: Store, gallery: Path) -> None:
    settings = settings_for(store)
    by_fate = {game.fate: game for game in store.games.values()}
    path = fetch_one(gallery, by_fate[""].appid, settings, "vertical")
    assert path.read_bytes() == picture(by_fate[""].appid, 0)
    with pytest.raises(QueryError, match="hidden, or not available in US or DE"):
        fetch_one(gallery, by_fate["hidden"].appid, settings, "vertical")
    with pytest.raises(QueryError, match="hidden, or not available in US or DE"):
        fetch_one(gallery, 4_000_000, settings, "vertical")
    store.rates = {"absent": 1.0}
    with pytest.raises(QueryError, match="have no details of it"):
        fetch_one(gallery, 5_000_000, settings, "vertical")


def test_an_id_of_a_folder_is_not_taken_over_but_one_of_an_archive_of_steams_is(
    store: Store, gallery: Path, tmp_path: Path
) -> None:
    from steamdino.pipeline import add

    plain = [game.appid for game in store.games.values() if not game.fate][:2]
    for name, appid in (("mine", plain[0]), ("steams", plain[1])):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{appid}.jpg").write_bytes(picture(1, 0))
        add(gallery, tmp_path / name, steam=name == "steams")
    sync(gallery, SyncRequest(appids=tuple(plain)), settings_for(store))
    assert outcomes(gallery) == {plain[0]: "failed", plain[1]: "fetched"}
    assert "belongs to the source 'mine'" in str(reasons(gallery)[plain[0]])
    assert pictures(gallery)[plain[0]] == picture(1, 0)
    assert pictures(gallery)[plain[1]] == picture(plain[1], 0)


def test_a_folders_game_with_the_id_of_an_app_is_neither_that_app_nor_gone_with_it(
    store: Store, gallery: Path, tmp_path: Path
) -> None:
    from steamdino.pipeline import add

    appid = next(game.appid for game in store.games.values() if not game.fate)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / f"{appid}.jpg").write_bytes(picture(1, 0))
    add(gallery, tmp_path / "mine")
    with pytest.raises(QueryError, match="the id belongs to the source 'mine'"):
        fetch_one(gallery, appid, settings_for(store), "vertical")
    sync(gallery, SyncRequest(), settings_for(store))
    del store.games[appid]
    for _ in range(2):  # its details were never shown, so that one list proves nothing
        sync(gallery, SyncRequest(full=True), settings_for(store))
    assert outcomes(gallery)[appid] == "vanished"
    assert rows_of(gallery, f"SELECT gone_at FROM games WHERE game_id = '{appid}'") == [(None,)]
