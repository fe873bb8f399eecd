"""Reads the moments with which Steam dates releases.

A moment (seconds since 1970) falls on a day in Pacific time, as Valve's clocks show it. For a game that is not released
yet, `coming_soon_display` says how much of that day is announced: a game of 2027 has a moment on 31 December 2027.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from steamdino.periods import quarter_of

PACIFIC = ZoneInfo("America/Los_Angeles")

MOMENTS = range(28_800, 4_102_473_600)
"""1970 to 2099 in Pacific time; any other number is no release date."""

_ANNOUNCED: dict[str | None, Callable[[date], str]] = {
    None: date.isoformat,
    "date_full": date.isoformat,
    "date_month": lambda day: f"{day:%Y-%m}",
    "date_quarter": quarter_of,
    "date_year": lambda day: f"{day:%Y}",
}


def day_of(moment: int) -> date | None:
    """Return the day on which a moment falls; None if it is none of `MOMENTS`."""
    return datetime.fromtimestamp(moment, PACIFIC).date() if moment in MOMENTS else None


def display_of(release: Mapping[str, Any]) -> str | None:
    """Return how exactly an object of Steam announces its date.

    None means to the day: the object does not say, or the game is released, and the store then shows the day.
    """
    display = release.get("coming_soon_display")
    if not isinstance(display, str) or release.get("is_coming_soon") in (False, 0, "0", "false", "False"):
        return None
    return display.strip() or None


def announced(day: date, display: str | None) -> str | None:
    """Return the period that is announced, in a form of `periods`.

    Args:
        day: of the object's moment.
        display: see `display_of`. For a text (``text_tba``, ``text_comingsoon``) no date is announced, nor for a
            display that is not known here: the store shows none either.
    """
    form = _ANNOUNCED.get(display)
    return form(day) if form else None
