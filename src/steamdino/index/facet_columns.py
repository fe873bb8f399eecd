"""The facets of all games in memory, so that games can be counted by them in milliseconds.

At 184,000 games with 15 tags each, the rows of the tags take 11 MB and everything else 3 MB.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steamdino.records import HIDDEN_COLUMNS

MOST_TAGS = 500
"""The most frequent tags that games are counted by. Steam has some 450."""

BLOCK = 10_000
"""Games whose facets are read at a time."""

FLAGS = ("free", "upcoming", *HIDDEN_COLUMNS)


@dataclass(frozen=True, slots=True, eq=False)
class FacetColumns:
    """The facets of n games. Threads may share them.

    Attributes:
        years: int16, shape (n,): the year of release; 0 if it is unknown. No period of `periods` has days of two years.
        early_access: bool, shape (n,): the game has been in early access.
        reviews: int64, shape (n,).
        flags: for each of `FLAGS`, bool, shape (n,).
        tags: the most frequent tags in lower case, the most frequent first.
        starts: intp, shape (tags + 1,): where the rows of each tag begin in `tagged`, and its length.
        tagged: int32: the rows of the games with the first tag, with the second, and so on.
    """

    years: NDArray[np.int16]
    early_access: NDArray[np.bool_]
    reviews: NDArray[np.int64]
    flags: Mapping[str, NDArray[np.bool_]]
    tags: tuple[str, ...]
    starts: NDArray[np.intp]
    tagged: NDArray[np.int32]

    @classmethod
    def read(cls, db: sqlite3.Connection, count: int) -> FacetColumns:
        """Read them from a snapshot of `count` games. One that an older program built has none, or fewer."""
        made = cls.empty(count)
        known = {name for (name,) in db.execute("SELECT name FROM pragma_table_info('facets')")}
        if not known:
            return made
        # A column that an older program did not write is 0 for all games.
        flags = [name if name in known else "0" for name in FLAGS]
        began = "early_access_first IS NOT NULL" if "early_access_first" in known else "0"
        year = "CAST(coalesce(substr(released_first, 1, 4), 0) AS INTEGER)"
        sql = f"SELECT row, {year}, reviews, {began}, {', '.join(flags)} FROM facets"  # noqa: S608
        # Loops over single values would take four times as long.
        found = db.execute(sql)
        while block := found.fetchmany(BLOCK):
            rows, years, reviews, early, *others = np.array(block, np.int64).T
            made.years[rows], made.reviews[rows], made.early_access[rows] = years, reviews, early
            for name, values in zip(FLAGS, others, strict=True):
                made.flags[name][rows] = values
        sql = "SELECT tag, count(*) FROM tags GROUP BY tag ORDER BY count(*) DESC, tag LIMIT ?"
        counts = db.execute(sql, (MOST_TAGS,)).fetchall()
        starts = np.zeros(len(counts) + 1, np.intp)
        np.cumsum([number for _, number in counts], out=starts[1:])
        tagged = np.empty(starts[-1], np.int32)
        for (tag, number), start in zip(counts, starts.tolist(), strict=False):
            ((listed,),) = db.execute("SELECT group_concat(row) FROM tags WHERE tag = ?", (tag,))
            tagged[start : start + number] = np.fromstring(listed, np.int32, sep=",")
        return cls(
            made.years,
            made.early_access,
            made.reviews,
            made.flags,
            tuple(tag for tag, _ in counts),
            starts,
            tagged,
        )

    @classmethod
    def empty(cls, count: int) -> FacetColumns:
        """The facets of games of which nothing is known."""
        return cls(
            np.zeros(count, np.int16),
            np.zeros(count, np.bool_),
            np.zeros(count, np.int64),
            {name: np.zeros(count, np.bool_) for name in FLAGS},
            (),
            np.zeros(1, np.intp),
            np.empty(0, np.int32),
        )
