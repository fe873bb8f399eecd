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
