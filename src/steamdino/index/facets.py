"""What games can be filtered by: tags, date of release, reviews, price, adult-only; taken from their columns.

===========  ====================================================================================
``tags``     the columns "tags" and "genres": a list, or a text with commas, semicolons or bars
``released`` the column "released" or "release_date" (2020-05-17, 2020-05 or 2020), else "year"
``reviews``  the column "reviews": how many there are
``free``     the column "free"
``adult``    the column "adult": adult-only, left out unless it is asked for
===========  ====================================================================================
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steamdino.errors import SnapshotError
from steamdino.index.names import fold
from steamdino.records import Filter

SCHEMA = """
CREATE TABLE facets (
    row INTEGER PRIMARY KEY, released TEXT, reviews INTEGER NOT NULL, free INTEGER NOT NULL, adult INTEGER NOT NULL
);
CREATE INDEX facets_adult ON facets (row) WHERE adult;
CREATE TABLE tags (tag TEXT NOT NULL, row INTEGER NOT NULL, PRIMARY KEY (tag, row)) WITHOUT ROWID;
"""


MOST = 2**62
"""Reviews; SQLite holds no larger whole number than twice this."""

LONGEST_TAG, MOST_TAGS, MOST_KNOWN = 100, 200, 10_000
"""Characters of a tag, tags of a game, and tags that are listed: Steam knows some 450, and gives a game 20 of them."""


def fill(db: sqlite3.Connection, columns: Iterable[str]) -> None:
    """Writes the facets of rows, given each one's columns as JSON."""
    for row, written in enumerate(columns):
        if written == "{}":
            continue
        known = json.loads(written)
        db.execute(
            "INSERT INTO facets VALUES (?, ?, ?, ?, ?)",
            (
                row,
                _released(known),
                _count(known.get("reviews")),
                _yes(known.get("free")),
                _yes(known.get("adult")),
            ),
        )
        found = islice(_tags(known), MOST_TAGS)
        db.executemany("INSERT OR IGNORE INTO tags VALUES (?, ?)", ((tag, row) for tag in found))


def allowed(db: sqlite3.Connection, wanted: Filter, count: int) -> NDArray[np.bool_] | None:
    """The rows that a filter lets through: bool, shape (count,); None for all of them.

    Raises:
        SnapshotError: the snapshot is of an older program, which wrote no facets.
    """
    try:
        if wanted == Filter(adult=wanted.adult):
            if wanted.adult:
                return None
            hidden = [row for (row,) in db.execute("SELECT row FROM facets WHERE adult")]
            if not hidden:
                return None
            mask = np.ones(count, np.bool_)
            mask[hidden] = False
            return mask
        sql, parameters = _condition(wanted)
        rows = [row for (row,) in db.execute(f"SELECT row FROM facets WHERE {sql}", parameters)]  # noqa: S608
    except sqlite3.OperationalError:
        if wanted == Filter(adult=wanted.adult):
            return None  # nothing is known to be adult-only
        raise SnapshotError(
            "the snapshot was built by an older steam-dino and cannot be filtered; run: steam-dino build --rebuild"
        ) from None
    mask = np.zeros(count, np.bool_)
    mask[rows] = True
    return mask


def tags(db: sqlite3.Connection) -> list[str]:
    """The tags that games have, the most frequent first."""
    try:
        sql = "SELECT tag FROM tags GROUP BY tag ORDER BY count(*) DESC, tag LIMIT ?"
        return [tag for (tag,) in db.execute(sql, (MOST_KNOWN,))]
    except sqlite3.OperationalError:
        return []


def _condition(wanted: Filter) -> tuple[str, list[Any]]:
    parts: list[str] = ["1"]
    parameters: list[Any] = []
    for tag in wanted.tags:
        parts.append("row IN (SELECT row FROM tags WHERE tag = ?)")
        parameters.append(fold(tag))
    if wanted.released_from:
        parts.append("released >= ?")
        parameters.append(wanted.released_from)
    if wanted.released_to:
        # Of "2020", everything in that year.
        parts.append("substr(released, 1, ?) <= ?")
        parameters += [len(wanted.released_to), wanted.released_to]
    if wanted.min_reviews:
        parts.append("reviews >= ?")
        parameters.append(wanted.min_reviews)
    if wanted.free:
        parts.append("free")
    if not wanted.adult:
        parts.append("NOT adult")
    return " AND ".join(parts), parameters


def _released(columns: dict[str, Any]) -> str | None:
    for key in ("released", "release_date", "year"):
        value = columns.get(key)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        found = re.match(r"\d{4}(-\d\d(-\d\d)?)?(?!\d)", str(value)) if value is not None else None
        if found:
            return found[0]
    return None


def _tags(columns: dict[str, Any]) -> Iterator[str]:
    for key in ("tags", "genres"):
        value = columns.get(key)
        for tag in (
            re.split(r"[,;|]", value) if isinstance(value, str) else value if isinstance(value, list) else ()
        ):
            if isinstance(tag, str) and 0 < len(tag.strip()) <= LONGEST_TAG:
                yield fold(tag)


def _count(value: Any) -> int:
    try:
        return min(max(int(value), 0), MOST)
    except (TypeError, ValueError, OverflowError):
        return 0


def _yes(value: Any) -> bool:
    return value is True or str(value).strip().lower() in ("1", "true", "yes")
