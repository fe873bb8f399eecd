"""Formatting of text and numbers for display, safe for untrusted text."""

from __future__ import annotations

import math

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


def duration(seconds: float) -> str:
    """Return a duration for display: "8.2 s", "25 min", "3 h 05 min"."""
    if seconds < 90:
        return f"{max(seconds, 0):.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02} min"


def inert(text: str) -> str:
    """Return a text that a spreadsheet does not run: what looks like a formula is prefixed with an apostrophe."""
    return f"'{text}" if text.startswith(_FORMULA) else text
