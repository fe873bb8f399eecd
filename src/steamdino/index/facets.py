"""Filters games by tags, release date, reviews, price and what hides them, which `columns` reads."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steamdino.errors import SnapshotError
from steamdino.index.name_search import fold
from steamdino.records import EVERYTHING, HIDDEN_COLUMNS, Filter

SCHEMA = f"""
CREATE TABLE facets (
    row INTEGER PRIMARY KEY, released TEXT, reviews INTEGER NOT NULL, free INTEGER NOT NULL,
    {", ".join(f"{name} INTEGER NOT NULL" for name in HIDDEN_COLUMNS)}
);
{"".join(f"CREATE INDEX facets_{name} ON facets (row) WHERE {name};" for name in HIDDEN_COLUMNS)}
CREATE TABLE tags (tag TEXT NOT NULL, row INTEGER NOT NULL, PRIMARY KEY (tag, row)) WITHOUT ROWID;
"""

LONGEST_TAG, MOST_TAGS, MOST_KNOWN = 100, 200, 10_000
"""Characters of a tag, tags of a game, and tags that `tags` lists. Steam has some 450 tags, and up to 20 a game."""


def fill(db: sqlite3.Connection, columns: Iterable[str]) -> None:
    """Write the facets of all rows, given the columns of each as JSON."""
    from steamdino.index import columns as read  # compiles many patterns, which a search does not need

    insert = f"INSERT INTO facets VALUES ({', '.join('?' * (4 + len(HIDDEN_COLUMNS)))})"  # noqa: S608
    for row, written in enumerate(columns):
        if written == "{}":
            continue
        known = json.loads(written)
        hidden = (read.is_hidden(known, name) for name in HIDDEN_COLUMNS)
        db.execute(insert, (row, read.released(known), read.reviews(known), read.is_free(known), *hidden))
        short = (fold(tag) for tag in read.tags(known) if len(tag) <= LONGEST_TAG)
        db.executemany(
            "INSERT OR IGNORE INTO tags VALUES (?, ?)", ((tag, row) for tag in islice(short, MOST_TAGS))
        )


def allowed(db: sqlite3.Connection, wanted: Filter, count: int) -> NDArray[np.bool_] | None:
    """Find the rows that a filter allows: bool, shape (count,); None for all of them.

    Raises:
        SnapshotError: an older program built the snapshot, without facets.
    """
    if wanted == EVERYTHING:
        return None
    known = _known_columns(db)
    if wanted == wanted.without_conditions:
        # A column that an older program did not know hides no game.
        hidden = [
            row
            for name in wanted.hides
            if name in known
            for (row,) in db.execute(f"SELECT row FROM facets WHERE {name}")  # noqa: S608
        ]
        if not hidden:
            return None
        mask = np.ones(count, np.bool_)
        mask[hidden] = False
        return mask
    if not known:
        raise SnapshotError(
            "the snapshot was built by an older steam-dino and cannot be filtered; run: steam-dino build --rebuild"
        )
    sql, parameters = _condition(wanted, known)
    mask = np.zeros(count, np.bool_)
    mask[[row for (row,) in db.execute(f"SELECT row FROM facets WHERE {sql}", parameters)]] = True  # noqa: S608
    return mask


def undated(db: sqlite3.Connection, wanted: Filter, count: int) -> int:
    """Count which of `count` games a filter excludes only because their release date is unknown; 0 if it needs none."""
    if not (wanted.released_from or wanted.released_to):
        return 0
    others = replace(wanted, released_from=None, released_to=None)
    sql, parameters = _condition(others, _known_columns(db))
    found = db.execute(f"SELECT count(*) FROM facets WHERE released IS NULL AND {sql}", parameters)  # noqa: S608
    (left_out,) = found.fetchone()
    if others == others.without_conditions:  # games without facets pass such a filter
        (known,) = db.execute("SELECT count(*) FROM facets").fetchone()
        left_out += count - known
    return int(left_out)


def dated(db: sqlite3.Connection) -> int | None:
    """Count the games with a known release date; None if the snapshot has no facets."""
    try:
        return int(db.execute("SELECT count(*) FROM facets WHERE released IS NOT NULL").fetchone()[0])
    except sqlite3.DatabaseError:  # built by an older program, or damaged, which `doctor` reports
        return None


def tags(db: sqlite3.Connection) -> list[str]:
    """List the tags of all games, the most frequent first."""
    try:
        sql = "SELECT tag FROM tags GROUP BY tag ORDER BY count(*) DESC, tag LIMIT ?"
        return [tag for (tag,) in db.execute(sql, (MOST_KNOWN,))]
    except sqlite3.OperationalError:
        return []


def _known_columns(db: sqlite3.Connection) -> set[str]:
    """Return the columns of the facets; none if an older program built the snapshot, without facets."""
    return {name for (name,) in db.execute("SELECT name FROM pragma_table_info('facets')")}


def _condition(wanted: Filter, known: set[str]) -> tuple[str, list[Any]]:
    parts: list[str] = ["1"]
    parameters: list[Any] = []
    for tag in wanted.tags:
        parts.append("row IN (SELECT row FROM tags WHERE tag = ?)")
        parameters.append(fold(tag))
    if wanted.released_from:
        parts.append("released >= ?")
        parameters.append(wanted.released_from)
    if wanted.released_to:
        # "2020" includes everything in that year.
        parts.append("substr(released, 1, ?) <= ?")
        parameters += [len(wanted.released_to), wanted.released_to]
    if wanted.min_reviews:
        parts.append("reviews >= ?")
        parameters.append(wanted.min_reviews)
    if wanted.free:
        parts.append("free")
    parts += [f"NOT {name}" for name in wanted.hides if name in known]
    return " AND ".join(parts), parameters
