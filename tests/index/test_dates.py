from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steamdino.index.dates import LONGEST, read, read_any
from steamdino.periods import days
from steamdino.steam_dates import PACIFIC

# Not strftime, whose names follow the locale.
MONTHS = ("January", "February", "March", "April", "May", "June",
          "July", "August", "September", "October", "November", "December")  # fmt: skip


def short(day: date) -> str:
    return MONTHS[day.month - 1][:3]


def long(day: date) -> str:
    return MONTHS[day.month - 1]


def midnight(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def in_seattle(day: date, hour: int) -> int:
    return int(datetime(day.year, day.month, day.day, hour, tzinfo=PACIFIC).timestamp())


DAYS: dict[str, Callable[[date], Any]] = {
    "2012-08-21": lambda d: d.isoformat(),
    "2012-08-21T00:00:00Z": lambda d: f"{d.isoformat()}T00:00:00Z",
    "2012-08-21T23:59:59.123+02:00": lambda d: f"{d.isoformat()}T23:59:59.123+02:00",
    "2012-08-21 00:00:00": lambda d: f"{d.isoformat()} 00:00:00",
    "2012-08-21 10:30 UTC": lambda d: f"{d.isoformat()} 10:30 UTC",
    "2012/08/21": lambda d: d.isoformat().replace("-", "/"),
    "2012.08.21": lambda d: d.isoformat().replace("-", "."),
    "2012-8-1": lambda d: f"{d.year}-{d.month}-{d.day}",
    "20120821": lambda d: d.isoformat().replace("-", ""),
    "20120821 as a number": lambda d: int(d.isoformat().replace("-", "")),
    "21 Aug, 2012": lambda d: f"{d.day} {short(d)}, {d.year}",
    "21 Aug 2012": lambda d: f"{d.day} {short(d)} {d.year}",
    "21-Aug-2012": lambda d: f"{d.day}-{short(d)}-{d.year}",
    "21 AUGUST 2012": lambda d: f"{d.day} {long(d).upper()} {d.year}",
    "21. August 2012": lambda d: f"{d.day}. {long(d)} {d.year}",
    "Aug 21, 2012": lambda d: f"{short(d)} {d.day}, {d.year}",
    "Aug. 21, 2012": lambda d: f"{short(d)}. {d.day}, {d.year}",
    "August 21, 2012": lambda d: f"{long(d)} {d.day:02}, {d.year}",
    "August 21st, 2012": lambda d: f"{long(d)} {d.day}th, {d.year}",
    "  aug  21 ,  2012 but for the comma": lambda d: f"  {short(d).lower()}  {d.day}  {d.year} ",
    "21.08.2012": lambda d: f"{d.day:02}.{d.month:02}.{d.year}",
    "1.8.2012": lambda d: f"{d.day}.{d.month}.{d.year}",
    "seconds": midnight,
    "seconds late that day": lambda d: midnight(d) + 86_399,
    "seconds as a float": lambda d: float(midnight(d)),
    "seconds as text": lambda d: str(midnight(d)),
    "seconds as text of a float": lambda d: f"{midnight(d)}.0",
    "milliseconds": lambda d: 1000 * midnight(d),
    "appdetails": lambda d: {"coming_soon": False, "date": f"{d.day} {short(d)}, {d.year}"},
    "IStoreBrowseService": lambda d: {"steam_release_date": in_seattle(d, 0), "is_coming_soon": False},
    "IStoreBrowseService late that day": lambda d: {"steam_release_date": str(in_seattle(d, 23))},
    "a curator's page": lambda d: {"rt_release_date": in_seattle(d, 12)},
}
WITHIN = st.dates(date(1980, 1, 2), date(2099, 12, 30))


@pytest.mark.parametrize("name", DAYS)
@given(day=WITHIN)
def test_a_day_is_read_back_from_each_form(name: str, day: date) -> None:
    assert read(DAYS[name](day)) == day.isoformat()


@given(st.dates())
def test_an_iso_date_of_any_century_is_read(day: date) -> None:
    assert read(day.isoformat()) == day.isoformat()


@pytest.mark.parametrize(
    "form",
    [
        lambda d: f"{d.year}-{d.month:02}",
        lambda d: f"{d.year}/{d.month}",
        lambda d: f"{short(d)} {d.year}",
        lambda d: f"{long(d)}, {d.year}",
        lambda d: f"{short(d)}-{d.year}",
    ],
)
@given(day=WITHIN)
def test_a_month_is_read_back_from_each_form(form: Callable[[date], str], day: date) -> None:
    assert read(form(day)) == day.isoformat()[:7]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Q1 2025", "2025-Q1"),
        ("Q2 2025", "2025-Q2"),
        ("Q3 2025", "2025-Q3"),
        ("Q4, 2025", "2025-Q4"),
        ("2025 Q4", "2025-Q4"),
        ("2025-Q1", "2025-Q1"),
        ("2025Q1", "2025-Q1"),
        ("q1 2025", "2025-Q1"),
        ("2012", "2012"),
        (2012, "2012"),
        (2012.0, "2012"),
        ("2012.0", "2012"),
        (1000, "1000"),
        (9999, "9999"),
        ("Coming 2023", "2023"),
        ("Spring 2023", "2023"),
        ("late 2024", "2024"),
        ("Sept 5, 2020", "2020-09-05"),
        ("29 Feb, 2020", "2020-02-29"),
        ({"date": "2012", "coming_soon": True}, "2012"),
        ({"date": "To be announced", "steam_release_date": 1600353507}, "2020-09-17"),
        (315_532_800, "1980-01-01"),
        (4_102_444_799, "2099-12-31"),
        (1950_01_01, "1950-01-01"),
        (2099_12_31, "2099-12-31"),
    ],
)
def test_what_is_less_than_a_day_is_as_exact_as_it_is_written(value: object, expected: str) -> None:
    assert read(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        None, True, False, "", " ", "soon", "Coming soon", "To be announced", "TBA", [], ["2012"], {}, {"date": None},
        {"date": {"date": "2012"}}, 0, -1, 7, 999, 10_000, 2012.5, float("nan"), float("inf"), 1949_12_31, 2100_01_01,
        2012_13_01, 2012_02_30, 315_532_799, 4_102_444_800, 10**14, 10**400, "1" * 14,
        "2012-13-01", "2012-00-10", "2012-02-31", "2012-08-00", "31 Feb, 2012", "29 Feb, 2021", "Feb 30, 2012",
        "2012-13",        "0 Aug, 2012", "32 Aug, 2012", "Q0 2025", "Q5 2025", "21 Aug, 12", "21 Aug, 20120",
        "Mayday 2012", "Ma 2012", "Coming 0000", "Q1 0000", "0000-01",
        "08/21/2012", "21/08/2012", "7 AGO 2020", "1 ENE 2020", "21 août 2012", "2027년 출시 예정", "2012/08-21",
        "2012-08-21 in the evening", "2012-08-21T99", "٢٠١٢", "1e9", "0x7dc", "2012 - 2013", "x" * 100_000,
    ],
)  # fmt: skip
def test_everything_else_is_not_a_date(value: object) -> None:
    assert read(value) is None


def test_a_text_as_long_as_the_limit_is_read_and_a_longer_one_is_not() -> None:
    assert read("2012-08-21".ljust(LONGEST)) == "2012-08-21"
    assert read("2012-08-21".ljust(LONGEST + 1)) is None


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="Windows has no time.tzset")
@pytest.mark.parametrize("zone", ["UTC", "Etc/GMT+12", "Etc/GMT-14"])
def test_seconds_are_read_in_utc_wherever_the_machine_stands(
    zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("TZ", zone)
        time.tzset()
        try:
            assert read(1345507200) == read(1345507200 + 86_399) == "2012-08-21"
        finally:
            patch.undo()
            time.tzset()


def test_months_are_told_apart_by_three_letters() -> None:
    day = date(2021, 1, 1)
    for _ in range(365):
        for letters in range(3, 10):
            assert read(f"{day.day} {long(day)[:letters]} 2021") == day.isoformat()
        day += timedelta(1)


NEW_YEARS_EVE_2027 = 1830240000


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"steam_release_date": NEW_YEARS_EVE_2027}, "2027-12-31"),
        ({"steam_release_date": NEW_YEARS_EVE_2027, "coming_soon_display": "date_full"}, "2027-12-31"),
        ({"steam_release_date": NEW_YEARS_EVE_2027, "coming_soon_display": "date_month"}, "2027-12"),
        ({"steam_release_date": str(NEW_YEARS_EVE_2027), "coming_soon_display": "date_quarter"}, "2027-Q4"),
        ({"steam_release_date": NEW_YEARS_EVE_2027, "coming_soon_display": "date_year"}, "2027"),
        ({"steam_release_date": "31 Dec, 2027", "coming_soon_display": "date_year"}, "2027"),
        ({"steam_release_date": "Dec 2027", "coming_soon_display": "date_year"}, "2027-12"),
        ({"steam_release_date": NEW_YEARS_EVE_2027, "coming_soon_display": "text_tba"}, None),
        ({"original_release_date": NEW_YEARS_EVE_2027, "coming_soon_display": "text_tba"}, None),
        ({"original_release_date": NEW_YEARS_EVE_2027, "coming_soon_display": "date_year"}, None),
        ({"released": "2026-Q4", "coming_soon_display": "text_tba"}, "2026-Q4"),
        (
            {
                "steam_release_date": NEW_YEARS_EVE_2027,
                "coming_soon_display": "date_year",
                "is_coming_soon": False,
            },
            "2027-12-31",
        ),
        ({"steam_release_date": NEW_YEARS_EVE_2027, "coming_soon_display": ["date_year"]}, "2027-12-31"),
    ],
)
def test_an_announcement_is_as_exact_as_steam_makes_it(fields: dict[str, Any], expected: str | None) -> None:
    assert read(fields) == read_any(fields) == expected


@given(st.text(max_size=12) | st.from_regex(r"(Q[0-9][ -])?[0-9]{4}([ -]Q?[0-9]{1,2}){0,2}", fullmatch=True))
def test_every_date_that_is_read_is_a_period(text: str) -> None:
    found = read(text)
    assert found is None or days(found)
