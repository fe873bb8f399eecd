"""Kills a real `sync` again and again; what comes out is what one undisturbed run gives."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests import forks
from tests.fakes.steam import Game, Store, picture, serving
from tests.pipeline.sync.sync_processes import CONNECTIONS, commits, start

from steamdino.catalogue.steam.web_api import HIGHEST_ID
from steamdino.gallery import Gallery
from steamdino.pipeline import examine

FATES = {"absent art": 0.01, "hidden": 0.01, "broken": 0.01}
PERMANENT = {"": "fetched", "absent art": "missing", "hidden": "hidden", "broken": "failed"}


def kill_until_done(gallery: Path, store: Store, kills: int, number: int = signal.SIGKILL) -> int:
    dice, done = random.Random(7), 0
    while True:
        before = commits(gallery)
        process = start(gallery, store)
        if done < kills:
            while process.poll() is None and commits(gallery) <= before:
                time.sleep(0.01)
            time.sleep(dice.uniform(0, 0.4))
            process.send_signal(number)
        _, complaint = process.communicate(timeout=300)
        assert "Traceback" not in complaint
        if process.returncode in (0, 1):
            assert done >= kills, f"it ended after {done} kills: too little work for this machine"
            return done
        assert process.returncode in (-number, 130)
        assert commits(gallery) > before  # work was under way
        done += 1
        assert [finding.text for finding in examine(gallery) if not finding.harmless] == []


def check(gallery: Path, store: Store, kills: int) -> None:
    with Gallery.open(gallery) as opened:
        outcomes = {appid: outcome for appid, outcome, _, _ in opened.steam_apps.each_outcome("vertical")}
        kept = {int(one.game_id): one.location.read().data for one in opened.banners.known()}
    assert outcomes == {game.appid: PERMANENT[game.fate] for game in store.games.values()}
    assert kept == {appid: picture(appid, 0) for appid, outcome in outcomes.items() if outcome == "fetched"}
    sent = Counter(
        request.ids[0]
        for request in store.log
        if request.what == "picture" and request.answer == "ok" and store.games[request.ids[0]].fate == ""
    )
    assert sum(count - 1 for count in sent.values()) <= kills * CONNECTIONS
    told = Counter(
        (appid, request.country)
        for request in store.log
        if request.what == "items" and request.answer == "ok"
        for appid in request.ids
        if store.games[appid].fate != "absent art"  # asked about once more on purpose
    )
    assert sum(count - 1 for count in told.values()) <= kills * 200  # a batch


@pytest.fixture
def store() -> Iterator[Store]:
    with serving(Store.of(1200, seed=3, fates=FATES)) as running:
        for appid in range(50, 12_001, 50):
            running.games[appid].available = frozenset({"DE"})
        yield running


@pytest.mark.slow
def test_a_sync_that_is_killed_again_and_again_ends_as_an_undisturbed_one(
    tmp_path: Path, store: Store
) -> None:
    kills = kill_until_done(tmp_path / "g", store, 4)
    check(tmp_path / "g", store, kills)


@pytest.mark.slow
def test_a_sync_that_is_interrupted_says_that_it_goes_on(tmp_path: Path, store: Store) -> None:
    gallery = tmp_path / "g"
    process = start(gallery, store)
    while process.poll() is None and commits(gallery) < 2600:  # banners are being fetched
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130
    assert complaint == "Stopped. Downloads are kept; run the same command to continue.\n"
    check_count = commits(gallery)
    kill_until_done(gallery, store, 0)
    assert commits(gallery) > check_count
    check(gallery, store, 1)


def test_a_list_without_a_key_continues_after_a_kill_where_it_was(tmp_path: Path) -> None:
    gallery = tmp_path / "g"
    with serving(Store.of(1200, fates={"no art": 1.0})) as store:
        finish(start(gallery, store, key=False))
        for appid in range(20_001, 23_001):
            store.games[appid] = Game(appid, "New", "no art", unreleased=True)
        store.log.clear()
        store.latency = 0.2
        process = start(gallery, store, key=False)
        while process.poll() is None and not position(gallery):
            time.sleep(0.01)
        finish(process, signal.SIGKILL)
        store.latency = 0.0
        finish(start(gallery, store, key=False))
        with Gallery.open(gallery) as opened:
            assert opened.steam_apps.count() == len(store.games) == 4200
        assert 1 + 5 <= store.counts()["query"] <= 1 + 5 + 1  # by release, by id, and the page of the kill


def finish(process: forks.Command, number: int = 0) -> None:
    if number:
        process.send_signal(number)
    _, complaint = process.communicate(timeout=120)
    assert (process.returncode, complaint) == (-number, "")


def position(gallery: Path) -> int:
    """How far the list of the highest ids was read, as a run has committed it."""
    with Gallery.open(gallery) as opened:
        state = opened.steam_apps.state("list") or {}
    return int(state["after"]) if state.get("order") == HIGHEST_ID else 0
