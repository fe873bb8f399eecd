"""Pictures of Steam that were removed or lost, and how they come back."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.fakes.steam import Store, picture, serving
from tests.pipeline.sync.test_sync import outcomes, pictures, rows_of, settings_for

from steamdino.errors import NetworkError
from steamdino.gallery import Gallery
from steamdino.pipeline import build, examine, prune, remove
from steamdino.pipeline.sync import SyncRequest, SyncSummary, estimate, sync

Run = Callable[..., SyncSummary]
ALL = dict.fromkeys((10, 20, 30, 40, 50), "fetched")


@pytest.fixture
def store() -> Iterator[Store]:
    with serving(Store.of(5)) as running:
        yield running


@pytest.fixture
def gallery(tmp_path: Path, store: Store) -> Path:
    """All of a small store, synced."""
    sync(tmp_path / "g", SyncRequest(), settings_for(store))
    return tmp_path / "g"


@pytest.fixture
def run(store: Store, gallery: Path) -> Run:
    def runs(wanted: SyncRequest | None = None, **changes: object) -> SyncSummary:
        return sync(gallery, wanted or SyncRequest(), settings_for(store, **changes))

    return runs


def assert_whole(gallery: Path, store: Store) -> None:
    assert outcomes(gallery) == ALL
    assert pictures(gallery) == {appid: picture(appid, game.art) for appid, game in store.games.items()}


def test_a_removed_game_comes_back_with_its_picture_when_it_is_named(
    gallery: Path, store: Store, run: Run
) -> None:
    remove(gallery, ["10"])
    prune(gallery)
    run(SyncRequest(appids=(10,)))
    assert_whole(gallery, store)


@pytest.mark.parametrize(
    "wanted",
    [SyncRequest(), SyncRequest(full=True, retry_failed=True), SyncRequest(top=100), SyncRequest(limit=9)],
)
@pytest.mark.parametrize("key", [True, False], ids=["with a key", "without a key"])
def test_a_removed_game_stays_away_until_it_is_named(
    gallery: Path, store: Store, run: Run, wanted: SyncRequest, key: bool
) -> None:
    remove(gallery, ["10"])
    store.games[10].modified = store.games[10].stamp = 1_900_000_000
    run(wanted, **({} if key else {"key": ""}))
    assert outcomes(gallery) == {**ALL, 10: "removed"}
    assert 10 not in pictures(gallery)
    del store.games[10]
    run(SyncRequest(full=True))
    assert outcomes(gallery)[10] == "removed"


def test_a_removed_source_comes_back_whole_but_for_what_was_removed_one_by_one(
    gallery: Path, store: Store, run: Run
) -> None:
    remove(gallery, ["20"])
    remove(gallery, source="steam")
    assert outcomes(gallery) == {20: "removed"}
    run()
    assert outcomes(gallery) == {**ALL, 20: "removed"}
    run(SyncRequest(appids=(20,)))
    assert_whole(gallery, store)


def test_lost_pictures_are_fetched_again_by_the_next_sync(gallery: Path, store: Store, run: Run) -> None:
    build(gallery)
    shutil.rmtree(gallery / "banners")
    (finding,) = examine(gallery)
    assert (finding.text, finding.remedy) == (
        "5 pictures are missing: 10, 20, 30, 40, 50",
        "run: steam-dino sync",
    )
    summary = run()
    assert (summary.counts["lost"], summary.counts["fetched"]) == (5, 5)
    assert_whole(gallery, store)
    assert examine(gallery, deep=True) == []
    assert not build(gallery).swapped  # nothing is shown that was not shown before


def test_a_picture_that_was_cut_off_is_fetched_again_by_the_next_sync(
    gallery: Path, store: Store, run: Run
) -> None:
    for path in list(gallery.glob("banners/*/*"))[:2]:
        path.write_bytes(path.read_bytes()[:-1])
    assert estimate(gallery, SyncRequest(), settings_for(store)).pictures == 2
    assert estimate(gallery, SyncRequest(appids=()), settings_for(store)).pictures == 0
    summary = run()
    assert (summary.counts["lost"], summary.counts["fetched"]) == (2, 2)
    assert_whole(gallery, store)


@pytest.mark.parametrize("key", [True, False], ids=["with a key", "without a key"])
@pytest.mark.parametrize("left", [0, 2])
def test_a_list_that_lost_most_games_is_refused_until_it_is_allowed(
    gallery: Path, store: Store, run: Run, left: int, key: bool
) -> None:
    changes = {} if key else {"key": ""}
    build(gallery)
    games, store.games = store.games, dict(list(store.games.items())[:left])
    for _ in range(2):
        with pytest.raises(NetworkError, match=f"has {left} of the 5 games .*nothing.*--allow-missing"):
            run(SyncRequest(full=True), **changes)
        assert outcomes(gallery) == ALL
    assert not build(gallery).swapped
    store.games = games
    run(SyncRequest(full=True), **changes)
    assert_whole(gallery, store)
    store.games = dict(list(games.items())[:left])
    run(SyncRequest(full=True, allow_missing=True), **changes)
    assert Counter(outcomes(gallery).values())["vanished"] == 5 - left
    run(SyncRequest(full=True), **changes)  # there is nothing left to lose


def test_damaged_pictures_are_fetched_again_after_a_repair(gallery: Path, store: Store, run: Run) -> None:
    with Gallery.open(gallery) as opened:
        location = opened.banners.location("10")
    assert location is not None
    path = location.path
    assert path is not None
    data = path.read_bytes()
    path.write_bytes(bytes(reversed(data)))
    (finding,) = examine(gallery, deep=True)
    assert finding.remedy == "run with --repair, then: steam-dino sync"
    assert examine(gallery, deep=True, repair=True)[0].remedy == "run: steam-dino sync"
    assert outcomes(gallery) == {**ALL, 10: "to fetch"}
    run()
    assert path.read_bytes() == data
    assert_whole(gallery, store)


def test_a_vanished_game_that_was_pruned_comes_back_whole_when_it_is_listed_again(
    gallery: Path, store: Store, run: Run
) -> None:
    game = store.games.pop(10)
    run(SyncRequest(full=True))
    assert prune(gallery, gone=True).games == 1
    assert rows_of(gallery, "SELECT count(*) FROM steam_assets WHERE appid = 10") == [(0,)]
    run()
    assert outcomes(gallery)[10] == "vanished"
    store.games = {10: game, **store.games}
    run(SyncRequest(full=True))
    assert_whole(gallery, store)


def test_a_removed_game_of_a_folder_does_not_touch_what_is_known_of_steam(
    gallery: Path, tmp_path: Path, run: Run
) -> None:
    from steamdino.pipeline import add

    (tmp_path / "mine").mkdir()
    for name in ("10x", "010", "-10", "99"):
        (tmp_path / "mine" / f"{name}.jpg").write_bytes(picture(1, 0))
    add(gallery, tmp_path / "mine")
    remove(gallery, ["10x", "010", "-10", "99"])
    assert outcomes(gallery) == ALL
    assert rows_of(gallery, "SELECT count(*) FROM steam_apps WHERE due > 0") == [(0,)]
    remove(gallery, source="mine")
    assert outcomes(gallery) == ALL


def test_a_game_that_is_removed_before_its_picture_came_leaves_nothing_to_fetch(
    tmp_path: Path, store: Store
) -> None:
    store.games[10].fate = "absent art"
    sync(tmp_path / "g", SyncRequest(), settings_for(store))
    remove(tmp_path / "g", ["10"])
    sync(tmp_path / "g", SyncRequest(retry_failed=True), settings_for(store))
    assert outcomes(tmp_path / "g")[10] == "removed"
