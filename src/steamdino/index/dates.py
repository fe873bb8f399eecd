"""Reads release dates in the forms that files about games write them.

===================================  ============================================================  ==============
``2012-08-21T00:00:00Z``             ISO 8601, also with ``/`` or ``.``                            ``2012-08-21``
``21 Aug, 2012``, ``Aug 21, 2012``   Steam's; English months, short or long, comma optional        ``2012-08-21``
``21.08.2012``                       day first, as usual with dots                                 ``2012-08-21``
``1345507200``, ``1345507200000``    seconds or milliseconds since 1970                            ``2012-08-21``
``20120821``                         ISO 8601 without separators                                   ``2012-08-21``
``Aug 2012``, ``2012-08``            a month                                                       ``2012-08``
``Q3 2012``                          a quarter counts as its first month                           ``2012-07``
``2012``, ``Coming 2012``            a year, also ``Spring 2012``, ``Early 2012`` and the like     ``2012``
===================================  ============================================================  ==============

Nothing else is read as a date: other languages, ``08/21/2012`` (since ``08/09/2012`` would be ambiguous), ``To be
announced``, 31 February.

Steam's appdetails, its curators' pages (``release``, ``rt_release_date``), IStoreBrowseService (``release``),
steampi and the tables made from them use these forms.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

COLUMNS = (
    "released",
    "release_date",
    "release",
    "steam_release_date",
    "rt_release_date",
    "original_release_date",
    "year",
)
"""The columns that may hold a release date. The first readable one counts."""

LONGEST = 64
"""Maximum number of characters of a date that is text."""

YEARS = range(1000, 10_000)
SECONDS = range(315_532_800, 4_102_444_800)  # 1980 to 2099; a smaller number is something else
DAYS = range(1950_01_01, 2100_01_01)

_MONTHS = tuple(
    "january february march april may june july august september october november december".split()  # noqa: SIM905
)


def read(value: Any) -> str | None:
    """Read a release date as ``YYYY-MM-DD``, ``YYYY-MM`` or ``YYYY``; None if it is not in a known form.

    Args:
        value: a text, a number, or an object like Steam's (``{"coming_soon": false, "date": "21 Aug, 2012"}``).
    """
    if isinstance(value, dict):
        inner = (value.get(key) for key in ("date", *COLUMNS))
        return next((found for one in inner if not isinstance(one, dict) and (found := read(one))), None)
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return _of_number(value)
    if isinstance(value, float):
        return _of_number(int(value)) if value.is_integer() else None
    if not isinstance(value, str) or len(value) > LONGEST:
        return None
    text = " ".join(value.split())
    for pattern, make in _FORMS:
        match = pattern.fullmatch(text)
        if match and (found := make(**match.groupdict())):
            return found
    return None


def _of_number(number: int) -> str | None:
    if number in YEARS:
        return str(number)
    if number in DAYS:
        return _day(number // 10_000, number // 100 % 100, number % 100)
    if number // 1000 in SECONDS:
        number //= 1000
    if number in SECONDS:
        return datetime.fromtimestamp(number, UTC).date().isoformat()
    return None


def _digits(number: str) -> str | None:
    return _of_number(int(number))


def _day(year: int, month: int, day: int) -> str | None:
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def _numeric(year: str, month: str, day: str | None = None) -> str | None:
    found = _day(int(year), int(month), int(day or 1))
    return found if day else found and found[:7]


def _named(year: str, month: str, day: str | None = None) -> str | None:
    name = month.lower()
    number = next((n for n, known in enumerate(_MONTHS, 1) if known.startswith(name)), None)
    return _numeric(year, str(number), day) if number else None


def _quarter(year: str, quarter: str) -> str | None:
    return _numeric(year, str(3 * int(quarter) - 2))


def _year(year: str) -> str | None:
    return year


def _form(pattern: str) -> re.Pattern[str]:
    parts = {
        "YEAR": r"(?P<year>[0-9]{4})",
        "MONTH": r"(?P<month>[0-9]{1,2})",
        "NAME": r"(?P<month>[A-Za-z]{3,9})\.?",
        "DAY": r"(?P<day>[0-9]{1,2})",
        "TIME": r"(?:[T ][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)? ?(?:Z|UTC|[+-][0-9]{2}:?[0-9]{2})?)?",
    }
    return re.compile(re.sub("|".join(parts), lambda found: parts[found[0]], pattern), re.IGNORECASE)


_FORMS: tuple[tuple[re.Pattern[str], Callable[..., str | None]], ...] = (
    (_form(r"YEAR([-/.])MONTH\2DAYTIME"), _numeric),
    (_form(r"YEAR[-/]MONTH"), _numeric),
    (_form(r"DAY\.MONTH\.YEARTIME"), _numeric),
    (_form(r"DAY(?:st|nd|rd|th|\.)?[ -]NAME(?:, ?| |-)YEAR"), _named),
    (_form(r"NAME DAY(?:st|nd|rd|th)?(?:, ?| )YEAR"), _named),
    (_form(r"NAME(?:, ?| |-)YEAR"), _named),
    (_form(r"Q(?P<quarter>[1-4])(?:, ?| )YEAR"), _quarter),
    (_form(r"YEAR[ -]?Q(?P<quarter>[1-4])"), _quarter),
    (_form(r"(?:coming|early|mid|late|spring|summer|autumn|fall|winter)(?:, ?| )YEAR"), _year),
    (re.compile(r"(?P<number>[0-9]{4,13})(?:\.0+)?"), _digits),
)
