"""Periods of a release: a day, a month, a quarter or a year, written 2026-11-27, 2026-11, 2026-Q4 or 2026."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date

from steamdino.errors import UsageError

_FORM = re.compile(r"(\d{4})(?:-Q([1-4])|-(\d\d)(?:-(\d\d))?)?", re.ASCII)


def quarter_of(day: date) -> str:
    """Return the quarter in which a day falls, such as "2026-Q4"."""
    return f"{day.year:04}-Q{(day.month + 2) // 3}"


def days(period: str) -> tuple[date, date]:
    """Return the first and the last day of a period.

    Raises:
        UsageError: it has another form, or the calendar has no such day.
    """
    found = _FORM.fullmatch(period)
    try:
        if not found:
            raise ValueError
        year, quarter, month, day = found.groups()
        if day:
            only = date(int(year), int(month), int(day))
            return only, only
        first = int(month) if month else 3 * int(quarter) - 2 if quarter else 1
        last = first if month else first + 2 if quarter else 12
        return date(int(year), first, 1), date(int(year), last, monthrange(int(year), last)[1])
    except ValueError:
        raise UsageError(
            f"the date is {period!r}; write it like 2020, 2020-Q4, 2020-05 or 2020-05-17"
        ) from None
