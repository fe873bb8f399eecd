"""Timestamps as a gallery stores them."""

from __future__ import annotations

from datetime import UTC, datetime

DAY = 10
"""Characters of a timestamp that name its day."""


def now() -> str:
    """Return the current time in UTC, in ISO 8601 with whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds")
