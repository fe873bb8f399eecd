"""Work in pieces: nothing is lost, nothing is done twice, and only what ends its process alone is given up."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steamdino.engines.lost_work import GIVEN_UP, Piece, Work
from steamdino.gallery.vectors import Pending


def _banners(count: int) -> list[Pending]:
    return [Pending(f"{number:064x}", (), (str(number),)) for number in range(count)]


@given(st.integers(0, 60), st.integers(1, 9), st.data())
def test_every_banner_is_done_once_whatever_is_lost(count: int, size: int, data: st.DataObject) -> None:
    banners = _banners(count)
    work = Work(banners, size)
    done: list[Pending] = []
    held: list[Piece] = []
    given_up: list[Pending] = []
    while held or work.peek() is not None:
        if work.peek() is not None and (not held or data.draw(st.booleans())):
            first = work.peek()
            piece = work.take()
            assert piece == first
            assert 1 <= len(piece.banners) <= size
            held.append(piece)
            continue
        piece = held.pop(data.draw(st.integers(0, len(held) - 1)))
        if data.draw(st.integers(0, 3)):
            done.extend(piece.banners)
        elif failure := work.lose(piece):
            assert (failure.reason, failure.final) == (GIVEN_UP, False)
            given_up.append(failure.banner)
    assert Counter(one.sha256 for one in done + given_up) == Counter(one.sha256 for one in banners)


@given(st.integers(1, 60), st.integers(1, 9), st.sets(st.integers(0, 59)))
def test_only_banners_that_end_their_process_are_given_up(count: int, size: int, ending: set[int]) -> None:
    work, given_up = Work(_banners(count), size), set()
    while work.peek() is not None:
        piece = work.take()
        if any(int(one.game_ids[0]) in ending for one in piece.banners) and (failure := work.lose(piece)):
            given_up.add(int(failure.banner.game_ids[0]))
    assert given_up == {number for number in ending if number < count}


def test_what_was_lost_comes_first_and_needs_a_process_of_its_own() -> None:
    work = Work(_banners(6), 3)
    first = work.take()
    assert not first.alone
    assert work.lose(first) is None
    again = work.take()
    assert (again.banners, again.alone) == (first.banners, True)
    assert work.lose(again) is None
    assert [work.take().banners for _ in range(3)] == [(banner,) for banner in first.banners]
    assert len(work.take().banners) == 3
    with pytest.raises(IndexError):
        work.take()


def test_banners_are_taken_from_their_source_only_when_they_are_asked_for() -> None:
    source = iter(_banners(100))
    work = Work(source, 10)
    for _ in range(3):
        work.peek()
    assert len(list(source)) == 90
