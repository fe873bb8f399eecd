"""Formatting of text and numbers for display, safe for untrusted text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from steamdino.wellformed import UNPRINTABLE

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def printable(text: str) -> str:
    """Return a text without control characters and bidi overrides, which could steer a terminal or reorder a line."""
    return UNPRINTABLE.sub("�", text)


def shortened(text: str, width: int) -> str:
    """Return a text cut to at most `width` characters."""
    return text if len(text) <= width else text[: width - 1] + "…"


def closeness(percentile: float) -> str:
    """Return a percentile for display, never rounded up, with enough digits to tell it from 100."""
    digits = max(0, math.ceil(-math.log10(max(100 - percentile, 1e-6)) - 1e-9))
    scale = 10**digits
    return f"{math.floor(percentile * scale + 1e-6) / scale:.{digits}f} %"


def rarity(percentile: float, of: str = "pairs") -> str:
    """Return a percentile as a frequency for display, never a rarer one than it is: "1 in 700 pairs".

    Percentages near 100 look all the same to people: 99.86 and 99.999. Below the 50th it stays a percentage.

    Args:
        percentile: 0 to 100.
        of: what it is a percentage of.
    """
    if percentile < 50:
        return f"closer than {closeness(percentile)} of {of}"
    one_in = 100 / max(100 - percentile, 1e-6) * (1 + 1e-9)
    scale = 10 ** max(0, math.floor(math.log10(one_in)) - 1)
    return f"1 in {math.floor(one_in / scale) * scale:,} {of}"


def counted(number: int, one: str, many: str) -> str:
    """Return a number with its noun for display: "1 query", "2,000 queries"."""
    return f"{number:,} {one if number == 1 else many}"


def duration(seconds: float) -> str:
    """Return a duration for display: "8.2 s", "25 min", "3 h 05 min"."""
    if seconds < 90:
        return f"{max(seconds, 0):.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02} min"


def invalid_value(error: Mapping[str, Any]) -> str:
    """Return one of pydantic's errors for display, with the value, which its own messages lack.

    Args:
        error: one of ``ValidationError.errors()``.
    """
    if error["type"] == "missing":
        return "it is missing"
    expected: str = error["msg"]
    if not expected.startswith("Input "):
        return f"{expected[:1].lower()}{expected[1:]}"
    expected = expected.removeprefix("Input ").partition(", ")[0]
    return f"{shortened(repr(error['input']), 100)} {expected}"


def inert(text: str) -> str:
    """Return a text that a spreadsheet does not run: what looks like a formula is prefixed with an apostrophe."""
    return f"'{text}" if text.startswith(_FORMULA) else text
