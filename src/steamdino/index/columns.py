"""What a game's columns say of what games are filtered by.

===========  ============================================================================================
tags         the columns "tags", "genres", "genre" and "steamspy_tags", in the forms of `labels`
released     the column "released", "release_date" or another one of `dates`, in the forms listed there
reviews      the column "reviews": how many there are; else SteamSpy's "positive" and "negative" together,
             or the total of appdetails' "recommendations"
free         the column "free", else "is_free"
adult        the column "adult": adult-only, hidden unless it is asked for
===========  ============================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from steamdino.index import dates, labels
from steamdino.index.literals import unpacked

MOST = 2**62
"""Reviews; SQLite holds no larger whole number than twice this."""


def released(columns: Mapping[str, Any]) -> str | None:
    """The day, month or year of its release, as `dates.read` gives it; None if there is none that can be read."""
    values = (unpacked(columns.get(key)) for key in dates.COLUMNS)
    return next((found for value in values if (found := dates.read(value))), None)


def tags(columns: Mapping[str, Any]) -> Iterator[str]:
    """Its tags and genres, as they are written."""
    for key in labels.COLUMNS:
        yield from labels.read(columns.get(key))


def reviews(columns: Mapping[str, Any]) -> int:
    """How many reviews it has; 0 if that is not known."""
    if "reviews" in columns:
        return _count(columns["reviews"])
    total = unpacked(columns.get("recommendations"))
    if isinstance(total, dict):
        return _count(total.get("total"))
    return min(_count(columns.get("positive")) + _count(columns.get("negative")), MOST)


def is_free(columns: Mapping[str, Any]) -> bool:
    """Whether it costs nothing."""
    return _yes(columns.get("free", columns.get("is_free")))


def is_adult(columns: Mapping[str, Any]) -> bool:
    """Whether it is adult-only."""
    return _yes(columns.get("adult"))


def _count(value: Any) -> int:
    try:
        return min(max(int(value), 0), MOST)
    except (TypeError, ValueError, OverflowError):
        return 0


def _yes(value: Any) -> bool:
    return value is True or str(value).strip().lower() in ("1", "true", "yes")
