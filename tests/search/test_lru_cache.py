from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steamdino.search.lru_cache import LruCache


@given(st.lists(st.integers(0, 6), max_size=60), st.integers(1, 4))
def test_it_keeps_the_values_used_last_and_no_more(keys: list[int], most: int) -> None:
    cache: LruCache[int, int] = LruCache(most)
    computed: list[int] = []
    kept: list[int] = []  # the oracle: the keys by when they were used

    def compute(key: int) -> Callable[[], int]:
        def value() -> int:
            computed.append(key)
            return key * key

        return value

    for key in keys:
        before = len(computed)
        assert cache.get(key, compute(key)) == key * key
        assert (len(computed) == before) == (key in kept)
        kept = [*(one for one in kept if one != key), key][-most:]
        assert len(cache) == len(kept) <= most


def test_what_fails_is_not_kept() -> None:
    cache: LruCache[str, int] = LruCache(2)

    def fail() -> int:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        cache.get("a", fail)
    assert cache.get("a", lambda: 1) == 1


def test_none_is_a_value_like_any_other() -> None:
    cache: LruCache[str, None] = LruCache(2)
    assert cache.get("a", lambda: None) is None
    assert cache.get("a", lambda: pytest.fail("it is kept")) is None


def test_a_slow_value_delays_no_other() -> None:
    cache: LruCache[str, int] = LruCache(2)
    begun, released = threading.Event(), threading.Event()

    def slow() -> int:
        begun.set()
        assert released.wait(30)
        return 1

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(cache.get, "slow", slow)
        assert begun.wait(30)
        assert cache.get("quick", lambda: 2) == 2
        released.set()
        assert waiting.result(30) == 1


class Restless(int):
    """A key that lets another thread run whenever it is looked for."""

    def __hash__(self) -> int:
        time.sleep(0)
        return int(self)


def test_many_threads_get_what_one_gets() -> None:
    cache: LruCache[int, int] = LruCache(3)
    barrier = threading.Barrier(8)

    def ask(seed: int) -> list[int]:
        barrier.wait(30)
        # Eight threads ask for ten keys in other orders, so that values are dropped all the time.
        return [cache.get(Restless(key), lambda key=key: key * key) for key in keys(seed)]  # type: ignore[misc]

    def keys(seed: int) -> list[int]:
        return [(seed * 7 + step) % 10 for step in range(300)]

    with ThreadPoolExecutor(8) as pool:
        for seed, found in enumerate(pool.map(ask, range(8))):
            assert found == [key * key for key in keys(seed)]
    assert len(cache) == 3
