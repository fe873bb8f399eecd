"""Whatever people, disks and Steam do to a gallery in whatever order: nothing is lost, and what it says is so."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from tests.fakes.steam import Game, Store, picture, serving
from tests.pipeline.sync.test_sync import rows_of, settings_for

from steamdino import Snapshot
from steamdino.errors import NetworkError, SourceError, UsageError
from steamdino.gallery import Gallery
from steamdino.gallery.curation import SAME, Decision
from steamdino.pipeline import add, build, examine, prune, remove
from steamdino.pipeline.sync import SyncRequest, sync

APPIDS = st.sampled_from((10, 20, 30, 40))
NAMES = st.sampled_from(("a", "b", "c"))
STEPS = 0


class Accidents(RuleBasedStateMachine):
    """A gallery of a small Steam and a folder whose pictures it copies, and what should be in it."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.root = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.gallery, self.folder, self.away = (self.root / name for name in ("g", "folder", "away"))
        self.folder.mkdir()
        self.store = self.stack.enter_context(serving(Store()))
        self.removed: set[int] = set()
        self.decided: dict[tuple[str, str], str] = {}
        self.excluded: set[str] = set()
        self.clock = 2_000_000_000
        self.art = 0

    def teardown(self) -> None:
        self.stack.close()

    @initialize()
    def begin(self) -> None:
        self.store.games = {10: Game(10, "Game 10"), 20: Game(20, "Game 20")}
        (self.folder / "a.jpg").write_bytes(picture(1, 0))
        self.sync(full=False)
        self.add()

    # Steam

    @rule(appid=APPIDS)
    def steam_lists_or_redraws_a_game(self, appid: int) -> None:
        self.clock += 1
        self.art += 1
        game = Game(appid, f"Game {appid}", art=self.art, stamp=self.clock, modified=self.clock)
        self.store.games = dict(sorted({**self.store.games, appid: game}.items()))

    @rule(appid=APPIDS)
    def steam_drops_a_game(self, appid: int) -> None:
        self.store.games.pop(appid, None)

    @rule(full=st.booleans())
    def sync(self, full: bool) -> None:
        wanted = SyncRequest(full=full, retry_failed=full)
        try:
            sync(self.gallery, wanted, settings_for(self.store))
        except (
            NetworkError
        ) as error:  # Steam dropped most games: not marked, until a person says that this is so
            assert "--allow-missing" in str(error)
            sync(self.gallery, replace(wanted, allow_missing=True), settings_for(self.store))
        self.check_steam()

    @rule(appid=APPIDS)
    def sync_one(self, appid: int) -> None:
        sync(self.gallery, SyncRequest(appids=(appid,)), settings_for(self.store))
        self.removed.discard(appid)
        if appid in self.store.games:
            self.check_picture(appid)

    # A person

    @rule(name=NAMES)
    def a_person_draws_a_picture(self, name: str) -> None:
        self.art += 1
        (self.folder / f"{name}.jpg").write_bytes(picture(1, self.art))

    @rule(name=NAMES)
    def a_person_deletes_a_picture(self, name: str) -> None:
        (self.folder / f"{name}.jpg").unlink(missing_ok=True)

    @rule()
    def add(self) -> None:
        had = {key for key in self.banners() if not key.isdecimal()} if self.gallery.exists() else set()
        left = had & {path.stem for path in self.folder.iterdir()}
        if 2 * len(left) < len(had):  # most are missing: not marked, until a person says that this is so
            with pytest.raises(SourceError, match="--allow-missing"):
                add(self.gallery, self.folder, copy=True)
            assert {key for key in self.banners() if not key.isdecimal()} == had
            add(self.gallery, self.folder, copy=True, allow_missing=True)
        else:
            add(self.gallery, self.folder, copy=True)
        kept = {key: data for key, data in self.banners().items() if not key.isdecimal()}
        assert set(kept) == {path.stem for path in self.folder.iterdir()}
        for key, data in kept.items():
            assert data == (self.folder / f"{key}.jpg").read_bytes() or is_decayed(data)

    @rule(key=st.one_of(APPIDS.map(str), NAMES))
    def remove_a_game(self, key: str) -> None:
        known = self.games()
        if key not in known:
            with pytest.raises(UsageError):
                remove(self.gallery, [key])
            return
        remove(self.gallery, [key])
        if key.isdecimal():
            self.removed.add(int(key))

    @rule()
    def remove_steam(self) -> None:
        if ("steam",) in rows_of(self.gallery, "SELECT name FROM sources"):
            remove(self.gallery, source="steam")

    @rule(one=APPIDS, other=NAMES)
    def decide(self, one: int, other: str) -> None:
        with Gallery.write(self.gallery, "test") as opened, opened.transaction():
            opened.curation.decide([Decision(str(one), other, SAME)])
            opened.curation.exclude({other: "dark"})
        self.decided[str(one), other] = SAME
        self.excluded.add(other)

    @rule()
    def build(self) -> None:
        build(self.gallery)
        ids = set(Snapshot.open(self.gallery).ids)
        assert set(self.shown()) - self.excluded <= ids <= set(self.banners()) - self.excluded

    @rule(gone=st.booleans())
    def prune(self, gone: bool) -> None:
        before = self.shown()
        prune(self.gallery, gone=gone)
        assert self.shown() == before

    # Accidents

    @rule(share=st.sampled_from((1, 2)))
    def files_are_lost(self, share: int) -> None:
        shutil.rmtree(self.away, ignore_errors=True)
        for path in sorted(self.gallery.glob("banners/*/*"))[::share]:
            place = self.away / path.relative_to(self.gallery)
            place.parent.mkdir(parents=True, exist_ok=True)
            path.rename(place)

    @precondition(lambda self: self.away.exists())
    @rule()
    def files_are_put_back(self) -> None:
        shutil.copytree(self.away, self.gallery, dirs_exist_ok=True)

    @rule()
    def a_file_decays(self) -> None:
        for path in sorted(self.gallery.glob("banners/*/*"))[:1]:
            path.write_bytes(bytes(path.stat().st_size))

    @rule()
    def the_doctor_comes(self) -> None:
        examine(self.gallery, repair=True, deep=True)
        again = examine(self.gallery, deep=True)
        assert all(one.harmless or "sync" in one.remedy or "add" in one.remedy for one in again)
        fetched = {appid for appid, outcome in self.outcomes().items() if outcome == "fetched"}
        assert {str(appid) for appid in fetched} <= set(self.shown())

    # What holds

    def banners(self) -> dict[str, bytes]:
        """The bytes of the banner of each present game; none where its file is missing."""
        with Gallery.open(self.gallery) as opened:
            known = {one.game_id: one.location.path for one in opened.banners.known()}
        return {key: path.read_bytes() if path.exists() else b"" for key, path in known.items()}

    def shown(self) -> dict[str, bytes]:
        """Those that can be seen."""
        return {key: data for key, data in self.banners().items() if not is_decayed(data)}

    def games(self) -> set[str]:
        return {key for (key,) in rows_of(self.gallery, "SELECT game_id FROM games")}

    def outcomes(self) -> dict[int, str]:
        with Gallery.open(self.gallery) as opened:
            return {appid: outcome for appid, outcome, _, _ in opened.steam_apps.each_outcome("vertical")}

    def check_steam(self) -> None:
        outcomes = self.outcomes()
        for appid in self.store.games:
            if appid in self.removed:
                assert outcomes[appid] == "removed"
            else:
                assert outcomes[appid] == "fetched"
                self.check_picture(appid)

    def check_picture(self, appid: int) -> None:
        data = self.banners()[str(appid)]
        # What decayed keeps its name and size: only the doctor looks deeper.
        assert data == self.store.picture(self.store.games[appid]) or (data and is_decayed(data))

    @invariant()
    def what_a_person_decided_stays(self) -> None:
        global STEPS
        STEPS += 1
        with Gallery.open(self.gallery) as opened:
            decided = {(one.game, one.other): one.verdict for one in opened.curation.decisions()}
            assert decided == self.decided
            assert set(opened.curation.excluded()) == self.excluded
            assert opened.complaints() == []
        assert not {str(appid) for appid in self.removed} & self.games()

    @invariant()
    def whatever_is_said_to_be_fetched_belongs_to_a_game_with_a_banner(self) -> None:
        assert (
            rows_of(
                self.gallery,
                "SELECT appid FROM steam_assets a LEFT JOIN games ON games.game_id = CAST(appid AS TEXT)"
                " LEFT JOIN banners b ON b.game_id = games.game_id AND b.kind = a.kind"
                " WHERE games.game_id IS NULL OR (outcome = 'fetched' AND b.game_id IS NULL)",
            )
            == []
        )


def is_decayed(data: bytes) -> bool:
    return not any(data)


def run(examples: int, steps: int, *, shrink: bool) -> None:
    phases = (Phase.reuse, Phase.generate, *([Phase.shrink] if shrink else []))
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Accidents,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            phases=phases,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    print(f"{STEPS:,} steps")


def test_nothing_is_lost_whatever_happens_in_whatever_order() -> None:
    run(12, 25, shrink=False)  # a failure is told at once; the long run makes it short


@pytest.mark.soak
def test_nothing_is_lost_whatever_happens_in_whatever_order_for_long() -> None:
    run(100, 60, shrink=True)
