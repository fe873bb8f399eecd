from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steamdino.errors import UsageError
from steamdino.periods import days, quarter_of

DAYS = st.dates(date(1, 1, 1), date(9998, 12, 31))
QUARTERS = ("Q1", "Q1", "Q1", "Q2", "Q2", "Q2", "Q3", "Q3", "Q3", "Q4", "Q4", "Q4")


def written(day: date, form: str) -> str:
    """The period of a day, built from its text."""
    iso = day.isoformat()
    return {
        "day": iso,
        "month": iso[:7],
        "quarter": f"{iso[:4]}-{QUARTERS[int(iso[5:7]) - 1]}",
        "year": iso[:4],
    }[form]


@pytest.mark.parametrize("form", ["day", "month", "quarter", "year"])
@given(day=DAYS)
def test_a_period_has_all_the_days_that_are_written_like_it_and_no_other(form: str, day: date) -> None:
    period = written(day, form)
    first, last = days(period)
    assert first <= day <= last
    assert written(first, form) == written(last, form) == period
    assert written(last + timedelta(1), form) != period
    assert first == date.min or written(first - timedelta(1), form) != period


@given(DAYS)
def test_a_day_is_in_its_quarter(day: date) -> None:
    assert quarter_of(day) == written(day, "quarter")


@pytest.mark.parametrize(
    "period",
    [
        "", "2026-", "26", "202", "20260", "2026-13", "2026-00", "2026-1", "2026-Q0", "2026-Q5", "2026-Q", "2026Q4",
        "2026-q4", "Q4 2026", "2026-Q4-01", "2026-11-31", "2026-02-29", "2026-11-00", "2026-11-1", "2026-11-27-1",
        "0000", "0000-01", "0000-Q1", "0000-01-01", " 2026", "2026\n", "٢٠٢٦", "soon",
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_the_forms_that_are_known(period: str) -> None:
    with pytest.raises(UsageError, match="write it like 2020, 2020-Q4, 2020-05 or 2020-05-17"):
        days(period)
