"""What becomes of games that a list lacks: the store decides."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.fakes.steam import Store, serving
from tests.pipeline.sync.test_sync import outcomes, reasons, rows_of, settings_for

from steamdino.errors import NetworkError
from steamdino.gallery import Gallery
from steamdino.pipeline.sync import SyncRequest, SyncSummary, sync

Run = Callable[..., SyncSummary]
FULL = SyncRequest()
"""Reads the whole list, which `run` makes due, but requests no details in vain as `--full` does."""
KEYS = pytest.mark.parametrize("key", [True, False], ids=["with a key", "without a key"])


@pytest.fixture
def store() -> Iterator[Store]:
    with serving(Store.of(100, fates={"no art": 1.0})) as running:
        running.faults.omissions = 100
        yield running


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    return tmp_path / "g"


@pytest.fixture
def run(store: Store, gallery: Path) -> Run:
    """Sync; `answers` are the faults of the first requests for the list, and the last of them is that of all others."""

    def runs(wanted: SyncRequest = FULL, *answers: str, key: bool = True) -> SyncSummary:
        store.faults.script.extend([*answers, *answers[-1:] * 20])
        if wanted is FULL and gallery.exists():
            with Gallery.write(gallery, "sync") as opened, opened.transaction():
                if swept := opened.steam_apps.state("swept"):
                    opened.steam_apps.put_state("swept", {**swept, "at": 0})
        try:
            return sync(
                gallery, wanted, settings_for(store, key=store.key if key else "", backoff=0, tries=2)
            )
        finally:
            store.faults.script.clear()

    return runs


def gone(gallery: Path) -> set[str]:
    return {key for (key,) in rows_of(gallery, "SELECT game_id FROM games WHERE gone_at IS NOT NULL")}


def asked(store: Store, since: int) -> set[int]:
    return {appid for request in store.log[since:] if request.what == "items" for appid in request.ids}


@KEYS
def test_games_that_a_list_lacks_and_the_store_shows_are_kept_and_the_list_is_called_incomplete(
    run: Run, store: Store, gallery: Path, key: bool
) -> None:
    assert run(key=key).complete
    before, began = outcomes(gallery), len(store.log)
    store.games[10].fate = store.games[20].fate = "left out"
    summary = run(key=key)
    assert (summary.complete, summary.counts["kept"]) == (False, 2)
    assert asked(store, began) == {10, 20}
    assert outcomes(gallery).keys() == before.keys()
    assert "vanished" not in outcomes(gallery).values()
    assert not gone(gallery)


@KEYS
def test_a_list_that_lacks_games_is_read_again_by_the_next_run(run: Run, store: Store, key: bool) -> None:
    run(key=key)
    store.games[10].fate = "left out"
    run(key=key)
    store.games[10].fate = "no art"
    began = len(store.log)
    assert run(SyncRequest(), key=key).complete
    listed = {appid for one in store.log[began:] if one.what in ("list", "query") for appid in one.ids}
    assert listed == set(store.games)


@KEYS
def test_games_that_two_whole_lists_lack_are_kept_in_silence(
    run: Run, store: Store, gallery: Path, key: bool
) -> None:
    run(key=key)
    store.games[10].fate = "left out"
    assert not run(key=key).complete
    for _ in range(2):
        summary = run(key=key)
        assert (summary.complete, summary.counts["kept"]) == (True, 0)
    assert "vanished" not in outcomes(gallery).values()
    store.games[20].fate = "left out"
    assert not run(key=key).complete
    del store.games[10]
    run(key=key)
    assert outcomes(gallery)[10] == "vanished"  # it is asked about whenever a list lacks it


def test_games_that_a_list_lacks_vanish_when_the_store_refuses_them_everywhere_and_stay_when_it_delisted_them(
    run: Run, store: Store, gallery: Path
) -> None:
    run()
    del store.games[10]
    store.games[20].fate = "delisted"
    summary = run()
    assert (summary.complete, summary.counts["vanished"], summary.counts["kept"]) == (True, 1, 0)
    assert Counter(outcomes(gallery).values()) == {"vanished": 1, "fetched": 1, "no banner": 98}
    assert gone(gallery) == {"10"}
    assert "its details are refused" in str(reasons(gallery)[10])
    assert rows_of(gallery, "SELECT game_id FROM games WHERE json_extract(columns, '$.delisted')") == [
        ("20",)
    ]
    del store.games[20]
    run()
    assert gone(gallery) == {"10", "20"}
    began = len(store.log)
    run(SyncRequest(appids=(10,)))
    assert outcomes(gallery)[10] == "vanished"  # asked about, and still refused
    assert asked(store, began) == {10}


def test_a_game_that_is_visible_in_the_other_country_alone_does_not_vanish(
    run: Run, store: Store, gallery: Path
) -> None:
    for game in store.games.values():
        game.fate = "regional"
    run()
    summary = run(FULL, "page-short", "")
    assert (summary.complete, summary.counts["kept"]) == (True, 0)  # the list may be that of the country
    assert set(outcomes(gallery).values()) == {"fetched"}


def test_a_hidden_game_vanishes_when_two_whole_lists_lack_it(run: Run, store: Store, gallery: Path) -> None:
    store.games[10].fate = store.games[20].fate = "hidden"
    run()
    del store.games[10]
    store.games[20].fate = "left out"
    assert outcomes(gallery)[10] == "hidden"
    run()
    assert outcomes(gallery)[10] == "hidden"  # one list proves no more than the refusal that was known
    run()
    assert outcomes(gallery)[10] == "vanished"
    assert outcomes(gallery)[20] == "fetched"


def test_a_game_whose_details_are_missing_does_not_vanish_with_the_list(
    run: Run, store: Store, gallery: Path
) -> None:
    run()
    del store.games[10]
    store.rates = {"absent": 1.0}
    summary = run()
    assert (summary.counts["vanished"], summary.counts["failed"]) == (0, 1)
    assert outcomes(gallery)[10] == "failed"
    assert not gone(gallery)
    store.rates = {}
    run()
    assert outcomes(gallery)[10] == "vanished"


def test_a_hidden_game_that_is_listed_again_is_there_again(run: Run, store: Store, gallery: Path) -> None:
    run()
    game = store.games.pop(10)
    run()
    assert gone(gallery) == {"10"}
    store.games[10] = game
    game.fate = "hidden"
    run()
    assert outcomes(gallery)[10] == "hidden"
    assert not gone(gallery)


@pytest.mark.parametrize("released_only", [True, False])
def test_a_list_of_released_games_may_lack_those_that_are_not(
    run: Run, store: Store, released_only: bool
) -> None:
    run()
    store.games[400].fate = "left out"  # not released yet
    summary = run(SyncRequest(full=True, released_only=released_only))
    assert summary.complete == released_only


def test_the_first_list_is_incomplete_if_it_is_much_shorter_than_the_number_of_games(
    run: Run, store: Store, gallery: Path
) -> None:
    store.page = 20
    # The number of games is doubtful if there are more; then it is asked for again.
    assert not run(FULL, "", "cut-list", "empty-page", "cut-list", "").complete
    assert len(outcomes(gallery)) == 40
    assert run(SyncRequest()).complete  # reads the whole list, since there is none yet
    assert len(outcomes(gallery)) == 100


@KEYS
def test_an_empty_first_list_is_incomplete(run: Run, gallery: Path, key: bool) -> None:
    assert not run(FULL, "empty-page", key=key).complete
    assert outcomes(gallery) == {}


@KEYS
@pytest.mark.parametrize("fault", ["stalled", "stuck", "page-before", "empty-page"])
def test_the_first_games_of_a_list_that_leads_nowhere_are_incomplete_and_the_run_ends(
    run: Run, store: Store, gallery: Path, monkeypatch: pytest.MonkeyPatch, fault: str, key: bool
) -> None:
    monkeypatch.setattr("steamdino.pipeline.sync.listing.QUERIED", 20)
    store.page = 20
    summary = run(SyncRequest(limit=50), "", fault, key=key)
    whole = fault == "stuck" and not key  # that list has no cursor
    assert summary.complete == whole
    assert len(outcomes(gallery)) == (50 if whole else 40 if fault == "stuck" else 20)
    assert run(SyncRequest(limit=50), key=key).complete
    assert len(outcomes(gallery)) == 50


def test_a_list_whose_total_grows_without_end_is_given_up(run: Run, store: Store) -> None:
    assert not run(FULL, "large-total", key=False).complete
    assert len(store.log) < 40


def test_the_highest_number_of_games_that_a_page_names_is_the_number_of_games(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("steamdino.pipeline.sync.listing.QUERIED", 150)
    with serving(Store.of(200, fates={"no art": 1.0})) as store:
        store.faults.script.extend(["page-short", "small-total"])  # at least 197 games, "of 196"
        assert sync(tmp_path / "g", FULL, settings_for(store, key="")).complete
        assert outcomes(tmp_path / "g").keys() == store.games.keys()


def test_a_reading_that_came_to_no_end_is_no_part_of_the_next_one(
    run: Run, store: Store, gallery: Path
) -> None:
    run()
    store.page = 60
    assert not run(FULL, "", "stalled").complete
    del store.games[10]  # which that reading saw
    assert run().complete
    assert outcomes(gallery)[10] == "vanished"


def test_an_interrupted_list_continues_only_if_the_same_is_wanted(
    run: Run, store: Store, gallery: Path
) -> None:
    store.page = 20
    with pytest.raises(NetworkError):
        run(FULL, "", "500")
    run(key=False)  # the list that needs no key begins anew
    assert len(outcomes(gallery)) == 100
    with pytest.raises(NetworkError):
        run(SyncRequest(), "500")
    store.games[9990] = store.games.pop(10)
    store.games[9990].appid = 9990
    began = len(store.log)
    run()
    listed = {appid for one in store.log[began:] if one.what == "list" for appid in one.ids}
    assert listed == set(store.games)


def test_changes_are_read_again_after_a_list_of_changes_that_ended_early(
    run: Run, store: Store, gallery: Path
) -> None:
    store.page = 20
    run()
    for game in store.games.values():
        game.modified = 1_900_000_000
        game.name = "Changed"
    assert not run(SyncRequest(), "", "empty-page").complete
    assert run(SyncRequest()).complete
    assert {name for (name,) in rows_of(gallery, "SELECT name FROM games")} == {"Changed"}


@KEYS
@pytest.mark.parametrize("full", [True, False])
def test_a_list_that_ended_early_is_read_as_a_whole_by_the_next_run(
    run: Run, store: Store, monkeypatch: pytest.MonkeyPatch, key: bool, full: bool
) -> None:
    monkeypatch.setattr("steamdino.pipeline.sync.listing.QUERIED", 60)
    store.page = 60
    run(key=key)
    for game in store.games.values():
        game.modified = 1_900_000_000
    first = [""] if full or key else []  # news without a key are on the first page
    assert not run(SyncRequest(full=full), *first, "stalled", key=key).complete
    began = len(store.log)
    assert run(SyncRequest(), key=key).complete
    listed = {appid for one in store.log[began:] if one.what in ("list", "query") for appid in one.ids}
    assert listed == set(store.games)
