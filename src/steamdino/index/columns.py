"""Reads the values that games are filtered by from a game's columns.

============  ===========================================================================================
tags          the columns "tags", "genres", "genre" and "steamspy_tags", in the forms listed in `labels`
released      the column "released", "release_date" or another of `dates.COLUMNS`, in the forms listed in `dates`
early access  the column "early_access_since", in the same forms
upcoming      the column "coming_soon" or "is_coming_soon", or such a field of the column "release_date" or "release"
reviews       the column "reviews"; else the total of appdetails' "recommendations", or the sum of SteamSpy's
              "positive" and "negative"
free          the column "free", else "is_free"
hidden        the columns of `records.HIDDEN_COLUMNS`: "adult" and "delisted"
============  ===========================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from steamdino.index import dates, labels
from steamdino.index.literals import unpacked

MOST = 2**62
"""Largest number of reviews that is stored, well within SQLite's 64-bit integers."""


def released(columns: Mapping[str, Any]) -> str | None:
    """Read the day, month, quarter or year of release, in a form of `periods`; None if no column has a readable one."""
    fields = {key: unpacked(columns[key]) for key in dates.COLUMNS if key in columns}
    return dates.read_any({**columns, **fields})


def early_access(columns: Mapping[str, Any]) -> str | None:
    """Read when early access began, in a form of `periods`; None if the game was never in it, or nobody knows."""
    return dates.read(unpacked(columns.get("early_access_since")))


def is_upcoming(columns: Mapping[str, Any]) -> bool:
    """Whether the game is not released yet."""
    objects = (unpacked(columns.get(key)) for key in ("release_date", "release"))
    records = (columns, *(one for one in objects if isinstance(one, dict)))
    return any(_yes(one.get(key)) for one in records for key in ("coming_soon", "is_coming_soon"))


def tags(columns: Mapping[str, Any]) -> Iterator[str]:
    """Read the tags and genres, as they are written."""
    for key in labels.COLUMNS:
        yield from labels.read(columns.get(key))


def reviews(columns: Mapping[str, Any]) -> int:
    """Read the number of reviews; 0 if it is unknown."""
    if "reviews" in columns:
        return _count(columns["reviews"])
    total = unpacked(columns.get("recommendations"))
    if isinstance(total, dict):
        return _count(total.get("total"))
    return min(_count(columns.get("positive")) + _count(columns.get("negative")), MOST)


def is_free(columns: Mapping[str, Any]) -> bool:
    """Whether the game is free."""
    return _yes(columns.get("free", columns.get("is_free")))


def is_hidden(columns: Mapping[str, Any], name: str) -> bool:
    """Whether the game is hidden by a column of `records.HIDDEN_COLUMNS`, unless a filter includes these."""
    return _yes(columns.get(name))


def _count(value: Any) -> int:
    try:
        return min(max(int(value), 0), MOST)
    except (TypeError, ValueError, OverflowError):
        return 0


def _yes(value: Any) -> bool:
    return value is True or str(value).strip().lower() in ("1", "true", "yes")
