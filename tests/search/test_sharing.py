"""Many threads share one snapshot: the answers of one thread, one encoder, and caches that stay small."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from steamdino import Matches, Snapshot
from steamdino.features import encoder
from steamdino.features.encoder import Encoder
from steamdino.index.snapshot_reader import SnapshotReader
from steamdino.records import Filter

THREADS = 12

Ask = Callable[[Snapshot], Any]


def _told(matches: Matches) -> list[tuple[str, float, bool]]:
    return [(match.id, round(match.similarity, 6), match.identical) for match in matches]


def _questions(snapshot: Snapshot) -> list[Ask]:
    """Questions of each kind, with more filters than are kept."""
    ids = snapshot.ids[::40]
    pictures = [game.picture for key in ids if (game := snapshot.game(key)).picture][:4]
    asked: list[Ask] = []
    for key in ids:
        asked.append(lambda s, key=key: _told(s.similar(key, 5)))
        asked.append(lambda s, key=key: s.find(key, files=False).game)
        asked.append(lambda s, key=key: [game.id for game in s.suggest(s.game(key).name[:4], 5)])
    for year in range(2000, 2024):
        only = Filter(released_from=str(year))
        asked.append(lambda s, only=only: s.rows(only).tolist())
        asked.append(lambda s, only=only: _told(s.similar(ids[0], 4, only=only)))
    for picture in pictures:
        asked.append(lambda s, picture=picture: _told(s.similar(picture, 3)))
        asked.append(lambda s, picture=picture: _told(s.similar(picture, 3, mirror=True)))
    asked += [lambda s: s.tags(), lambda s: s.sha256s[:9], lambda s: s.percentile(0.5)]
    return asked


@pytest.mark.slow
def test_many_threads_get_the_answers_of_one(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("steamdino.search.filter_masks.MASKS", 3)
    made: list[Encoder] = []

    class Counted(Encoder):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            made.append(self)
            super().__init__(*arguments, **options)

    alone = Snapshot.open(built)
    questions = _questions(alone)
    expected = [ask(alone) for ask in questions]
    monkeypatch.setattr(encoder, "Encoder", Counted)
    shared = Snapshot.open(built)
    barrier = threading.Barrier(THREADS)

    def work(seed: int) -> list[tuple[int, Any]]:
        order = random.Random(seed).sample(range(len(questions)), len(questions))
        barrier.wait(60)
        return [(place, questions[place](shared)) for place in order]

    with ThreadPoolExecutor(THREADS) as pool:
        for found in pool.map(work, range(THREADS)):
            for place, answer in found:
                assert answer == expected[place]
    assert len(made) == 1
    assert len(shared._masks._kept) <= 3


def test_one_encoder_is_made_however_many_threads_want_it_at_once(
    built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = []

    class Slow(Encoder):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            made.append(self)
            time.sleep(0.2)  # so that the others come while it is being made
            super().__init__(*arguments, **options)

    monkeypatch.setattr(encoder, "Encoder", Slow)
    snapshot = Snapshot.open(built)
    key = snapshot.ids[0]
    barrier = threading.Barrier(THREADS)

    def work(_: int) -> list[tuple[str, float, bool]]:
        barrier.wait(60)
        return _told(snapshot.similar(key, 3, mirror=True))

    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(work, range(THREADS)))
    assert len(made) == 1
    assert all(answer == answers[0] for answer in answers)


def test_a_mask_that_threads_share_cannot_be_written_to(built: Path) -> None:
    mask = Snapshot.open(built)._masks.mask(Filter(released_from="2015"))
    assert mask is not None
    with pytest.raises(ValueError, match="read-only"):
        mask[0] = True


class Watched:
    """A connection that notices when two threads are in it at the same time."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._inside = threading.Lock()
        self.overlaps = 0
        self.statements = 0

    def execute(self, *arguments: Any) -> Any:
        if not self._inside.acquire(blocking=False):
            self.overlaps += 1
            return self._connection.execute(*arguments)
        try:
            time.sleep(0.001)  # SQLite would let the others run meanwhile
            self.statements += 1
            return self._connection.execute(*arguments)
        finally:
            self._inside.release()


def test_each_connection_serves_one_thread_at_a_time(built: Path) -> None:
    reader = SnapshotReader(Snapshot.open(built)._reader.folder)
    watched, filters = Watched(reader._db), Watched(reader._filters)
    reader._db, reader._filters = watched, filters  # type: ignore[assignment]
    key = Snapshot.open(built).ids[7]
    asked: list[Callable[[], Any]] = [
        lambda: reader.row(key),
        lambda: reader.games([3, 1]),
        lambda: reader.named("neonior"),
        lambda: reader.suggested("neo"),
        lambda: reader.named_exactly("Neonoir"),
        lambda: reader.absent("nothing"),
        lambda: reader.allowed(Filter(released_from="2015")),
        lambda: reader.tags(),
        lambda: reader.ids[0],
        lambda: reader.sha256s[0],
        lambda: len(list(reader.every_row())),
        lambda: len(list(reader.every_absent())),
    ]
    barrier = threading.Barrier(len(asked))

    def work(place: int) -> None:
        barrier.wait(60)
        for step in range(len(asked)):
            asked[(place + step) % len(asked)]()

    with ThreadPoolExecutor(len(asked)) as pool:
        list(pool.map(work, range(len(asked))))
    assert watched.statements + filters.statements > len(asked) ** 2
    assert filters.statements >= len(asked)
    assert (watched.overlaps, filters.overlaps) == (0, 0)


def test_a_slow_filter_keeps_no_other_request_waiting(built: Path) -> None:
    reader = SnapshotReader(Snapshot.open(built)._reader.folder)
    begun, goes_on = threading.Event(), threading.Event()

    def wait() -> int:
        begun.set()
        return 0 if goes_on.wait(60) else 1

    reader._filters.set_progress_handler(wait, 1)  # SQLite calls it within its statement
    with ThreadPoolExecutor(2) as pool:
        filtered = pool.submit(reader.allowed, Filter(released_from="2015"))
        assert begun.wait(60)
        others = pool.submit(lambda: (reader.games([3]), reader.suggested("neo"), reader.row("neonoir")))
        try:
            assert len(others.result(60)[0]) == 1
            assert not filtered.done()
        finally:
            goes_on.set()
        found = filtered.result(60)
    assert found is not None and found.any()


def test_all_rows_are_read_page_by_page(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Snapshot.open(built)._reader
    every = list(reader.every_row())
    assert [row["id"] for row in every] == reader.ids
    monkeypatch.setattr("steamdino.index.snapshot_reader._PAGE", 7)
    assert list(reader.every_row()) == every
