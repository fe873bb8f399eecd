"""What the client asks of Steam's Web API, as the server receives it."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event

import pytest
from tests.fakes.steam import CATEGORIES, REQUESTED, TAGS, Game, Store, item, requested, serving

from steamdino.catalogue.steam import replies, web_api
from steamdino.catalogue.steam.web_api import SteamApi
from steamdino.pipeline.sync.sync import api_of, client_of
from steamdino.settings import SteamSettings


@pytest.fixture
def store() -> Iterator[Store]:
    with serving(Store.of(1200)) as running:
        yield running


@pytest.fixture
def api(store: Store) -> Iterator[SteamApi]:
    steam = SteamSettings(api_url=store.address, rate=0)
    with client_of(steam, Event(), 0, 1) as client:
        yield api_of(client, steam)


def test_a_page_of_the_list_brings_the_ids_and_nothing_else(api: SteamApi, store: Store) -> None:
    page = api.query(0, ())
    assert [app.appid for app in page.apps] == list(store.games)[:1000]
    assert page.total == 1200
    (request,) = store.log
    assert request.sent < 25 * 1000


def test_the_details_have_all_that_is_read(api: SteamApi, store: Store) -> None:
    appids = list(store.games)[:200]
    names = api.names()
    assert api.items(appids, names) == replies.items(
        {"store_items": [item(store.games[appid], "US") for appid in appids]}, TAGS, CATEGORIES
    )
    assert store.log[-1].ids == tuple(appids)  # all in one request


@pytest.mark.parametrize("part", sorted(set(REQUESTED.values())))
def test_each_part_of_the_details_that_is_requested_is_read_and_no_other(part: str) -> None:
    whole = item(Game(30, "A game"), "US")

    def read(parts: set[str]) -> dict[int, replies.Item]:
        return replies.items({"store_items": [requested(whole, dict.fromkeys(parts, 20))]}, {}, {})

    everything = set(REQUESTED.values())
    assert (read(everything - {part}) != read(everything)) == (part in web_api._DATA)


def test_the_address_spends_26_characters_on_a_game_of_seven_digits(api: SteamApi, store: Store) -> None:
    names = web_api.Names({}, {})
    for count in (1, 101):
        api.items([1_000_000 + n for n in range(count)], names)
    one, more = (request.received for request in store.log)
    assert more - one == 100 * len("%7B%22appid%22:1000000%7D,")
