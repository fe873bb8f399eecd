"""Ids and names of games that begin with what was typed.

Readline replaces what was typed by what all candidates begin with, letter by letter. So each candidate begins with what
was typed, in its capitals and with its accents: searches find a name however it is written. If there are more
candidates than are wanted, the first and the last by name are among those that are offered, so that what all of the
offered ones begin with is what all of them begin with.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator

from steamdino.index.name_folding import fold
from steamdino.index.name_search import beginning

LAST = "\U0010ffff"
_MOST_REVIEWED = """
SELECT id, name, folded FROM games WHERE row IN (SELECT row FROM names ORDER BY place LIMIT ?)
"""


def games(db: sqlite3.Connection, typed: str, most: int) -> Iterator[tuple[str, str]]:
    """Yield the ids of a snapshot's games that begin with the text, and the names of the others, most reviewed first.

    Args:
        db: the snapshot's database.
        typed: the text.
        most: how many to yield.
    """
    seen: set[str] = set()
    for game_id, name in _by_id(db, "games", "id", typed, most):
        seen.add(game_id)
        yield game_id, name
    offered: set[str] = set()
    listed = db.execute(_MOST_REVIEWED, (most,)) if not typed else _named(db, typed, most)
    for game_id, name, folded in listed:
        value = as_typed(typed, name, folded)
        if game_id not in seen and value is not None and value not in offered:
            offered.add(value)
            yield value, game_id


def games_of_gallery(db: sqlite3.Connection, typed: str, most: int) -> Iterator[tuple[str, str]]:
    """Yield the ids of a gallery's games that begin with the text, for a gallery without a snapshot."""
    yield from _by_id(db, "games", "game_id", typed, most)


def as_typed(typed: str, name: str, folded: str) -> str | None:
    """A name that begins with what was typed and is found as the name is; None if the name does not begin so."""
    for begin, whole in ((typed, name), (fold(typed), folded)):
        completed = typed + whole[len(begin) :]
        # Between "rain-" and "rainproof", the dash would separate words that the name does not have.
        if whole[: len(begin)].casefold() == begin.casefold() and fold(completed) == folded:
            return completed
    return None


def _by_id(
    db: sqlite3.Connection, table: str, column: str, typed: str, most: int
) -> Iterator[tuple[str, str]]:
    sql = f"SELECT {column}, name FROM {table} WHERE {column} >= ? AND {column} < ? ORDER BY {column}"  # noqa: S608
    first = db.execute(f"{sql} LIMIT ?", (typed, typed + LAST, most)).fetchall()
    yield from first
    if len(first) == most:
        yield from db.execute(f"{sql} DESC LIMIT 1", (typed, typed + LAST))


def _named(db: sqlite3.Connection, typed: str, most: int) -> Iterable[tuple[str, str, str]]:
    sql = "SELECT id, name, folded FROM games WHERE row = ?"
    for row in beginning(db, typed, most):
        yield from db.execute(sql, (row,))
    folded = fold(typed)
    for order in ("", " DESC"):
        ends = f"SELECT id, name, folded FROM games WHERE folded >= ? AND folded < ? ORDER BY folded{order} LIMIT 1"  # noqa: S608
        yield from db.execute(ends, (folded, folded + LAST))
