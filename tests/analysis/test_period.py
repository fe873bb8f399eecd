from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steamdino.analysis.period import Period, day_of, period_of
from steamdino.errors import UsageError

TODAY = date(2026, 11, 27)


@pytest.mark.parametrize(
    ("since", "until", "first", "last"),
    [
        ("", "", "2026-11-20", "2026-11-27"),
        ("2026-10-01", "", "2026-10-01", "2026-11-27"),
        ("2026-10", "2026-10", "2026-10-01", "2026-10-31"),
        ("2024-02", "2024-02", "2024-02-01", "2024-02-29"),
        ("2025", "2025", "2025-01-01", "2025-12-31"),
        ("30d", "", "2026-10-28", "2026-11-27"),
        ("2 weeks", "2026-10-15", "2026-10-01", "2026-10-15"),
        ("4w", "", "2026-10-30", "2026-11-27"),
        ("0d", "", "2026-11-27", "2026-11-27"),
        (" 1 Oct, 2026 ", "", "2026-10-01", "2026-11-27"),
    ],
)
def test_a_period_is_read_as_people_write_it(since: str, until: str, first: str, last: str) -> None:
    assert period_of(since, until, today=TODAY) == Period(first, last)


@pytest.mark.parametrize(
    ("since", "until", "message"),
    [
        ("yesterday", "", "--since is 'yesterday'; write a date like"),
        ("2026-02-30", "", "--since is '2026-02-30'"),
        ("", "7d", "--until is '7d'"),
        ("2026-12-01", "", "--since 2026-12-01 is after the end of the period, 2026-11-27"),
        ("2026-10-02", "2026-10-01", "is after the end"),
    ],
)
def test_what_is_no_period_is_refused_with_its_value(since: str, until: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        period_of(since, until, today=TODAY)


@given(st.text(max_size=20), st.text(max_size=20))
def test_any_text_is_a_period_or_refused(since: str, until: str) -> None:
    try:
        period = period_of(since, until, today=TODAY)
    except UsageError:
        return
    assert date.fromisoformat(period.first) <= date.fromisoformat(period.last)
    assert date.fromisoformat(period.end) - date.fromisoformat(period.last) == timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "day"), [("365d", "2025-11-27"), ("2026", "2026-01-01"), ("99999d", "1753-02-12")]
)
def test_a_day_is_a_date_or_a_span_before_today(text: str, day: str) -> None:
    assert day_of("--forget-before", text, today=TODAY) == day


def test_a_day_that_cannot_be_read_is_refused_with_its_option() -> None:
    with pytest.raises(UsageError, match="--forget-before is 'then'"):
        day_of("--forget-before", "then")
