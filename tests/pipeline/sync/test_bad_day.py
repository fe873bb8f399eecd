"""A bad day at Steam's: every fault at once, and kills; the gallery ends as the honest store says."""

from __future__ import annotations

import json
import random
import subprocess
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from tests.fakes.steam import CATEGORIES, TAGS, Game, Store, item, picture, serving
from tests.fakes.steam_faults import DETAILS, LIES, PICTURES, REFUSALS, TRANSIENT, TRANSPORT
from tests.pipeline.sync.sync_processes import CONNECTIONS, start
from tests.pipeline.sync.test_sync import outcomes, pictures, rows_of

from steamdino.catalogue.steam import replies
from steamdino.errors import NoGalleryError
from steamdino.gallery import Gallery
from steamdino.pipeline import examine, prune
from steamdino.storage.location import LocalFile

FATES = {"hidden": 0.02, "regional": 0.02, "absent art": 0.02, "no art": 0.02, "fallback": 0.02}
OUTCOMES = {
    "": "fetched",
    "regional": "fetched",
    "fallback": "fetched",
    "hidden": "hidden",
    "absent art": "missing",
    "no art": "no banner",
}
RATES = {**dict.fromkeys((*TRANSIENT, *LIES), 0.02), "429": 0.01, "429-after": 0.01}
MOST_RUNS = 80
IMPATIENT = {"STEAMDINO_STEAM_TIMEOUT": "1"}
"""Below the time that a slow answer takes, so that requests are given up."""


class Client:
    """Someone who runs `sync` until it succeeds, on a machine that fails."""

    def __init__(self, gallery: Path, store: Store, *, key: bool, seed: int) -> None:
        self.gallery, self.store, self.key = gallery, store, key
        self.dice = random.Random(seed)
        self.kills: list[float] = []
        self.complaints: Counter[str] = Counter()
        self.runs = 0

    def sync(self, *flags: str, kills: int, longest: float) -> None:
        """Run it until it succeeds, but kill it first, so many times, within `longest` seconds after its start."""
        killed = 0
        for _ in range(MOST_RUNS):
            self.runs += 1
            process = start(
                self.gallery, self.store, "--retry-failed", *flags, key=self.key, environ=IMPATIENT
            )
            moment = round(self.dice.uniform(0.1, longest), 2) if killed < kills else 300
            try:
                _, complaint = process.communicate(timeout=moment)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                killed += 1
                self.kills.append(moment)
                with suppress(NoGalleryError):  # killed before there was one
                    assert [one.text for one in examine(self.gallery) if not one.harmless] == []
                continue
            assert process.returncode in (0, 1), complaint
            assert "Traceback" not in complaint
            assert self.store.key not in complaint
            if process.returncode == 0 and killed == kills:
                return
            if process.returncode:
                self.complaints[(complaint.strip().splitlines() or [""])[-1]] += 1
        raise AssertionError(f"it came to no end: {self.complaints}")


def change(store: Store, dice: random.Random, *, noticed: bool) -> None:
    """The next day at Steam's: games leave and arrive; without a key, nothing shows what else changed."""
    now, count = int(time.time()), len(store.games)
    some = iter(dice.sample(sorted(store.games), count // 10))
    for _ in range(count // 80):
        del store.games[next(some)]
        store.games[next(some)].fate = "delisted"
        if noticed:
            renamed, redrawn, hidden = (store.games[next(some)] for _ in range(3))
            renamed.name += ", the second part"
            redrawn.art += 1
            hidden.fate = "hidden"
            for game in (renamed, redrawn, hidden):
                game.stamp = game.modified = now
    last = max(store.games)
    for appid in range(last + 10, last + 10 + count // 10, 10):
        store.games[appid] = Game(appid, f"Game {appid}", modified=now)


def assert_right(gallery: Path, store: Store) -> None:
    """Every game has the outcome, the name, the columns and the picture that the honest store has."""
    known, listed = outcomes(gallery), set(store.listed)
    assert {appid: known.get(appid) for appid in listed} == {
        appid: OUTCOMES[store.games[appid].fate] for appid in listed
    }
    assert {known[appid] for appid in known.keys() - store.games.keys()} <= {"vanished"}

    rows = {
        int(key): row for key, *row in rows_of(gallery, "SELECT game_id, name, columns, gone_at FROM games")
    }
    assert {appid for appid, (_, _, gone) in rows.items() if gone} == rows.keys() - store.games.keys()
    for appid in rows.keys() & store.games.keys():
        game = store.games[appid]
        if game.fate != "hidden":
            told = {"store_items": [item(game, "DE")]}
            shown = replies.items(told, TAGS, CATEGORIES)[appid]
            name, columns, _ = rows[appid]
            country = "JP" if game.fate == "regional" else "US"
            assert (name, json.loads(columns)) == (game.name, {**shown.columns, "country": country})
            assert shown.columns["tags"]
            assert bool(shown.columns.get("delisted")) == (game.fate == "delisted") == (appid not in listed)
            assert shown.columns["released"]

    kept = pictures(gallery)
    fetched = {appid for appid in known.keys() & store.games.keys() if known[appid] == "fetched"}
    assert fetched <= kept.keys() <= fetched | {appid for appid in listed if known[appid] == "hidden"}
    for appid in fetched:
        assert kept[appid] == picture(appid, store.games[appid].art)


def assert_tidy(gallery: Path) -> int:
    """Nothing is damaged, and after `prune` there is no file without a game; returns how many there were before."""
    assert examine(gallery, deep=True) == []
    unused = prune(gallery).copies
    with Gallery.open(gallery) as opened:
        used = opened.banners.copies()
    assert {LocalFile(path) for path in gallery.glob("banners/**/*") if path.is_file()} == used
    rest = {path.name for path in gallery.iterdir()} - {"banners", "writer.lock"}
    assert all(name.startswith("gallery.sqlite") for name in rest), rest
    assert examine(gallery, deep=True) == []
    return unused


def spend(
    gallery: Path, games: int, *, key: bool, kills: tuple[int, int], longest: tuple[float, float], seed: int
) -> None:
    with serving(Store.of(games, seed=seed, fates=FATES)) as store:
        store.rates = RATES
        store.drip_seconds = 1.5
        store.page = games // 20
        client = Client(gallery, store, key=key, seed=seed)
        began = time.monotonic()
        client.sync(kills=kills[0], longest=longest[0])
        change(store, client.dice, noticed=key)
        client.sync("--full", kills=kills[1], longest=longest[1])
        # What a list with a key leaves out of the games that nobody knows yet, only the next list shows. The store
        # leaves out each game once at most.
        for _ in range(1 if games < 1000 else 4):
            client.sync("--full", kills=0, longest=0)
        seconds = time.monotonic() - began
        assert_right(gallery, store)
        unused = assert_tidy(gallery)
        print(
            f"\n{games:,} games, {'with' if key else 'without'} a key, seed {seed}: {seconds:.0f} s,"
            f" {client.runs} runs, {len(store.log):,} requests, {dict(Counter(outcomes(gallery).values()))}"
            f"\n  killed {len(client.kills)} times, after so many seconds: {client.kills}"
            f"\n  {store.faults.served.total():,} faults: {dict(store.faults.served.most_common())}"
            f"\n  {unused} pictures were of no game any more; messages: {dict(client.complaints)}"
        )
        assert len(client.kills) == sum(kills)
        assert store.faults.served.total() > games / 5
        assert games < 1000 or {*TRANSPORT, *DETAILS, *PICTURES} <= store.faults.served.keys()


KEYS = pytest.mark.parametrize("key", [True, False], ids=["with a key", "without a key"])


@pytest.mark.slow
@KEYS
def test_a_sync_through_every_fault_and_kill_ends_with_what_the_store_has(tmp_path: Path, key: bool) -> None:
    spend(tmp_path / "g", 150, key=key, kills=(1, 1), longest=(3.0, 1.5), seed=1)


@pytest.mark.soak
@KEYS
def test_5000_games_through_every_fault_and_ten_kills(tmp_path: Path, key: bool) -> None:
    """Prints what happened; `make soak` runs it."""
    spend(tmp_path / "g", 5000, key=key, kills=(7, 3), longest=(9.0, 3.0), seed=5)


@pytest.mark.slow
def test_a_refusal_ends_a_run_at_once_and_the_next_run_continues(tmp_path: Path) -> None:
    rates = {"401": 0.01, "403": 0.01, "eresult-5": 0.1, "eresult-15": 0.1}
    with serving(Store.of(150, seed=3, fates=FATES)) as store:
        store.rates = rates
        refused: Counter[str] = Counter()
        for _ in range(MOST_RUNS):
            asked = len(store.log)
            process = start(tmp_path / "g", store)
            shown, complaint = process.communicate(timeout=300)
            answers = [request.answer for request in store.log[asked:]]
            refusals = [n for n, answer in enumerate(answers) if answer in REFUSALS]
            if not refusals:
                assert process.returncode == 0, complaint
                break
            assert (process.returncode, shown) == (1, "")
            assert len(complaint.splitlines()) == 1
            assert complaint.startswith("steam-dino: ")
            assert "nothing more was requested" in complaint
            assert len(answers) - refusals[0] <= CONNECTIONS  # those that were under way
            refused[answers[refusals[0]]] += 1
        assert len(refused) >= 2
        assert_right(tmp_path / "g", store)
        sent = Counter(
            request.path for request in store.log if (request.what, request.answer) == ("picture", "ok")
        )
        assert sum(n - 1 for n in sent.values()) <= CONNECTIONS * sum(refused.values())
