"""Makes a stranger's text safe to show."""

from __future__ import annotations

import unicodedata

_TURNING = {*range(0x202A, 0x202F), *range(0x2066, 0x206A)}  # they reorder the text around them


def printable(text: str) -> str:
    """Text without what could steer a terminal or turn a line around: control and bidi override characters."""
    return "".join(
        "�" if unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or ord(c) in _TURNING else c for c in text
    )


def shortened(text: str, width: int) -> str:
    """Text of at most `width` characters."""
    return text if len(text) <= width else text[: width - 1] + "…"
