"""What a run without a key finds in the two lists that have new games first, and how many pages it reads for that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.fakes.steam import Game, Request, Store, serving

from steamdino.errors import BlockedError
from steamdino.gallery import Gallery
from steamdino.pipeline.sync import SyncRequest, SyncSummary, sync
from steamdino.settings import SteamSettings

TODAY = 1_800_000_000
HIGHEST = 25_000
"""The highest appID of the store before anything is added; its pages have 1000 games, and overlap by 50."""


@dataclass
class Interrupting(Store):
    """A store that refuses everything after some pages of lists, until it is told otherwise."""

    pages: int = 1_000_000

    def note(self, request: Request) -> None:
        super().note(request)
        self.blocked |= self.counts()["query"] >= self.pages

    def add(self, first: int, count: int = 1, *, unreleased: bool = False) -> None:
        """Add games with a banner that cannot be had, so that a run is about lists and details."""
        for appid in range(first, first + count):
            self.games[appid] = Game(appid, "New", "no art", released=TODAY + appid, unreleased=unreleased)


@pytest.fixture
def gallery(tmp_path: Path) -> Path:
    return tmp_path / "gallery"


@pytest.fixture
def store(gallery: Path) -> Iterator[Interrupting]:
    """A store of 2,500 games which the gallery knows."""
    with serving(Interrupting.of(HIGHEST // 10, fates={"no art": 1.0})) as running:
        assert isinstance(running, Interrupting)
        run(gallery, running)
        running.log.clear()
        yield running


def run(gallery: Path, store: Store) -> SyncSummary:
    settings = SteamSettings(
        api_url=store.address, assets_url=f"{store.address}/assets", rate=0, banner_rate=0, backoff=0.01
    )
    return sync(gallery, SyncRequest(), settings)


def known(gallery: Path) -> set[int]:
    with Gallery.open(gallery) as opened:
        return {appid for appid, *_ in opened.steam_apps.each_outcome("vertical")}


def test_two_pages_show_that_nothing_is_new(gallery: Path, store: Interrupting) -> None:
    assert run(gallery, store).requests == 2
    assert store.counts() == {"query": 2}


def test_an_unreleased_game_is_found_by_its_high_id(gallery: Path, store: Interrupting) -> None:
    store.add(HIGHEST + 1, unreleased=True)
    assert run(gallery, store).counts["new"] == 1
    assert store.counts()["query"] == 1 + 2  # newest releases; highest ids with the new one, and without
    assert HIGHEST + 1 in known(gallery)


def test_a_release_with_an_old_id_is_found_by_its_date(gallery: Path, store: Interrupting) -> None:
    store.add(11)
    assert run(gallery, store).counts["new"] == 1
    assert store.counts()["query"] == 2 + 1
    assert 11 in known(gallery)


def test_released_games_are_found_though_unreleased_ones_precede_them(
    gallery: Path, store: Interrupting
) -> None:
    store.add(HIGHEST + 1, 1500, unreleased=True)
    run(gallery, store)
    store.log.clear()
    store.add(11)
    assert run(gallery, store).counts["new"] == 1
    assert store.counts()["query"] == 2 + 1


def test_lists_are_read_down_to_the_first_page_without_news(gallery: Path, store: Interrupting) -> None:
    store.add(HIGHEST + 1, 2000)
    store.add(11)
    assert run(gallery, store).counts["new"] == 2001
    assert store.counts()["query"] == 4 + 4  # 2,000 games end on the third page, since pages overlap
    assert store.counts()["items"] == 11


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("pages", range(1, 8))
def test_a_reading_that_was_interrupted_after_any_page_finds_the_same(
    gallery: Path, store: Interrupting, pages: int
) -> None:
    store.add(HIGHEST + 1, 2000)
    store.add(11)
    store.pages = pages
    with pytest.raises(BlockedError):
        run(gallery, store)
    store.pages, store.blocked = 1_000_000, False
    run(gallery, store)
    assert known(gallery) == set(store.games)
    assert store.counts()["query"] == 8
    assert store.counts()["items"] == 11


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("pages", [1, 2, 5, 6])
def test_games_that_are_added_during_an_interruption_hide_none_of_those_before_them(
    gallery: Path, store: Interrupting, pages: int
) -> None:
    store.add(HIGHEST + 1, 2000)
    store.pages = pages
    with pytest.raises(BlockedError):
        run(gallery, store)
    store.pages, store.blocked = 1_000_000, False
    store.add(HIGHEST + 5001, 1000)  # moves everything by a page, so that the next page repeats the last
    before = set(store.games) - set(range(HIGHEST + 5001, HIGHEST + 6001))
    run(gallery, store)
    assert before <= known(gallery)
    run(gallery, store)
    assert known(gallery) == set(store.games)


@pytest.mark.slow
def test_details_that_an_interrupted_run_left_do_not_make_the_lists_longer(
    gallery: Path, store: Interrupting
) -> None:
    store.add(HIGHEST + 1, 2000)
    run(gallery, store)
    with Gallery.write(gallery, "test") as opened, opened.transaction():
        opened.steam_apps._db.execute("UPDATE steam_apps SET due = 1, asked_at = NULL, outcome = 'listed'")
    store.log.clear()
    run(gallery, store)
    assert store.counts()["query"] == 2
    assert store.counts()["items"] == 23  # 4,500 games by 200


@pytest.mark.parametrize("fault", ["empty-page", "stalled"])
def test_after_a_page_that_stays_empty_the_whole_list_is_read(
    gallery: Path, store: Interrupting, fault: str
) -> None:
    store.add(HIGHEST + 1, 2000)
    store.rates = {fault: 1.0}
    assert not run(gallery, store).complete
    store.rates = {}
    assert run(gallery, store).complete
    assert known(gallery) == set(store.games)


def test_games_at_the_edges_of_pages_are_found_where_pages_drop_and_repeat_some(
    gallery: Path, store: Interrupting
) -> None:
    store.rates = {"page-edges": 1.0}
    store.add(HIGHEST + 1, 1900)
    store.add(HIGHEST + 3000, 2, unreleased=True)  # two games at the edge of each list
    for appid in (11, 21):
        store.games[appid] = Game(appid, "New", "no art", released=TODAY * 2 - appid)
    run(gallery, store)
    missing = set(store.games) - known(gallery)
    assert missing == {11, 21, HIGHEST + 3000, HIGHEST + 3001}  # which only a list's first edge has
    store.rates = {}
    run(gallery, store)
    assert known(gallery) == set(store.games)
