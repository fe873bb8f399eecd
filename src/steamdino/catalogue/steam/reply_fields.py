"""Read single fields of Steam's replies: a field of an unexpected type counts as missing."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from steamdino.appids import LARGEST_APPID
from steamdino.errors import ReplyError


def whole(value: Any) -> int | None:
    """Return an integer, also from a string or a float such as 12.0; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value if abs(value) < 2**63 else None
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 2**53 else None
    if isinstance(value, str) and re.fullmatch(r"\s*-?\d{1,18}\s*", value, re.ASCII):
        return int(value)
    return None


def text(value: Any) -> str | None:
    """Return a text that can be stored and shown on one line; None for anything else."""
    if not isinstance(value, str):
        return None
    clean = "".join(c if c.isprintable() else " " for c in value.encode("utf-8", "replace").decode()).strip()
    return clean[:500] or None


def appid_of(value: Any) -> int | None:
    """Return an appID; None for anything else."""
    number = whole(value)
    return number if number is not None and 0 < number <= LARGEST_APPID else None


def flag(value: Any) -> bool:
    """Return whether a value means yes: true, 1, "1" or "true"."""
    return value in (True, 1, "1", "true") and value is not None


def record(parent: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return the object under a key; an empty one for anything else."""
    value = parent.get(key)
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    """Return a list; an empty one for anything else."""
    return value if isinstance(value, list) else []


def column(value: Any, key: str) -> list[Any]:
    """Return one field of each object in a list."""
    return [row.get(key) for row in sequence(value) if isinstance(row, dict)]


def rows(response: Mapping[str, Any], key: str, *, required: bool = True) -> Iterator[Mapping[str, Any]]:
    """Return the objects of a list.

    Raises:
        ReplyError: the list is required and missing.
    """
    value = response.get(key)
    if value is None and not required:
        return iter(())
    if not isinstance(value, list):
        raise ReplyError(f"Steam's answer has no list {key!r}; try again later")
    return (row for row in value if isinstance(row, dict))
