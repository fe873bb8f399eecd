"""Shows when a game is, or will be, released."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from steamdino.index.columns import early_access, is_upcoming, released

_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()  # noqa: SIM905


def release_text(columns: Mapping[str, Any]) -> str:
    """Return a line such as "Released 27 Nov 2026", "Coming Q4 2026" or "To be announced"; empty if nothing is known.

    Untrusted: the store's message is any text.
    """
    when, began, message = released(columns), early_access(columns), columns.get("release_message")
    if is_upcoming(columns):
        said = message if isinstance(message, str) else ""
        text = f"Coming {period_text(when)}" if when else said or "Coming soon"
    else:
        text = f"Released {period_text(when)}" if when and when != began else ""
    if not began:
        return text
    return (
        f"{text}, in early access from {period_text(began)}"
        if text
        else f"Early access since {period_text(began)}"
    )


def period_text(period: str) -> str:
    """Return a period as people write it: "27 Nov 2026", "Nov 2026", "Q4 2026" or "2026"."""
    year, *rest = period.split("-")
    if rest and rest[0].isdecimal():
        rest[0] = _MONTHS[int(rest[0]) - 1]
    return " ".join([*(part.lstrip("0") for part in reversed(rest)), year])
