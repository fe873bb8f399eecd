"""Reads the values that games are filtered by, and a few more, from a game's columns.

============  ===========================================================================================
tags          the columns "tags", "genres", "genre" and "steamspy_tags", in the forms listed in `labels`
released      the column "released", "release_date" or another of `dates.COLUMNS`, in the forms listed in `dates`
early access  the column "early_access_since", in the same forms
upcoming      the column "coming_soon" or "is_coming_soon", or such a field of the column "release_date" or "release"
reviews       the column "reviews"; else the total of appdetails' "recommendations", or the sum of SteamSpy's
              "positive" and "negative"
free          the column "free", else "is_free"
hidden        the columns of `records.HIDDEN_COLUMNS`: "adult" and "delisted"
genres        the columns "genres" and "genre", in the forms listed in `labels`
developers    the columns "developers" and "developer"; a text is one name, since names have commas
publishers    the columns "publishers" and "publisher", in the same way
price         "final" in the column "price_overview"; else the column "price_cents", or "price": in cents if SteamSpy
              wrote it, which the column "initialprice" shows, otherwise in whole units of the source's currency
============  ===========================================================================================
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from steamdino.index import dates, labels
from steamdino.index.literals import unpacked

MOST = 2**62
"""Largest number of reviews that is stored, well within SQLite's 64-bit integers."""

STEAMSPY = "initialprice"
"""A column of SteamSpy's, whose prices are in cents."""


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


def genres(columns: Mapping[str, Any]) -> Iterator[str]:
    """Read the genres, as they are written."""
    for key in ("genres", "genre"):
        yield from labels.read(columns.get(key))


def developers(columns: Mapping[str, Any]) -> Iterator[str]:
    """Read the names of the developers, as they are written."""
    return _companies(columns, "developers", "developer")


def publishers(columns: Mapping[str, Any]) -> Iterator[str]:
    """Read the names of the publishers, as they are written."""
    return _companies(columns, "publishers", "publisher")


def price_cents(columns: Mapping[str, Any]) -> int | None:
    """Read the price in hundredths of the source's currency; 0 for a free game, None if it is unknown."""
    if is_free(columns):
        return 0
    overview = unpacked(columns.get("price_overview"))
    if isinstance(overview, dict):
        return _amount(overview.get("final"), 1)
    if "price_cents" in columns:
        return _amount(columns["price_cents"], 1)
    return _amount(columns.get("price"), 1 if STEAMSPY in columns else 100)


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


def _companies(columns: Mapping[str, Any], *keys: str) -> Iterator[str]:
    for key in keys:
        value = unpacked(columns.get(key))
        yield from labels.read([value] if isinstance(value, str) else value)


def _amount(value: Any, cents: int) -> int | None:
    try:
        amount = round(float(value) * cents)
    except (TypeError, ValueError, OverflowError):
        return None
    return amount if 0 <= amount <= MOST else None


def _yes(value: Any) -> bool:
    return value is True or str(value).strip().lower() in ("1", "true", "yes")
