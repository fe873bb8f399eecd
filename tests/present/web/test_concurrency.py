from __future__ import annotations

import asyncio
import math
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from steamdino.errors import BusyError
from steamdino.present.web.api import filtered
from steamdino.present.web.concurrency import ConcurrencyLimit
from steamdino.present.web.deadline import left, within
from steamdino.records import EVERYTHING, Filter


def test_time_is_left_until_the_deadline_and_without_one_for_ever() -> None:
    assert left() == math.inf
    with within(30):
        assert 29 < left() <= 30
        with within(5):
            assert left() <= 5
        assert left() > 29
    with within(0.0):
        assert left() == 0
    assert left() == math.inf


def test_so_many_have_a_place_and_the_next_is_refused_at_once() -> None:
    places = ConcurrencyLimit(3, "with something", 7)
    for _ in range(2):  # what was given back is there again
        with ExitStack() as stack:
            for _ in range(3):
                stack.enter_context(places.taken())
            with pytest.raises(
                BusyError, match="this server is busy with something; try again in 7 s"
            ) as busy:
                stack.enter_context(places.taken())
            assert busy.value.retry == 7


def test_a_place_is_given_back_whatever_happens() -> None:
    places, lock = ConcurrencyLimit(1, "", 1), threading.Lock()
    for _ in range(3):
        with pytest.raises(ValueError, match="oh"), places.taken(lock):
            raise ValueError("oh")
    assert not lock.locked()


def test_one_at_a_time_holds_the_lock_and_the_others_wait() -> None:
    places, lock, inside = ConcurrencyLimit(8, "", 1), threading.Lock(), []

    def work(number: int) -> int:
        with places.taken(lock):
            inside.append(number)
            assert len(inside) == 1
            time.sleep(0.01)
            inside.clear()
        return number

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(work, range(8))) == list(range(8))


def test_who_waits_until_the_deadline_is_refused_and_waits_no_longer() -> None:
    places, lock = ConcurrencyLimit(1, "", 1), threading.Lock()
    with lock:
        began = time.monotonic()
        with within(0.2), pytest.raises(BusyError), places.taken(lock):
            pytest.fail("somebody else holds the lock")
        assert 0.15 < time.monotonic() - began < 5
    with places.taken(lock):  # neither the place nor the lock is lost
        assert lock.locked()


def test_who_gets_the_lock_too_late_does_nothing_with_it() -> None:
    places, lock = ConcurrencyLimit(1, "", 1), threading.Lock()
    with within(0.0), pytest.raises(BusyError), places.taken(lock):
        pytest.fail("nobody waits for this any more")
    assert not lock.locked()
    with places.taken():
        pass


@pytest.mark.parametrize(
    ("only", "in_thread"),
    [
        (Filter(), False),
        (EVERYTHING, False),
        (Filter(upcoming=False), False),
        (Filter(tags=("Action",)), True),
        (Filter(released_from="2020"), True),
        (Filter(min_reviews=1), True),
        (Filter(free=True, adult=True), True),
    ],
)
def test_only_a_filter_with_conditions_leaves_the_event_loop(only: Filter, in_thread: bool) -> None:
    used = asyncio.run(filtered(only, threading.get_ident))
    assert (used != threading.get_ident()) == in_thread
