"""Rate limits: the same buckets in one process and in several that share a file."""

from __future__ import annotations

import multiprocessing
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steamdino.present.web import rate_limit
from steamdino.present.web.rate_limit import ADDRESSES, SWEEP, Limiter, LocalLimiter, SharedLimiter


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(params=["local", "shared"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[float, Clock], Limiter]:
    def make(per_minute: float, clock: Clock) -> Limiter:
        if request.param == "local":
            return LocalLimiter(per_minute, clock)
        return SharedLimiter(tmp_path / "limits.sqlite", "requests", per_minute, clock)

    return make


def test_a_bucket_fills_evenly_and_holds_a_minute(made: Callable[[float, Clock], Limiter]) -> None:
    clock = Clock()
    limiter = made(60, clock)
    assert [limiter.count("a").wait for _ in range(61)] == [0.0] * 60 + [1.0]
    assert limiter.count("b").wait == 0
    clock.now += 0.25
    assert limiter.count("a").wait == pytest.approx(0.75)
    clock.now += 0.75
    assert [limiter.count("a").wait, limiter.count("a").wait] == [0.0, pytest.approx(1.0)]
    clock.now += 3600
    assert [limiter.count("a").wait for _ in range(61)] == [0.0] * 60 + [pytest.approx(1.0)]


def test_a_client_is_told_what_is_left_and_when_all_of_it_is_back(
    made: Callable[[float, Clock], Limiter],
) -> None:
    clock = Clock()
    limiter = made(3, clock)
    found = [limiter.count("a") for _ in range(4)]
    assert [one.left for one in found] == [2, 1, 0, 0]
    assert [one.full for one in found] == pytest.approx([20, 40, 60, 60])
    clock.now += 30  # half of the bucket
    after = limiter.count("a")
    assert (after.left, after.full, after.wait) == (0, pytest.approx(50), 0.0)


@given(st.lists(st.floats(0, 30), max_size=60), st.integers(1, 20))
def test_a_limit_holds_in_every_minute(pauses: list[float], per_minute: int) -> None:
    clock = Clock()
    limiter, shared = LocalLimiter(per_minute, clock), SharedLimiter(Path(":memory:"), "x", per_minute, clock)
    allowed: list[float] = []
    for pause in pauses:
        clock.now += pause
        found = limiter.count("1.2.3.4")
        # SQL computes the same as Python.
        assert shared.count("1.2.3.4").wait == pytest.approx(found.wait)
        if not found.wait:
            allowed.append(clock.now)
        assert limiter.count("5.6.7.8").wait == 0 or per_minute < len(pauses)
    for start in allowed:
        # A full bucket, and what flows in during that minute.
        assert sum(start <= one < start + 60 for one in allowed) <= 2 * per_minute


def test_those_are_forgotten_who_asked_longest_ago() -> None:
    limiter = LocalLimiter(2, clock=lambda: 0.0)
    for number in range(ADDRESSES):
        limiter.count(str(number))
    limiter.count("0")
    assert limiter.count("0").wait > 0  # it is remembered, and now the last
    limiter.count("new")
    assert len(limiter._buckets) == ADDRESSES
    assert "1" not in limiter._buckets and "0" in limiter._buckets and "2" in limiter._buckets


def test_a_shared_file_forgets_who_has_asked_nothing_for_a_minute(tmp_path: Path) -> None:
    clock = Clock()
    limiter = SharedLimiter(tmp_path / "limits.sqlite", "requests", 5, clock)
    for number in range(SWEEP - 1):
        limiter.count(f"early {number}")
    clock.now += 61
    limiter.count("late")
    with sqlite3.connect(tmp_path / "limits.sqlite") as db:
        assert db.execute("SELECT address FROM bucket").fetchall() == [("late",)]
    db.close()


def test_budgets_of_one_file_are_counted_apart(tmp_path: Path) -> None:
    pages, pictures = (
        SharedLimiter(tmp_path / "limits.sqlite", name, 1, Clock()) for name in ("pages", "pictures")
    )
    assert [pages.count("a").wait > 0, pages.count("a").wait > 0] == [False, True]
    assert pictures.count("a").wait == 0


def _count(file: Path, times: int, allowed: Any) -> None:
    limiter = SharedLimiter(file, "requests", 100)
    limiter._clock = lambda: 1.0
    allowed.put(sum(not limiter.count("a").wait for _ in range(times)))


def test_several_processes_together_keep_to_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = multiprocessing.get_context("spawn")
    allowed = context.Queue()
    processes = [
        context.Process(target=_count, args=(tmp_path / "limits.sqlite", 150, allowed)) for _ in range(3)
    ]
    for one in processes:
        one.start()
    counts = [allowed.get(timeout=60) for _ in processes]
    for one in processes:
        one.join(30)
    assert sum(counts) == 100


def test_a_file_that_cannot_be_used_refuses_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "PATIENCE", 0.01)
    file = tmp_path / "limits.sqlite"
    limiter = SharedLimiter(file, "requests", 1, Clock())
    with sqlite3.connect(file, isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert [limiter.count("a").wait for _ in range(3)] == [0.0] * 3
        other.execute("ROLLBACK")
    other.close()
    assert [limiter.count("a").wait > 0, limiter.count("a").wait > 0] == [False, True]
