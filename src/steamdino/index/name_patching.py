"""Copies the tables by which names are found from an older snapshot, and changes what differs.

A name keeps its place in the order of names, since `name_index` leaves gaps between them. A new one gets a place in the
gap where it belongs. Where a gap is full, or where much has changed, the tables have to be built from nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Self

from steamdino.index import name_index
from steamdino.index.name_folding import words
from steamdino.index.name_index import (
    FULL_TEXT,
    INDEX,
    OPTIMIZE,
    SCHEMA,
    VERSION,
    WORDS_OF_NAME,
    insert_name,
    insert_spelling,
    keys_of_name,
    keys_of_word,
    listed_words,
)

MOST_CHANGES = 20_000
"""Names that are entered or removed at most. Beyond, building the tables from nothing takes about as long."""

_EVERYTHING = 2**62
_Key = tuple[int, int, str, int]


@dataclass(frozen=True, slots=True)
class _Name:
    """A name with its place in the order of names."""

    place: int
    row: int
    name: str
    folded: str


class NamePatch:
    """What changes in the tables of names."""

    def __init__(self, new: list[_Name], gone: list[_Name]) -> None:
        """Take the names to enter, with their new rows, and those to remove, with their old ones."""
        self._new = new
        self._gone = gone

    @classmethod
    def prepare(cls, db: sqlite3.Connection, new: Sequence[int], gone: Sequence[int]) -> Self | None:
        """Copy the tables of an older snapshot.

        Args:
            db: the database that is written, with filled tables ``games``, ``facets`` and ``kept (before, row)``. The
                older one is attached as ``before``.
            new: rows of games that are not in ``kept``.
            gone: rows of the older games that are not in ``kept``.

        Returns:
            what remains to be done, in another connection; None if `name_index.build` has to be called.
        """
        if len(new) + len(gone) > MOST_CHANGES:
            return None
        db.executescript(SCHEMA)
        db.execute("BEGIN")
        db.execute(
            "INSERT INTO names (place, row) SELECT place, kept.row FROM before.names"
            " CROSS JOIN kept ON kept.before = names.row ORDER BY place"
        )
        entered = _placed(db, new)
        try:
            if entered is not None:
                db.execute("INSERT INTO words SELECT place, word FROM before.words ORDER BY place")
                for table in FULL_TEXT:
                    for part in ("data", "idx"):
                        db.execute(f"DELETE FROM {table}_{part}")  # noqa: S608
                        db.execute(f"INSERT INTO {table}_{part} SELECT * FROM before.{table}_{part}")  # noqa: S608
                removed = list(_removed(db, gone))
                db.execute("COMMIT")
                return cls(entered, removed)
        except sqlite3.OperationalError:  # an SQLite that lets nobody write the tables of a full-text index
            pass
        for table in ("names", "words", *FULL_TEXT):
            db.execute(f"DROP TABLE {table}")
        db.execute("COMMIT")
        return None

    def apply(self, db: sqlite3.Connection) -> None:
        """Remove and enter names."""
        db.execute("BEGIN")
        for one in self._gone:
            db.execute(
                "INSERT INTO name_words (name_words, rowid, words) VALUES ('delete', ?, ?)",
                (one.place, keys_of_name(one.name, one.folded)),
            )
        for one in self._new:
            db.execute("INSERT INTO names (place, row) VALUES (?, ?)", (one.place, one.row))
            insert_name(db, one.place, one.name, one.folded)
        self._move_words(db)
        for table in FULL_TEXT:
            # Searches then read one segment of each again. It takes a second for a million names.
            db.execute(OPTIMIZE.format(table))
        db.execute(INDEX)
        db.execute(f"PRAGMA user_version = {VERSION}")
        db.execute("COMMIT")

    def _move_words(self, db: sqlite3.Connection) -> None:
        before = _last_spelt(db)
        moved = dict(self._moved(db))
        for word, (old, _) in moved.items():
            if old is not None:
                db.execute("DELETE FROM words WHERE place = ?", (old,))
                if old <= before:
                    _remove_spelling(db, old, word)
        db.executemany(
            "INSERT INTO words (place, word) VALUES (?, ?)",
            ((new, word) for word, (_, new) in moved.items() if new is not None),
        )
        after = _last_spelt(db)
        for word, (_, new) in moved.items():
            if new is not None and new <= after:
                insert_spelling(db, new, word)
        # The words around the last one that is spelt, where there are more.
        between = "SELECT place, word FROM words WHERE place > ? AND place <= ?"
        for place, word in db.execute(between, (after, before)).fetchall():
            if word not in moved:
                _remove_spelling(db, place, word)
        for place, word in db.execute(between, (before, after)).fetchall():
            if word not in moved:
                insert_spelling(db, place, word)

    def _moved(self, db: sqlite3.Connection) -> Iterator[tuple[str, tuple[int | None, int | None]]]:
        """Yield the words whose places change, each with the old and the new place; None for no place."""
        gone = {one.place for one in self._gone}
        entered: dict[str, int] = {}
        for one in self._new:
            for place, word in listed_words(one.place, one.folded):
                entered[word] = min(place, entered.get(word, place))
        removed = {word for one in self._gone for _, word in listed_words(one.place, one.folded)}
        for word in sorted({*entered, *removed}):
            found = db.execute("SELECT place FROM words WHERE word = ?", (word,)).fetchone()
            old = None if found is None else int(found[0])
            if old is not None and old // WORDS_OF_NAME in gone:
                new = _first_place(db, word)
            else:
                new = min(place for place in (old, entered.get(word)) if place is not None)
            if new != old:
                yield word, (old, new)


def _placed(db: sqlite3.Connection, rows: Sequence[int]) -> list[_Name] | None:
    """Find places for names in the gaps of the table ``names``; None if a gap is full."""
    found: list[_Name] = []
    keyed = sorted((_key(db, row) for row in rows), key=lambda one: one[0])
    (last,) = db.execute("SELECT coalesce(max(place), 0) FROM names").fetchone()
    for follower, group in groupby(
        ((key, name, _follower(db, key, last)) for key, name in keyed), key=lambda one: one[2]
    ):
        names = list(group)
        if follower is None:
            low, high = last, last + name_index.GAP * (len(names) + 1)
        else:
            low = db.execute(
                "SELECT coalesce(max(place), 0) FROM names WHERE place < ?", (follower,)
            ).fetchone()[0]
            high = follower
        if high - low <= len(names):
            return None
        for number, (key, name, _) in enumerate(names, 1):
            place = low + (high - low) * number // (len(names) + 1)
            found.append(_Name(place, key[3], name, key[2]))
    return found


def _follower(db: sqlite3.Connection, key: _Key, last: int) -> int | None:
    """The place of the first name that comes after a key; None if none does."""
    low, high = 0, last + 1  # the follower's place, or `last` + 1, is above `low` and at most `high`
    found = None
    while high - low > 1:
        middle = (low + high) // 2
        place, row = db.execute(
            "SELECT place, row FROM names WHERE place >= ? ORDER BY place LIMIT 1", (middle,)
        ).fetchone()
        if _key(db, row)[0] > key:
            found, high = place, middle
        else:
            low = place
    return found


def _key(db: sqlite3.Connection, row: int) -> tuple[_Key, str]:
    """By what `name_index.build` orders a name, and the name."""
    reviews, name, folded = db.execute(
        "SELECT coalesce(reviews, 0), name, folded FROM games LEFT JOIN facets ON facets.row = games.row"
        " WHERE games.row = ?",
        (row,),
    ).fetchone()
    return (-reviews, len(folded), folded, row), name


def _removed(db: sqlite3.Connection, rows: Sequence[int]) -> Iterator[_Name]:
    """Read older names that are gone."""
    db.execute("CREATE TEMP TABLE gone (row INTEGER PRIMARY KEY)")
    db.executemany("INSERT INTO gone VALUES (?)", ((row,) for row in rows))
    for found in db.execute(
        "SELECT place, names.row, name, folded FROM before.names CROSS JOIN gone ON gone.row = names.row"
        " CROSS JOIN before.games ON games.row = names.row"
    ):
        yield _Name(*found)


def _first_place(db: sqlite3.Connection, word: str) -> int | None:
    """The place of a word that the first name with it gives; None if no name has it."""
    found = db.execute(
        "SELECT name_words.rowid, folded FROM name_words CROSS JOIN names ON names.place = name_words.rowid"
        " CROSS JOIN games ON games.row = names.row WHERE name_words MATCH ? ORDER BY name_words.rowid",
        (f'"{word}"',),
    )
    for place, folded in found:
        listed = words(folded)[:WORDS_OF_NAME]
        if word in listed:  # it is not where the digits of a Roman numeral are meant
            return int(place) * WORDS_OF_NAME + listed.index(word)
    return None


def _last_spelt(db: sqlite3.Connection) -> int:
    """The place up to which words are in the full-text index of spellings."""
    found = db.execute(
        "SELECT place FROM words ORDER BY place LIMIT 1 OFFSET ?", (name_index.MOST_WORDS - 1,)
    ).fetchone()
    return _EVERYTHING if found is None else int(found[0])


def _remove_spelling(db: sqlite3.Connection, place: int, word: str) -> None:
    db.execute(
        "INSERT INTO spellings (spellings, rowid, keys) VALUES ('delete', ?, ?)", (place, keys_of_word(word))
    )
