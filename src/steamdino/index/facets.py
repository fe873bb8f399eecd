"""Filters games by tags, dates, reviews, price and what hides them, which `columns` reads.

A date that is less exact than a day is stored as its first and last day. A game passes a filter by date if any of the
days from the first to the last passes it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steamdino.errors import SnapshotError
from steamdino.index.name_folding import fold
from steamdino.periods import days
from steamdino.records import EVERYTHING, HIDDEN_COLUMNS, Filter

SCHEMA = f"""
CREATE TABLE facets (
    row INTEGER PRIMARY KEY, released_first TEXT, released_last TEXT, early_access_first TEXT, early_access_last TEXT,
    reviews INTEGER NOT NULL, free INTEGER NOT NULL, upcoming INTEGER NOT NULL,
    {", ".join(f"{name} INTEGER NOT NULL" for name in HIDDEN_COLUMNS)}
);
{"".join(f"CREATE INDEX facets_{name} ON facets (row) WHERE {name};" for name in HIDDEN_COLUMNS)}
CREATE TABLE tags (tag TEXT NOT NULL, row INTEGER NOT NULL, PRIMARY KEY (tag, row)) WITHOUT ROWID;
"""

BLOCK = 1000
"""Rows whose facets are written at a time."""

KEPT = 4096
"""Tags and dates that are kept in memory in the form in which they are stored, while facets are written."""

LONGEST_TAG, MOST_TAGS, MOST_KNOWN = 100, 200, 10_000
"""Characters of a tag, tags of a game, and tags that `tags` lists. Steam has some 450 tags, and up to 20 a game."""


def fill(db: sqlite3.Connection, columns: Iterable[tuple[int, str]]) -> None:
    """Write the facets of rows, given each with its columns as JSON."""
    from steamdino.index import columns as read  # compiles many patterns, which a search does not need

    folded, days_of = lru_cache(KEPT)(fold), lru_cache(KEPT)(_days)  # few tags and dates are different
    insert = f"INSERT INTO facets VALUES ({', '.join('?' * (8 + len(HIDDEN_COLUMNS)))})"  # noqa: S608
    remaining = iter(columns)
    while block := list(islice(remaining, BLOCK)):
        of_rows, of_tags = [], []
        for row, written in block:
            if written == "{}":
                continue
            known = json.loads(written)
            dates = (*days_of(read.released(known)), *days_of(read.early_access(known)))
            facts = (read.reviews(known), read.is_free(known), read.is_upcoming(known))
            of_rows.append((row, *dates, *facts, *(read.is_hidden(known, name) for name in HIDDEN_COLUMNS)))
            short = (folded(tag) for tag in read.tags(known) if len(tag) <= LONGEST_TAG)
            of_tags += [(tag, row) for tag in islice(short, MOST_TAGS)]
        db.executemany(insert, of_rows)
        db.executemany("INSERT OR IGNORE INTO tags VALUES (?, ?)", of_tags)


def copy(db: sqlite3.Connection) -> None:
    """Copy the facets of the rows in the table ``kept (before, row)`` from the database attached as ``before``."""
    names = [
        name for (name,) in db.execute("SELECT name FROM pragma_table_info('facets') WHERE name != 'row'")
    ]
    listed = ", ".join(names)
    db.execute(
        f"INSERT INTO facets (row, {listed}) SELECT kept.row, {listed} FROM before.facets"  # noqa: S608
        " CROSS JOIN kept ON kept.before = facets.row ORDER BY facets.row"
    )
    # The order stays the same, so each row is appended.
    db.execute(
        "INSERT INTO tags SELECT tag, kept.row FROM before.tags CROSS JOIN kept ON kept.before = tags.row"
        " ORDER BY tag, tags.row"
    )


def allowed(db: sqlite3.Connection, wanted: Filter, count: int) -> NDArray[np.bool_] | None:
    """Find the rows that a filter allows: bool, shape (count,); None for all of them.

    Raises:
        SnapshotError: an older program built the snapshot, without facets.
        UsageError: a date of the filter has no form of `periods`.
    """
    if wanted == EVERYTHING:
        return None
    try:
        if wanted == wanted.without_conditions:
            hiding = " OR ".join(_hiding(db, wanted))
            found = db.execute(f"SELECT row FROM facets WHERE {hiding}") if hiding else ()  # noqa: S608
            rows = [row for (row,) in found]
            mask = np.ones(count, np.bool_)
            mask[rows] = False
            return mask if rows else None
        sql, parameters = _condition(db, wanted)
        rows = [row for (row,) in db.execute(f"SELECT row FROM facets WHERE {sql}", parameters)]  # noqa: S608
    except sqlite3.OperationalError:  # it lacks a column that the filter needs, or all of them
        raise SnapshotError(
            "the snapshot was built by an older steam-dino and cannot be filtered; run: steam-dino build --rebuild"
        ) from None
    mask = np.zeros(count, np.bool_)
    mask[rows] = True
    return mask


def allowed_among(columns: Iterable[str], wanted: Filter) -> NDArray[np.bool_]:
    """Find which games a filter allows that need not be in a snapshot, given the columns of each as JSON."""
    counted = 0

    def counting() -> Iterator[tuple[int, str]]:
        nonlocal counted
        for row, written in enumerate(columns):
            counted = row + 1
            yield row, written

    with closing(sqlite3.connect(":memory:")) as db:
        db.executescript(SCHEMA)
        fill(db, counting())
        mask = allowed(db, wanted, counted)
    return np.ones(counted, np.bool_) if mask is None else mask


def undated(db: sqlite3.Connection, wanted: Filter, count: int) -> int:
    """Count which of `count` games a filter excludes only because their release date is unknown; 0 if it needs none."""
    if not (wanted.released_from or wanted.released_to):
        return 0
    others = replace(wanted, released_from=None, released_to=None)
    sql, parameters = _condition(db, others)
    found = db.execute(f"SELECT count(*) FROM facets WHERE released_first IS NULL AND {sql}", parameters)  # noqa: S608
    (left_out,) = found.fetchone()
    if others == others.without_conditions:  # games without facets pass such a filter
        (known,) = db.execute("SELECT count(*) FROM facets").fetchone()
        left_out += count - known
    return int(left_out)


def dated(db: sqlite3.Connection) -> int | None:
    """Count the games with a known release date; None if the snapshot has no facets."""
    try:
        return int(db.execute("SELECT count(*) FROM facets WHERE released_first IS NOT NULL").fetchone()[0])
    except sqlite3.DatabaseError:  # built by an older program, or damaged, which `doctor` reports
        return None


def tags(db: sqlite3.Connection) -> list[str]:
    """List the tags of all games, the most frequent first."""
    try:
        sql = "SELECT tag FROM tags GROUP BY tag ORDER BY count(*) DESC, tag LIMIT ?"
        return [tag for (tag,) in db.execute(sql, (MOST_KNOWN,))]
    except sqlite3.OperationalError:
        return []


def _days(period: str | None) -> tuple[str | None, str | None]:
    if period is None:
        return None, None
    first, last = days(period)
    return first.isoformat(), last.isoformat()


def _hiding(db: sqlite3.Connection, wanted: Filter) -> list[str]:
    """Return the columns whose games a filter hides; of `HIDDEN_COLUMNS` only those that the snapshot has."""
    known = {name for (name,) in db.execute("SELECT name FROM pragma_table_info('facets')")}
    return [name for name in wanted.hides if name in known or name not in HIDDEN_COLUMNS]


def _condition(db: sqlite3.Connection, wanted: Filter) -> tuple[str, list[Any]]:
    parts: list[str] = ["1"]
    parameters: list[Any] = []
    for tag in wanted.tags:
        parts.append("row IN (SELECT row FROM tags WHERE tag = ?)")
        parameters.append(fold(tag))
    for name, first, last in (
        ("released", wanted.released_from, wanted.released_to),
        ("early_access", wanted.early_access_from, wanted.early_access_to),
    ):
        if first:
            parts.append(f"{name}_last >= ?")
            parameters.append(days(first)[0].isoformat())
        if last:
            parts.append(f"{name}_first <= ?")
            parameters.append(days(last)[1].isoformat())
    if wanted.min_reviews:
        parts.append("reviews >= ?")
        parameters.append(wanted.min_reviews)
    if wanted.free:
        parts.append("free")
    if wanted.upcoming:
        parts.append("upcoming")
    parts += [f"NOT {name}" for name in _hiding(db, wanted)]
    return " AND ".join(parts), parameters
