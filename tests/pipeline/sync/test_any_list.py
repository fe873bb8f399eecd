"""Whatever Steam's lists answer, in whatever order: no game that is still there is lost, and no gap is passed over."""

from __future__ import annotations

import tempfile
from collections import deque
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.fakes.steam import Game, Store, serving
from tests.fakes.steam_faults import CALLS, DETAILS, LIES, STUMBLES
from tests.pipeline.sync.test_sync import outcomes, rows_of, settings_for

from steamdino.errors import NetworkError
from steamdino.gallery import Gallery
from steamdino.pipeline.sync import SyncRequest, sync

PAGE, OVERLAP = 16, 3
"""Games on a page, and those that it shares with the next one."""

SHOWN = ("fetched", "no banner", "to fetch", "missing")
"""Outcomes of games whose details the store showed."""

APPIDS = st.integers(1, 70).map(lambda n: 10 * n)
CHANGES = st.lists(
    st.tuples(st.sampled_from(("back", "gone", "hidden", "regional", "delisted", "renamed")), APPIDS),
    max_size=6,
)
FAULTS = (*LIES, *STUMBLES, *CALLS, "500", "html", "reset")
ANSWERS = st.one_of(
    st.builds(
        lambda before, fault: [""] * before + [fault],
        st.integers(0, 4),
        st.sampled_from(("page-short", "page-short", *FAULTS)),
    ),
    st.lists(st.sampled_from(("", *FAULTS)), max_size=6),
)
"""Faults of the next requests for a list, "" for none. Once they are used up, all answers are honest."""


def request(kind: str, limit: int, appids: list[int]) -> SyncRequest:
    if kind == "limit":
        return SyncRequest(limit=limit)
    return SyncRequest(appids=tuple(appids)) if kind == "named" else SyncRequest(full=kind == "full")


REQUESTS = st.builds(
    request,
    st.sampled_from(("full", "full", "full", "changes", "limit", "named")),
    st.integers(1, 40),
    st.lists(APPIDS, min_size=1, max_size=3, unique=True),
)


@dataclass(frozen=True)
class Run:
    """What changes in the store, and then a run over it."""

    changes: list[tuple[str, int]]
    wanted: SyncRequest
    key: bool
    answers: list[str]
    poor_details: bool


RUNS = st.lists(
    st.builds(Run, CHANGES, REQUESTS, st.booleans(), ANSWERS, st.booleans()), min_size=3, max_size=6
)


@dataclass(frozen=True)
class Known:
    """What a gallery knows.

    Attributes:
        outcomes: of each app.
        seen: the last reading of the list that saw each app.
        gone: the games that it does not show any more.
        reading: the last whole reading.
    """

    outcomes: dict[int, str]
    seen: dict[int, int]
    gone: set[int]
    reading: int

    @classmethod
    def of(cls, gallery: Path) -> Known:
        if not gallery.exists():
            return cls({}, {}, set(), 0)
        with Gallery.open(gallery) as opened:
            reading = (opened.steam_apps.state("swept") or {"sweep": 0})["sweep"]
        gone = rows_of(gallery, "SELECT game_id FROM games WHERE gone_at IS NOT NULL")
        seen = dict(rows_of(gallery, "SELECT appid, swept FROM steam_apps"))
        return cls(outcomes(gallery), seen, {int(key) for (key,) in gone}, reading)

    def vanished(self) -> set[int]:
        return {appid for appid, outcome in self.outcomes.items() if outcome == "vanished"}


def change(store: Store, changes: list[tuple[str, int]], now: int) -> None:
    for what, appid in changes:
        game = store.games.get(appid, Game(appid, f"Game {appid}", "no art"))
        game.modified = game.stamp = now
        if what == "gone":
            store.games.pop(appid, None)
            continue
        store.games[appid] = game
        if what == "renamed":
            game.name += "!"
        else:
            game.fate = "no art" if what == "back" else what


def with_fate(store: Store, *fates: str) -> set[int]:
    """The games that an honest list has and that have one of these fates."""
    return {appid for appid in store.listed if store.games[appid].fate in fates}


def delisted(store: Store) -> set[int]:
    """The games that the store shows and that no list has."""
    return {appid for appid, game in store.games.items() if game.fate == "delisted"}


def run(gallery: Path, store: Store, one: Run) -> bool:
    """Whether the run says that all is well."""
    store.faults.script = deque(one.answers)
    store.rates = dict.fromkeys(DETAILS, 0.05) if one.poor_details else {}
    asked = len(store.log)
    client = settings_for(store, key=store.key if one.key else "", backoff=0, tries=2)
    try:
        return sync(gallery, one.wanted, client).complete
    except NetworkError:
        return False
    finally:
        assert len(store.log) - asked < 400  # it ends


def assert_none_is_lost(store: Store, before: Known, after: Known) -> None:
    lost = after.vanished() - before.vanished()
    assert not lost & (with_fate(store, "no art", "regional") | delisted(store))
    assert not after.gone - before.gone - lost
    # Steam refuses hidden games and games that do not exist alike. A hidden game vanishes if its details were shown
    # until now, or if two whole readings missed it.
    for appid in lost & with_fate(store, "hidden"):
        assert before.outcomes[appid] in SHOWN or before.seen[appid] < before.reading


def assert_no_gap(store: Store, before: Known, after: Known) -> None:
    """A whole reading that is called complete has all games that the reading before had and that the store shows."""
    if after.reading > before.reading:
        assert after.seen or not store.listed
        had = {appid for appid, seen in before.seen.items() if seen >= max(before.reading, 1)}
        lacking = {appid for appid in had if after.seen[appid] < after.reading}
        assert not lacking & with_fate(store, "no art") - before.vanished()


def assert_right(store: Store, known: Known) -> None:
    shown = with_fate(store, "no art", "regional")
    assert {appid for appid in store.listed if known.outcomes[appid] in SHOWN} == shown
    assert {appid for appid in store.listed if known.outcomes[appid] == "hidden"} == with_fate(
        store, "hidden"
    )
    was_listed = {appid for appid, seen in known.seen.items() if seen}
    assert was_listed - set(store.listed) - delisted(store) <= known.vanished()
    assert {known.outcomes[appid] for appid in was_listed & delisted(store)} <= {*SHOWN, "vanished"}
    assert not known.gone & set(store.listed)


def check(known: bool, runs: list[Run]) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(Store.of(60, fates={"no art": 1.0})) as store,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr("steamdino.pipeline.sync.listing.QUERIED", PAGE)
        patch.setattr("steamdino.pipeline.sync.listing.OVERLAP", OVERLAP)
        store.page = PAGE
        store.faults.omissions = 1000
        gallery = Path(folder) / "g"
        honest = Run([], SyncRequest(full=True, retry_failed=True, allow_missing=True), True, [], False)
        if known:
            run(gallery, store, honest)
        for number, one in enumerate(runs):
            change(store, one.changes, 1_900_000_000 + number)
            before = Known.of(gallery)
            well = run(gallery, store, one)
            assert_none_is_lost(store, before, after := Known.of(gallery))
            if well:
                assert_no_gap(store, before, after)
        run(gallery, store, honest)  # ends a reading that was interrupted
        for key in (True, False):  # a game that was hidden vanishes after the second
            assert run(gallery, store, replace(honest, key=key))
        assert_right(store, Known.of(gallery))


def examples(count: int) -> settings:
    phases = (Phase.explicit, Phase.reuse, Phase.generate)
    return settings(max_examples=count, deadline=None, suppress_health_check=list(HealthCheck), phases=phases)


@pytest.mark.slow
@examples(30)
@given(st.booleans(), RUNS)
def test_no_list_loses_a_game_that_is_still_there(known: bool, runs: list[Run]) -> None:
    check(known, runs)


@pytest.mark.soak
@examples(1000)
@given(st.booleans(), RUNS)
def test_no_list_loses_a_game_that_is_still_there_for_long(known: bool, runs: list[Run]) -> None:
    check(known, runs)
