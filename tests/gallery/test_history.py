"""The record of changes, against a model in plain Python and a real database."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from steamdino.features.recipe_parser import named
from steamdino.gallery import Gallery, games, recording
from steamdino.gallery.history import ART, BACK, BULK, LEFT, NEW, Event, Import
from steamdino.records import Banner, Entry
from steamdino.storage.location import LocalFile

EVER = ("0001-01-01", "9999-12-31")
IDS = st.sampled_from("abc")
CONTENTS = st.sampled_from([letter * 64 for letter in "123"])


def _banner(root: Path, sha256: str) -> Banner:
    path = root / "banners" / sha256[:2] / f"{sha256}.png"
    return Banner(LocalFile(path), 5, 6, 7, sha256, 300, 450, "RGB", "PNG")


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.time = datetime(2026, 10, 1, 22, tzinfo=UTC)

    def __call__(self) -> str:
        return self.time.isoformat(timespec="seconds")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(games, "now", made)
    monkeypatch.setattr(recording, "now", made)
    return made


@dataclass
class Happening:
    """An event, and whether the picture that was replaced is kept."""

    event: Event
    kept: bool = False


class Model:
    """What a history should hold, written down as it happens."""

    def __init__(self) -> None:
        self.added: dict[str, str] = {}
        self.gone: set[str] = set()
        self.shown: dict[str, tuple[str, bool]] = {}
        self.all: list[Happening] = []

    @property
    def events(self) -> list[Event]:
        return [one.event for one in self.all]

    @property
    def kept(self) -> set[str | None]:
        return {one.event.old_sha256 for one in self.all if one.kept}

    def note(self, what: str, at: str, key: str) -> None:
        self.all.append(Happening(Event(what, at, key, None, None)))

    def change(self, at: str, key: str, new: tuple[str, bool] | None, *, keep: bool) -> None:
        """A game's banner becomes another one: its content, and whether it is a copy."""
        old, copied = self.shown.pop(key, (None, False))
        if new is not None:
            self.shown[key] = new
        content = new[0] if new else None
        had = any(one.game_id == key and one.what == ART for one in self.events)
        if old != content and (old is not None or had or at[:10] != self.added[key][:10]):
            self.all.append(Happening(Event(ART, at, key, old, content), keep and copied))

    def remove(self, key: str) -> None:
        self.all = [one for one in self.all if one.event.game_id != key]
        self.added.pop(key, None)
        self.shown.pop(key, None)
        self.gone.discard(key)

    def forget(self, before: str) -> None:
        """Drop changes of banners, and absences that have ended."""
        dropped = [one for one in self.all if one.event.what == ART and one.event.at < before]
        for key in self.added:
            own = [one for one in self.all if one.event.game_id == key and one.event.what in (LEFT, BACK)]
            for left, back in zip(own[::2], own[1::2], strict=False):
                dropped += [left, back] if back.event.at < before else []
        self.all = [one for one in self.all if not any(one is other for other in dropped)]


class HistoryMachine(RuleBasedStateMachine):
    """Any sequence of additions, changes, absences, returns and removals."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.clock, self.model, self.stack = Clock(), Model(), ExitStack()
        for module in (games, recording):
            self.stack.enter_context(patch.object(module, "now", self.clock))
        self.gallery = self.stack.enter_context(Gallery.write(self.folder / "g", "test", create=True))
        self.gallery._connection.execute(
            "PRAGMA synchronous = OFF"
        )  # no power cut is tested, and it takes half the time

    @initialize()
    def begin(self) -> None:
        with self.gallery.transaction():
            self.source = self.gallery.games.put_source("folder", self.folder / "covers", steam=False)

    @rule(hours=st.integers(0, 30))
    def wait(self, hours: int) -> None:
        self.clock.time += timedelta(hours=hours)

    @rule(key=IDS, name=st.sampled_from(["one", "two"]))
    def put_game(self, key: str, name: str) -> None:
        with self.gallery.transaction():
            self.gallery.games.put_game(self.source, Entry(key, name, None, ""))
        if key not in self.model.added:
            self.model.added[key] = self.clock()
            self.model.note(NEW, self.clock(), key)
        elif key in self.model.gone:
            self.model.gone.discard(key)
            self.model.note(BACK, self.clock(), key)

    @precondition(lambda self: self.model.added)
    @rule(data=st.data(), sha256=CONTENTS, keep=st.booleans(), linked=st.booleans())
    def put_banner(self, data: st.DataObject, sha256: str, keep: bool, linked: bool) -> None:
        key = data.draw(st.sampled_from(sorted(self.model.added)))
        banner = _banner(self.gallery.root, sha256)
        with self.gallery.transaction():
            origin = banner.location if linked else LocalFile(self.folder / "covers" / key)
            self.gallery.banners.put(key, banner, origin, keep_old=keep)
        self.model.change(self.clock(), key, (sha256, not linked), keep=keep)

    @precondition(lambda self: self.model.shown)
    @rule(data=st.data(), keep=st.booleans())
    def drop_banner(self, data: st.DataObject, keep: bool) -> None:
        key = data.draw(st.sampled_from(sorted(self.model.shown)))
        with self.gallery.transaction():
            self.gallery.banners.drop(key, keep_old=keep)
        self.model.change(self.clock(), key, None, keep=keep)

    @precondition(lambda self: self.model.added)
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.model.added)))
        with self.gallery.transaction():
            self.gallery.games.mark_gone([key])
        if key not in self.model.gone:
            self.model.gone.add(key)
            self.model.note(LEFT, self.clock(), key)

    @precondition(lambda self: self.model.added)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.model.added)))
        with self.gallery.transaction():
            self.gallery.games.remove([key])
        self.model.remove(key)

    @rule()
    def remove_gone(self) -> None:
        with self.gallery.transaction():
            self.gallery.games.remove_gone()
        for key in list(self.model.gone):
            self.model.remove(key)

    @rule(days=st.integers(0, 3))
    def forget(self, days: int) -> None:
        before = (self.clock.time - timedelta(days=days)).date().isoformat()
        with self.gallery.transaction():
            self.gallery.history.forget(before)
        self.model.forget(before)

    @rule(key=IDS, sha256=CONTENTS)
    def fail(self, key: str, sha256: str) -> None:
        """A transaction that fails, as one that is killed, leaves no trace."""
        with pytest.raises(RuntimeError), self.gallery.transaction():
            self.gallery.games.put_game(self.source, Entry(key, "failed", None, ""))
            self.gallery.banners.put(key, _banner(self.gallery.root, sha256), LocalFile(self.folder / key))
            self.gallery.games.mark_gone([key])
            raise RuntimeError

    @invariant()
    def the_history_is_what_happened(self) -> None:
        history = self.gallery.history
        assert sorted(history.events(*EVER, "vertical"), key=repr) == sorted(self.model.events, key=repr)
        assert history.kept() == {_banner(self.gallery.root, one or "").location for one in self.model.kept}

    @invariant()
    def each_day_has_its_events(self) -> None:
        for day in {one.day for one in self.model.events}:
            end = (datetime.fromisoformat(day) + timedelta(days=1)).date().isoformat()
            found = self.gallery.history.events(day, end, "vertical")
            assert sorted(found, key=repr) == sorted(
                (one for one in self.model.events if one.day == day), key=repr
            )

    def teardown(self) -> None:
        self.stack.close()
        shutil.rmtree(self.folder)


HistoryMachine.TestCase.settings = settings(max_examples=20, stateful_step_count=25, deadline=None)
TestHistory = HistoryMachine.TestCase


@pytest.fixture
def gallery(tmp_path: Path, clock: Clock) -> Iterator[Gallery]:
    with Gallery.write(tmp_path / "g", "test", create=True) as opened:
        yield opened


Put = Callable[..., None]


@pytest.fixture
def put(gallery: Gallery, tmp_path: Path) -> Put:
    """Add games to a source."""

    def put(ids: list[str], folder: str = "covers") -> None:
        with gallery.transaction():
            source = gallery.games.put_source("folder", tmp_path / folder, steam=False)
            for key in ids:
                gallery.games.put_game(source, Entry(key, key, None, ""))

    return put


def test_the_first_games_of_a_source_are_an_import_however_many_they_are(
    gallery: Gallery, put: Put, clock: Clock
) -> None:
    put(["a", "b"])
    put(["c"], "others")
    clock.time += timedelta(days=1)
    put(["d"])
    imports = gallery.history.imports(*EVER, "vertical")
    assert imports == [
        Import("2026-10-01", "others", 1, banners=False),
        Import("2026-10-01", "covers", 2, banners=False),
    ]
    (event,) = gallery.history.events(*EVER, "vertical", imports)
    assert (event.game_id, event.what) == ("d", NEW)


@pytest.mark.parametrize(("later", "is_import"), [(BULK - 1, False), (BULK, True)])
def test_later_games_are_an_import_if_they_are_many_and_the_source_grows_by_a_quarter(
    gallery: Gallery, put: Put, clock: Clock, later: int, is_import: bool
) -> None:
    put([f"first-{n}" for n in range(4 * BULK)])
    clock.time += timedelta(days=1)
    put([f"later-{n}" for n in range(later)])
    days = [one.day for one in gallery.history.imports(*EVER, "vertical")]
    assert days == ["2026-10-02", "2026-10-01"][not is_import :]


def test_many_first_banners_on_a_later_day_are_one_line(
    gallery: Gallery, put: Put, clock: Clock, tmp_path: Path
) -> None:
    ids = [f"{n}" for n in range(BULK)]
    put(ids)
    clock.time += timedelta(hours=3)
    with gallery.transaction():
        for key in ids:
            gallery.banners.put(key, _banner(gallery.root, "a" * 64), LocalFile(tmp_path / key))
    imports = gallery.history.imports(*EVER, "vertical")
    assert Import("2026-10-02", "covers", BULK, banners=True) in imports
    assert gallery.history.events(*EVER, "vertical", imports) == []
    assert len(gallery.history.events(*EVER, "vertical")) == 2 * BULK


def test_other_kinds_of_banner_have_a_history_of_their_own(
    gallery: Gallery, put: Put, tmp_path: Path
) -> None:
    put(["a"])
    with gallery.transaction():
        for sha256 in ("a" * 64, "b" * 64):
            gallery.banners.put("a", _banner(gallery.root, sha256), LocalFile(tmp_path / "a"), "header")
    assert [one.what for one in gallery.history.events(*EVER, "vertical")] == [NEW]
    assert [one.what for one in gallery.history.events(*EVER, "header")] == [NEW, ART]


def test_vectors_of_earlier_banners_are_used_until_they_are_forgotten(
    gallery: Gallery, put: Put, clock: Clock, tmp_path: Path
) -> None:
    import numpy as np

    recipe = named("bundled")
    put(["a"])
    with gallery.transaction():
        for sha256 in ("a" * 64, "b" * 64):
            gallery.banners.put("a", _banner(gallery.root, sha256), LocalFile(tmp_path / "a"))
        key = gallery.vectors.put_recipe(recipe)
        vectors = np.eye(3, recipe.dim, dtype=np.float32)
        gallery.vectors.put(key, "f32", ["a" * 64, "b" * 64, "c" * 64], vectors)
    assert gallery.vectors.unused() == 1
    with gallery.transaction():
        assert gallery.vectors.drop_unused() == 1
        assert set(gallery.vectors.stored(key, ["a" * 64, "b" * 64, "c" * 64])) == {"a" * 64, "b" * 64}
        assert gallery.history.forget("2026-10-02") == 1
        assert gallery.vectors.drop_unused() == 1
    assert set(gallery.vectors.stored(key, ["a" * 64, "b" * 64])) == {"b" * 64}


def test_a_migrated_gallery_starts_with_the_games_that_it_has_and_those_that_it_lost(tmp_path: Path) -> None:
    import sqlite3

    folder = tmp_path / "g"
    folder.mkdir()
    connection = sqlite3.connect(folder / "gallery.sqlite")
    connection.executescript((Path(__file__).parent / "stored" / "v6.sql").read_text("utf-8"))
    connection.execute("UPDATE games SET gone_at = '2026-11-25T05:00:00+00:00' WHERE game_id = '2'")
    connection.commit()
    connection.close()
    with Gallery.write(folder, "test") as opened:
        events = opened.history.events(*EVER, "vertical")
        assert sorted((one.what, one.game_id) for one in events if one.game_id in "012") == [
            (LEFT, "2"),
            (NEW, "0"),
            (NEW, "1"),
            (NEW, "2"),
        ]
        assert opened.history.recorded_from > "2026-11-25"
        assert len(opened.history.uuid.hex) == 32
