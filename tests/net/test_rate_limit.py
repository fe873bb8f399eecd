from __future__ import annotations

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from steamdino.net.rate_limit import RateLimiter


@pytest.mark.slow
@pytest.mark.parametrize("rate", [5, 20])
def test_no_second_ever_sees_more_requests_than_the_rate_however_long_they_take(rate: int) -> None:
    pace, arrivals, lock = RateLimiter(rate), [], threading.Lock()

    def request(n: int) -> None:
        with pace:
            time.sleep(0.03 * (n % 4))  # on the way
            with lock:
                arrivals.append(time.monotonic())
            time.sleep(0.02 * (n % 3))  # the answer's way

    began = time.monotonic()
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(request, range(3 * rate)))
    arrivals.sort()
    assert time.monotonic() - began > 2  # it was slowed down, so that there is something to see
    for first in arrivals:
        assert sum(first <= at < first + 1 for at in arrivals) <= rate


@pytest.mark.slow
def test_a_rate_below_one_leaves_more_than_a_second_between_requests() -> None:
    pace, times = RateLimiter(0.8), []
    for _ in range(3):
        with pace:
            times.append(time.monotonic())
    assert all(later - earlier >= 1.25 for earlier, later in itertools.pairwise(times))


def test_without_a_limit_nobody_waits() -> None:
    pace, began = RateLimiter(0), time.monotonic()
    for _ in range(1000):
        with pace:
            pass
    assert time.monotonic() - began < 1


def test_a_hold_delays_every_request() -> None:
    pace = RateLimiter(0)
    pace.hold(0.3)
    began = time.monotonic()
    with pace:
        assert time.monotonic() - began >= 0.29


def test_stopping_ends_every_wait() -> None:
    stopped = threading.Event()
    pace = RateLimiter(0.01, stopped)
    with pace:
        pass
    threading.Timer(0.1, stopped.set).start()
    began = time.monotonic()
    with pace:
        assert time.monotonic() - began < 5


def test_requests_within_the_rate_are_spread_evenly() -> None:
    pace, began = RateLimiter(10), time.monotonic()
    for number in range(4):
        with pace:
            # Since the beginning, since a busy machine may read the clock late.
            assert 0.1 * number - 0.001 <= time.monotonic() - began < 5


def test_a_permit_comes_back_a_second_after_the_answer_also_after_an_error() -> None:
    pace = RateLimiter(1)
    with pytest.raises(ValueError, match="oh"), pace:
        time.sleep(0.2)
        answered = time.monotonic()
        raise ValueError("oh")
    with pace:
        assert 1 <= time.monotonic() - answered < 5


def test_a_hold_is_never_shortened_by_another_and_holds_a_rate_as_well() -> None:
    for pace in (RateLimiter(0), RateLimiter(50)):
        began = time.monotonic()
        pace.hold(0.4)
        pace.hold(0.05)
        with pace:
            assert 0.4 <= time.monotonic() - began < 5


def test_stopping_ends_a_wait_for_a_permit() -> None:
    stopped, entered = threading.Event(), threading.Event()
    pace = RateLimiter(1, stopped)

    def wait() -> float:
        began = time.monotonic()
        with pace:
            entered.set()
        return time.monotonic() - began

    with pace, ThreadPoolExecutor(1) as pool:  # the one permit is taken, and not given back
        waiting = pool.submit(wait)
        assert not entered.wait(0.2)
        stopped.set()
        assert waiting.result(10) < 5


@pytest.mark.parametrize(
    ("rate", "permits", "window", "step"),
    [(10, 10, 1.0, 0.1), (2.5, 2, 1.0, 0.5), (1, 1, 1.0, 1.0), (0.5, 1, 2.0, 2.0)],
)
def test_the_full_rate_is_used(rate: float, permits: int, window: float, step: float) -> None:
    pace = RateLimiter(rate)
    assert (len(pace._free), pace._window, pace._step) == (permits, window, step)
