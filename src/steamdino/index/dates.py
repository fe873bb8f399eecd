"""Reads release dates in the forms that files about games write them.

===================================  ============================================================  ==============
``2012-08-21T00:00:00Z``             ISO 8601, also with ``/`` or ``.``                            ``2012-08-21``
``21 Aug, 2012``, ``Aug 21, 2012``   Steam's; English months, short or long, comma optional        ``2012-08-21``
``21.08.2012``                       day first, as usual with dots                                 ``2012-08-21``
``1345507200``, ``1345507200000``    seconds or milliseconds since 1970, in UTC                    ``2012-08-21``
``20120821``                         ISO 8601 without separators                                   ``2012-08-21``
``Aug 2012``, ``2012-08``            a month                                                       ``2012-08``
``Q3 2012``, ``2012-Q3``             a quarter                                                     ``2012-Q3``
``2012``, ``Coming 2012``            a year, also ``Spring 2012``, ``Early 2012`` and the like     ``2012``
===================================  ============================================================  ==============

Nothing else is read as a date: other languages, ``08/21/2012`` (since ``08/09/2012`` would be ambiguous), ``To be
announced``, 31 February.

Steam's appdetails, its curators' pages (``release``, ``rt_release_date``), IStoreBrowseService (``release``),
steampi and the tables made from them use these forms. Seconds in a field of Steam's are read as `steam_dates` says: as
a day in Pacific time, or the month, quarter or year that its `coming_soon_display` announces.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, tzinfo
from functools import lru_cache
from typing import Any

from steamdino.periods import quarter_of
from steamdino.steam_dates import PACIFIC, announced, display_of

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

OF_STEAM = frozenset({"steam_release_date", "rt_release_date", "original_release_date"})
"""Those of them whose seconds come from Steam."""

LONGEST = 64
"""Maximum number of characters of a date that is text."""

KEPT = 4096
"""Texts whose dates are kept in memory: games of some ten years share their days."""

YEARS = range(1000, 10_000)
SECONDS = range(315_532_800, 4_102_444_800)  # 1980 to 2099; a smaller number is something else
DAYS = range(1950_01_01, 2100_01_01)

_MONTHS = tuple(
    "january february march april may june july august september october november december".split()  # noqa: SIM905
)


def read(value: Any, zone: tzinfo = UTC) -> str | None:
    """Read a release date in a form of `periods`: ``YYYY-MM-DD``, ``YYYY-MM``, ``YYYY-Qn`` or ``YYYY``; else None.

    Args:
        value: a text, a number, or an object like Steam's (``{"coming_soon": false, "date": "21 Aug, 2012"}``).
        zone: in which seconds since 1970 become a day.
    """
    if isinstance(value, dict):
        return read_any(
            {key: one for key, one in value.items() if not isinstance(one, dict)}, ("date", *COLUMNS)
        )
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return _of_number(value, zone)
    if isinstance(value, float):
        return _of_number(int(value), zone) if value.is_integer() else None
    if not isinstance(value, str) or len(value) > LONGEST:
        return None
    return _of_text(" ".join(value.split()), zone)


@lru_cache(KEPT)
def _of_text(text: str, zone: tzinfo) -> str | None:
    if number := _NUMBER.fullmatch(text):
        return _of_number(int(number[1]), zone)
    for pattern, make in _FORMS:
        match = pattern.fullmatch(text)
        if match and (found := make(**match.groupdict())):
            return found
    return None


def read_any(fields: Mapping[str, Any], keys: Iterable[str] = COLUMNS) -> str | None:
    """Read the first readable release date of a row or of an object.

    Args:
        fields: its values. If there is a `coming_soon_display`, it says how exact `steam_release_date` is, and no other
            field of Steam's counts.
        keys: in which fields to look, in this order.
    """
    display = display_of(fields)
    for key in keys:
        found = read(fields.get(key), PACIFIC if key in OF_STEAM else UTC)
        if found and display and key in OF_STEAM:
            found = _announced(found, display) if key == "steam_release_date" else None
        if found:
            return found
    return None


def _announced(found: str, display: str) -> str | None:
    return announced(date.fromisoformat(found), display) if found.count("-") == 2 else found


def _of_number(number: int, zone: tzinfo) -> str | None:
    if number in YEARS:
        return str(number)
    if number in DAYS:
        return _day(number // 10_000, number // 100 % 100, number % 100)
    if number // 1000 in SECONDS:
        number //= 1000
    if number in SECONDS:
        return datetime.fromtimestamp(number, zone).date().isoformat()
    return None


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
    return quarter_of(date(int(year), 3 * int(quarter), 1)) if int(year) else None


def _year(year: str) -> str | None:
    return year if int(year) else None


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
)
_NUMBER = re.compile(r"([0-9]{4,13})(?:\.0+)?")
