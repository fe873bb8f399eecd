"""Finds games by what people type: exact names first, then prefixes, words, parts of words, and misspellings.

`name_index` says what it searches in. What follows the exact names and those that begin with the text is found by one
rule: each word of the text stands for words of names at a cost, and the names at the lowest total cost come first. The
most reviewed of them is on top.

====  =============================================================================================================
cost  a word of the text stands for
====  =============================================================================================================
0     itself; a word that begins with it, if it is the last; the same number in other digits; initials
1     a word that begins with it, although another follows; a word that contains it
2     a word with one letter left out, added, replaced, or swapped with the next; two words without the space between
      them
3     a word that begins with something one such step away; nothing, if it has three letters at most
4, 5  the same as 2 and 3, with two steps
====  =============================================================================================================
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from steamdino.index.name_folding import fold, words
from steamdino.index.name_index import is_current, whole
from steamdino.index.name_meanings import MOST_COST, TYPO, Meanings

if TYPE_CHECKING:  # completion on the command line does without NumPy
    import numpy as np
    from numpy.typing import NDArray

FEW = 3
"""Names with typos are suggested only if fewer than these are found as they are typed, and none that is equal."""

SPREAD = 1
"""How much more than the best name with typos others may cost."""

_EQUAL, _BEGINNING = -2, -1

MOST_WORDS = 16
"""Words of a text that are looked for unless a name begins with it."""


def find(db: sqlite3.Connection, text: str, limit: int = 10) -> list[int]:
    """Find the rows whose names match a text, best first: only those that match it as well as the best one does."""
    for _, step in _steps(db, text):
        if rows := list(islice(step, limit)):
            return rows
    return []


def suggest(
    db: sqlite3.Connection, text: str, limit: int = 10, mask: NDArray[np.bool_] | None = None
) -> list[int]:
    """Find the rows whose names match what is being typed, best first.

    Args:
        db: the snapshot's database.
        text: what was typed.
        limit: maximum number of rows.
        mask: bool, shape (games,): the rows that may be found; None for all.
    """
    found: dict[int, None] = {}
    equal, dearest = False, MOST_COST
    for cost, step in _steps(db, text):
        if cost == _BEGINNING:
            equal = bool(found)
        if cost > dearest or (cost == TYPO and (equal or len(found) >= FEW)):
            break
        before = len(found)
        for row in step:
            if mask is None or mask[row]:
                found[row] = None
                if len(found) >= limit:
                    return list(found)
        if cost >= TYPO and len(found) > before:
            dearest = min(dearest, cost + SPREAD)
    return list(found)


def find_exact(db: sqlite3.Connection, text: str, limit: int = 10) -> list[int]:
    """Find the rows whose name equals the text, literally or folded."""
    text = _storable(text)
    folded = fold(text)
    return list(islice(_exact(db, text, folded), limit)) or list(islice(_folded(db, folded), limit))


def beginning(db: sqlite3.Connection, text: str, limit: int) -> list[int]:
    """Find the rows whose folded names begin with the folded text, the most reviewed first."""
    text = _storable(text)
    folded = fold(text)
    if not folded:
        return []
    if not is_current(db):
        sql = "SELECT row FROM games WHERE substr(folded, 1, ?) = ? ORDER BY length(folded), folded LIMIT ?"
        return [row for (row,) in db.execute(sql, (len(folded), folded, limit))]
    return list(islice(_beginnings(db, whole(words(folded)), folded), limit))


def _steps(db: sqlite3.Connection, text: str) -> Iterator[tuple[int, Iterator[int]]]:
    """Yield costs and the rows at each: exact names, folded ones, beginnings, and then by the costs of their words."""
    text = _storable(text)
    folded = fold(text)
    if not folded:
        return
    yield _EQUAL, _exact(db, text, folded)
    yield _EQUAL, _folded(db, folded)
    if not is_current(db):
        yield _BEGINNING, _scanned(db, folded)
        return
    listed = words(folded)
    yield _BEGINNING, _beginnings(db, whole(listed), folded)
    meanings = Meanings(db, listed[:MOST_WORDS])
    for cost in range(MOST_COST + 1):
        match = meanings.match(cost)
        yield cost, _matching(db, match) if match else iter(())


def _exact(db: sqlite3.Connection, text: str, folded: str) -> Iterator[int]:
    # Through the index on folded names, since there is none on names.
    sql = "SELECT row FROM games WHERE folded = ? AND name = ? ORDER BY row"
    return (row for (row,) in db.execute(sql, (folded, text)))


def _folded(db: sqlite3.Connection, folded: str) -> Iterator[int]:
    sql = "SELECT row FROM games WHERE folded IN (?, ?) ORDER BY folded != ?, row"
    return (row for (row,) in db.execute(sql, (folded, f"the {folded}", folded)))


# CROSS JOIN keeps SQLite from reordering, so that it returns rows one by one as the full-text index finds them.


def _beginnings(db: sqlite3.Connection, key: str, folded: str) -> Iterator[int]:
    sql = (
        "SELECT games.row FROM name_words CROSS JOIN names ON names.place = name_words.rowid"
        " CROSS JOIN games ON games.row = names.row"
        " WHERE name_words MATCH ? AND substr(folded, 1, ?) = ? ORDER BY name_words.rowid"
    )
    return (row for (row,) in db.execute(sql, (f'"{key}"*', len(folded), folded)))


def _matching(db: sqlite3.Connection, match: str) -> Iterator[int]:
    sql = (
        "SELECT row FROM name_words CROSS JOIN names ON place = name_words.rowid"
        " WHERE name_words MATCH ? ORDER BY name_words.rowid"
    )
    return (row for (row,) in db.execute(sql, (match,)))


def _scanned(db: sqlite3.Connection, folded: str) -> Iterator[int]:
    """Yield the names that contain the text's words, for a snapshot of an older program. The shortest is first."""
    parts = folded.split()[:MOST_WORDS]
    contains = " AND ".join(["instr(folded, ?)"] * len(parts))
    sql = (
        f"SELECT row FROM games WHERE {contains} ORDER BY instr(folded, ?) != 1, length(folded), folded, row"  # noqa: S608
    )
    return (row for (row,) in db.execute(sql, (*parts, folded)))


def _storable(text: str) -> str:
    """Drop lone surrogates, which SQLite cannot take and no stored name has."""
    return text.encode("utf-8", "ignore").decode("utf-8")
