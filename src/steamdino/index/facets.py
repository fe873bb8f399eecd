"""Filters games by tags, release date, reviews, price and adult content, which `columns` reads."""

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
from steamdino.index.name_folding import fold
from steamdino.records import Filter

SCHEMA = """
CREATE TABLE facets (
    row INTEGER PRIMARY KEY, released TEXT, reviews INTEGER NOT NULL, free INTEGER NOT NULL, adult INTEGER NOT NULL
);
CREATE INDEX facets_adult ON facets (row) WHERE adult;
CREATE TABLE tags (tag TEXT NOT NULL, row INTEGER NOT NULL, PRIMARY KEY (tag, row)) WITHOUT ROWID;
"""


LONGEST_TAG, MOST_TAGS, MOST_KNOWN = 100, 200, 10_000
"""Characters of a tag, tags of a game, and tags that `tags` lists. Steam has some 450 tags, and up to 20 a game."""


def fill(db: sqlite3.Connection, columns: Iterable[str]) -> None:
    """Write the facets of all rows, given the columns of each as JSON."""
    from steamdino.index import columns as read  # compiles many patterns, which a search does not need

    for row, written in enumerate(columns):
        if written == "{}":
            continue
        known = json.loads(written)
        facts = (read.released(known), read.reviews(known), read.is_free(known), read.is_adult(known))
        db.execute("INSERT INTO facets VALUES (?, ?, ?, ?, ?)", (row, *facts))
        short = (fold(tag) for tag in read.tags(known) if len(tag) <= LONGEST_TAG)
        db.executemany(
            "INSERT OR IGNORE INTO tags VALUES (?, ?)", ((tag, row) for tag in islice(short, MOST_TAGS))
        )


def allowed(db: sqlite3.Connection, wanted: Filter, count: int) -> NDArray[np.bool_] | None:
    """Find the rows that a filter allows: bool, shape (count,); None for all of them.

    Raises:
        SnapshotError: an older program built the snapshot, without facets.
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
            return None  # no game is known to be adult-only
        raise SnapshotError(
            "the snapshot was built by an older steam-dino and cannot be filtered; run: steam-dino build --rebuild"
        ) from None
    mask = np.zeros(count, np.bool_)
    mask[rows] = True
    return mask


def undated(db: sqlite3.Connection, wanted: Filter, count: int) -> int:
    """Count which of `count` games a filter excludes only because their release date is unknown; 0 if it needs none."""
    if not (wanted.released_from or wanted.released_to):
        return 0
    others = replace(wanted, released_from=None, released_to=None)
    sql, parameters = _condition(others)
    found = db.execute(f"SELECT count(*) FROM facets WHERE released IS NULL AND {sql}", parameters)  # noqa: S608
    (left_out,) = found.fetchone()
    if others == Filter(adult=wanted.adult):  # games without facets pass such a filter
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
        # "2020" includes everything in that year.
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
