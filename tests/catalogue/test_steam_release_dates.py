"""When a game is released, in every shape of Steam's replies that was seen, and in any that was not."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steamdino.catalogue.steam import replies
from steamdino.catalogue.steam.release_dates import release_columns
from steamdino.periods import days
from steamdino.steam_dates import MOMENTS

DATES = ("date_full", "date_month", "date_quarter", "date_year")
TEXTS = ("text_tba", "text_comingsoon")


def columns(release: object, **item: Any) -> dict[str, Any]:
    return {key: value for key, value in release_columns({**item, "release": release}).items() if value}


def sunday(year: int, month: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta((6 - first.weekday()) % 7 + 7 * (nth - 1))


def in_pacific_time(utc: datetime) -> datetime:
    """The time on a wall in Seattle by the law of 2005: eight hours behind, and seven from March to November.

    The clocks change at two o'clock, which is ten and nine o'clock in UTC.
    """
    begin, end = sunday(utc.year, 3, 2), sunday(utc.year, 11, 1)
    summer = datetime(begin.year, 3, begin.day, 10) <= utc < datetime(end.year, 11, end.day, 9)
    return utc - timedelta(hours=7 if summer else 8)


def moment(day: date, hour: float = 0) -> int:
    """A time of a day in Seattle, for years from 2007; the first one of two on the day on which the clocks go back."""
    local = datetime(day.year, day.month, day.day) + timedelta(hours=hour)
    guesses = (local + timedelta(hours=behind) for behind in (7, 8))
    utc = next(guess for guess in guesses if in_pacific_time(guess) == local)
    return int(utc.replace(tzinfo=UTC).timestamp())


def period(day: date, display: str) -> str:
    return {
        "date_full": day.isoformat(),
        "date_month": day.isoformat()[:7],
        "date_quarter": f"{day.year}-Q{1 + (day.month - 1) // 3}",
        "date_year": str(day.year),
    }[display]


def last_day(day: date, display: str) -> date:
    while period(day + timedelta(1), display) == period(day, display):
        day += timedelta(1)
    return day


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        ({}, {}),
        (None, {}),
        ({"steam_release_date": 1645744078}, {"released": "2022-02-24"}),
        ({"steam_release_date": 1373389200, "original_release_date": 0}, {"released": "2013-07-09"}),
        ({"steam_release_date": 1191999600, "original_release_date": 1191999600}, {"released": "2007-10-10"}),
        # In UTC, it is already the next day.
        ({"steam_release_date": 1295915940}, {"released": "2011-01-24"}),
        (
            {"steam_release_date": 1161823860, "original_release_date": 1130223600, "mac_release_date": 1273687200},
            {"released": "2006-10-25"},
        ),
        ({"original_release_date": 1130223600}, {"released": "2005-10-25"}),
        (
            {"steam_release_date": 1711040635, "original_steam_release_date": 1648742371},
            {"released": "2024-03-21", "early_access_since": "2022-03-31"},
        ),
        (
            {"steam_release_date": 1734105081, "is_early_access": True},
            {"released": "2024-12-13", "early_access_since": "2024-12-13"},
        ),
        (
            {
                "is_coming_soon": True,
                "custom_release_date_message": "To be announced",
                "coming_soon_display": "text_tba",
            },
            {"coming_soon": True, "release_message": "To be announced"},
        ),
        (
            {
                "is_coming_soon": True,
                "custom_release_date_message": "Coming soon",
                "coming_soon_display": "text_comingsoon",
            },
            {"coming_soon": True, "release_message": "Coming soon"},
        ),
        (
            {"steam_release_date": 1830240000, "is_coming_soon": True, "coming_soon_display": "date_year"},
            {"released": "2027", "coming_soon": True},
        ),
        (
            {"steam_release_date": 1800025200, "is_coming_soon": True, "coming_soon_display": "date_full"},
            {"released": "2027-01-15", "coming_soon": True},
        ),
        (
            {"steam_release_date": 1830297600, "is_coming_soon": True, "coming_soon_display": "date_quarter"},
            {"released": "2027-Q4", "coming_soon": True},
        ),
        (
            {"steam_release_date": 1796083200, "is_coming_soon": True, "coming_soon_display": "date_month"},
            {"released": "2026-11", "coming_soon": True},
        ),
        # A released game whose announcement is left over: the store shows the day.
        (
            {"steam_release_date": 1796083200, "is_coming_soon": False, "coming_soon_display": "date_year"},
            {"released": "2026-11-30"},
        ),
        # An upcoming game in early access has not begun it.
        (
            {"steam_release_date": 1830240000, "coming_soon_display": "date_year", "is_early_access": True},
            {"released": "2027"},
        ),
        (
            {"steam_release_date": 1800025200, "is_coming_soon": True, "is_early_access": True},
            {"released": "2027-01-15", "coming_soon": True},
        ),
        # The store shows no date either.
        ({"steam_release_date": 1830240000, "is_coming_soon": True, "coming_soon_display": "date_season"},
         {"coming_soon": True}),
        # What is announced is the release on Steam, not an earlier one elsewhere.
        ({"original_release_date": 1130223600, "is_coming_soon": True, "coming_soon_display": "date_year"},
         {"coming_soon": True}),
        ({"original_release_date": 1130223600, "is_coming_soon": True, "coming_soon_display": "text_tba"},
         {"coming_soon": True}),
        # A display of a wrong type, or an empty one, says nothing.
        ({"steam_release_date": 1830240000, "coming_soon_display": 4}, {"released": "2027-12-31"}),
        ({"steam_release_date": "1830240000", "coming_soon_display": " "}, {"released": "2027-12-31"}),
    ],
)  # fmt: skip
def test_each_shape_that_steam_sends_is_read(release: object, expected: dict[str, Any]) -> None:
    assert columns(release) == expected


def test_an_item_says_beside_its_release_that_it_is_in_early_access() -> None:
    assert (
        columns({"steam_release_date": 1734105081}, is_early_access=True)["early_access_since"]
        == "2024-12-13"
    )
    assert "early_access_since" not in columns({"steam_release_date": 1734105081}, is_early_access=False)


def test_the_columns_are_those_of_an_item() -> None:
    release = {
        "steam_release_date": 1830240000,
        "original_steam_release_date": 1648742371,
        "is_coming_soon": True,
        "custom_release_date_message": "  When it is\nready  ",
        "coming_soon_display": "date_year",
    }
    item = {"id": 10, "success": 1, "visible": True, "release": release}
    found = replies.items({"store_items": [item]}, {}, {})[10].columns
    assert {key: found[key] for key in columns(release)} == {
        "released": "2027",
        "coming_soon": True,
        "release_message": "When it is ready",
        "early_access_since": "2022-03-31",
    }


SINCE_2007 = st.dates(date(2007, 1, 1), date(2026, 12, 30))


@given(SINCE_2007, st.integers(0, 86_399))
def test_a_moment_is_the_day_on_the_clocks_of_seattle(day: date, seconds: int) -> None:
    utc = datetime(day.year, day.month, day.day) + timedelta(seconds=seconds)
    stamp = int(utc.replace(tzinfo=UTC).timestamp())
    expected = in_pacific_time(utc).date().isoformat()
    assert columns({"steam_release_date": stamp}) == {"released": expected}
    found = columns({"steam_release_date": stamp, "original_steam_release_date": stamp})
    assert found == {"released": expected, "early_access_since": expected}


@given(SINCE_2007, st.integers(-7200, 7200))
def test_the_day_changes_at_midnight_in_summer_and_in_winter(day: date, seconds: int) -> None:
    expected = day if seconds >= 0 else day - timedelta(1)
    assert columns({"steam_release_date": moment(day) + seconds}) == {"released": expected.isoformat()}


@given(SINCE_2007, st.sampled_from(DATES), st.sampled_from([0, 9, 16, 17, 23, 23.999]), st.booleans())
def test_the_last_day_of_a_period_stands_for_the_period(
    day: date, display: str, hour: float, says_upcoming: bool
) -> None:
    release = {
        "steam_release_date": moment(last_day(day, display), hour),
        "coming_soon_display": display,
        **({"is_coming_soon": True} if says_upcoming else {}),
    }
    found = columns(release)
    assert found.get("coming_soon", False) == says_upcoming
    assert found["released"] == period(day, display)
    assert days(found["released"])[1] == last_day(day, display)


@pytest.mark.parametrize(
    ("stamp", "expected"),
    [
        (MOMENTS.start - 1, None),
        (MOMENTS.start, "1970-01-01"),
        (MOMENTS.stop - 1, "2099-12-31"),
        (MOMENTS.stop, None),
        (0, None),
        (-1, None),
        (2**62, None),
    ],
)
def test_a_moment_of_no_release_is_no_date(stamp: int, expected: str | None) -> None:
    assert columns({"steam_release_date": stamp}).get("released") == expected
    known = {"steam_release_date": stamp, "original_release_date": 1130223600}
    assert columns(known)["released"] == (expected or "2005-10-25")


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=8,
)
STAMPS = st.integers(0, 2**32) | st.integers(0, 2**32).map(str)
RELEASE = st.fixed_dictionaries(
    {},
    optional={
        "steam_release_date": STAMPS | JUNK,
        "original_release_date": STAMPS | JUNK,
        "original_steam_release_date": STAMPS | JUNK,
        "is_coming_soon": st.booleans() | JUNK,
        "is_early_access": st.booleans() | JUNK,
        "coming_soon_display": st.sampled_from([*DATES, *TEXTS]) | JUNK,
        "custom_release_date_message": JUNK,
    },
)


@given(RELEASE | JUNK)
def test_whatever_is_missing_or_of_a_wrong_type_each_column_keeps_its_form(release: Any) -> None:
    found = columns(release)
    display = release.get("coming_soon_display") if isinstance(release, dict) else None
    if "released" in found:
        first, last = days(found["released"])
        assert (last - first).days < {"date_month": 31, "date_quarter": 92, "date_year": 366}.get(
            str(display), 1
        )
    if display in TEXTS and release.get("is_coming_soon") is True:
        assert "released" not in found
    if "early_access_since" in found:
        first, last = days(found["early_access_since"])
        assert first == last
    assert found.get("coming_soon", True) is True
    message = found.get("release_message", "x")
    assert isinstance(message, str)
    assert message.isprintable()
