"""Periods as people write them: dates, or spans that end now."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from steamdino.errors import UsageError
from steamdino.index import dates

DEFAULT = "7d"
"""The period if none is named. It counts from today, not from the last run, so that asking twice shows the same."""

_SPAN = re.compile(r"([0-9]{1,5})\s?(d|w|days?|weeks?)", re.ASCII)
_FORMS = "write a date like 2026-10-01 or 2026-10, or a span like 7d or 4w"


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days, in UTC.

    Attributes:
        first, last: YYYY-MM-DD; both belong to it.
    """

    first: str
    last: str

    @property
    def end(self) -> str:
        """The first day that no longer belongs to it."""
        return (date.fromisoformat(self.last) + timedelta(days=1)).isoformat()


def period_of(
    since: str = "",
    until: str = "",
    *,
    default: str = DEFAULT,
    names: tuple[str, str] = ("--since", "--until"),
    today: date | None = None,
) -> Period:
    """Make a period from texts.

    Args:
        since: its beginning: a day, month or year, or a span before its end ("7d", "4w"); empty for the default.
        until: its end, included: a day, month or year; empty for today.
        default: what an empty `since` means.
        names: what error messages call the two texts.
        today: the current day in UTC; None for the clock's.

    Raises:
        UsageError: a text cannot be parsed, or the end is before the beginning.
    """
    now = today or datetime.now(UTC).date()
    last = now if not until.strip() else _day(names[1], until, last=True)
    text = since.strip() or default
    span = _days(text)
    first = _day(names[0], text, last=False) if span is None else _before(last, span)
    if first > last:
        raise UsageError(f"{names[0]} {text} is after the end of the period, {last}; name an earlier day")
    return Period(first.isoformat(), last.isoformat())


def day_of(option: str, text: str, *, today: date | None = None) -> str:
    """Read a date, or a span before today, as a day: YYYY-MM-DD.

    Args:
        option: that holds the text, for error messages.
        text: a day, or the beginning of a month or year, or a span ("90d").
        today: the current day in UTC; None for the clock's.

    Raises:
        UsageError: it cannot be parsed.
    """
    span = _days(text.strip())
    if span is None:
        return _day(option, text, last=False).isoformat()
    return _before(today or datetime.now(UTC).date(), span).isoformat()


def _days(text: str) -> int | None:
    found = _SPAN.fullmatch(text)
    return int(found[1]) * (7 if found[2].startswith("w") else 1) if found else None


def _before(day: date, days: int) -> date:
    return day - timedelta(days=min(days, day.toordinal() - 1))


def _day(option: str, text: str, *, last: bool) -> date:
    """The first or the last day of what a text names."""
    found = dates.read(text)
    if found is None:
        raise UsageError(f"{option} is {text!r}; {_FORMS}")
    parts = [int(part) for part in found.split("-")]
    year, month = parts[0], parts[1] if len(parts) > 1 else (12 if last else 1)
    day = parts[2] if len(parts) > 2 else (calendar.monthrange(year, month)[1] if last else 1)
    return min(date(year, month, day), date.max - timedelta(days=1))
