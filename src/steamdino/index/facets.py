"""What games can be filtered by: tags, date of release, reviews, price, adult-only (`columns` reads them)."""

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
from steamdino.index.names import fold
from steamdino.records import Filter

SCHEMA = """
CREATE TABLE facets (
    row INTEGER PRIMARY KEY, released TEXT, reviews INTEGER NOT NULL, free INTEGER NOT NULL, adult INTEGER NOT NULL
);
CREATE INDEX facets_adult ON facets (row) WHERE adult;
CREATE TABLE tags (tag TEXT NOT NULL, row INTEGER NOT NULL, PRIMARY KEY (tag, row)) WITHOUT ROWID;
"""


LONGEST_TAG, MOST_TAGS, MOST_KNOWN = 100, 200, 10_000
"""Characters of a tag, tags of a game, and tags that are listed: Steam knows some 450, and gives a game 20 of them."""


def fill(db: sqlite3.Connection, columns: Iterable[str]) -> None:
    """Writes the facets of rows, given each one's columns as JSON."""
    from steamdino.index import columns as read  # many patterns, which a search does without

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


def undated(db: sqlite3.Connection, wanted: Filter, count: int) -> int:
    """How many of `count` games a filter leaves out only because no date of release could be read; 0 without a date."""
    if not (wanted.released_from or wanted.released_to):
        return 0
    others = replace(wanted, released_from=None, released_to=None)
    sql, parameters = _condition(others)
    found = db.execute(f"SELECT count(*) FROM facets WHERE released IS NULL AND {sql}", parameters)  # noqa: S608
    (left_out,) = found.fetchone()
    if others == Filter(adult=wanted.adult):  # which games pass of which nothing is known
        (known,) = db.execute("SELECT count(*) FROM facets").fetchone()
        left_out += count - known
    return int(left_out)


def dated(db: sqlite3.Connection) -> int | None:
    """How many games have a date of release that could be read; None if that is not known of this snapshot."""
    try:
        return int(db.execute("SELECT count(*) FROM facets WHERE released IS NOT NULL").fetchone()[0])
    except (
        sqlite3.DatabaseError
    ):  # an older program wrote no facets; or it is damaged, which `doctor` reports
        return None


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
