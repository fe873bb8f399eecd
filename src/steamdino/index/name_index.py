"""The tables by which names are found: words of names, parts of words, and words with letters left out.

``names``
    The games from the most to the least reviewed. Everything below refers to a game by its place in this order, so
    that SQLite returns the most reviewed first without sorting. Places have gaps for games to come, which
    `name_patching` enters.
``name_words``
    A full-text index of each name's words, the digits of its Roman numerals, its initials, and the whole name without
    spaces. The last two are marked by a character in front.
``words``
    The words of all names, from the most to the least reviewed game that has them. The place of a word is made of the
    place of that game and of the word's number in its name.
``spellings``
    A full-text index of those words: their endings, marked, to find a word by what is inside of it; and their
    beginnings with up to two letters left out, to find it by a misspelling. A misspelling with up to two letters left
    out has one of these in common with the word (symmetric deletion, known from SymSpell).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from itertools import combinations

from steamdino.index.name_folding import LONGEST_WORD, initials, numbers, words

VERSION = 1
"""Stored as SQLite's ``user_version``. Snapshots of older programs have 0, and none of these tables."""

WHOLE, INITIALS, ENDING = "\ue000", "\ue001", "\ue002"
"""What marks a whole name, initials, and the ending of a word."""

STEM, ENDING_LENGTH = 7, 12
"""Letters of a word from which some are left out, and letters of an ending that are indexed."""

SHORTEST_TYPO, SHORTEST_TWO_TYPOS = 4, 6
"""Letters that a word must have to be taken for another with one typo, and with two."""

MOST_WORDS = 500_000
"""Words that can be found by a part or a misspelling: those of the most reviewed games. It bounds what a pack of
invented words can take on the disk. Steam's 184,000 names have some 100,000."""

GAP = 256
"""Between the places of two names. It takes about a byte for each word of a name."""

WORDS_OF_NAME = 4096
"""Words of a name that have places, more than any has."""

PREFIXES = 4
"""Letters of the longest beginnings that the index of words has an index of, in turn."""

SCHEMA = """
CREATE TABLE names (place INTEGER PRIMARY KEY, row INTEGER NOT NULL);
CREATE TABLE words (place INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE);
CREATE VIRTUAL TABLE name_words USING fts5 (
    words, content='', detail=none, columnsize=0, prefix='1 2 3 4', tokenize='ascii'
);
CREATE VIRTUAL TABLE spellings USING fts5 (keys, content='', detail=none, columnsize=0, tokenize='ascii');
"""
_INSERT_NAME = "INSERT INTO name_words (rowid, words) VALUES (?, ?)"
_INSERT_SPELLING = "INSERT INTO spellings (rowid, keys) VALUES (?, ?)"
FULL_TEXT = ("name_words", "spellings")
INDEX = "CREATE INDEX games_by_folded ON games (folded)"
OPTIMIZE = "INSERT INTO {0} ({0}) VALUES ('optimize')"


def build(db: sqlite3.Connection) -> None:
    """Index the names in the filled tables ``games (row, name, folded, ...)`` and ``facets (row, reviews, ...)``.

    FTS5's own limit of memory stays as it is, 1 MB: filling `spellings` takes twice as long with 16 MB.
    """
    db.executescript(SCHEMA)
    db.execute("BEGIN")
    db.execute(
        "INSERT INTO names (place, row) SELECT ? * row_number() OVER (ORDER BY coalesce(reviews, 0) DESC,"
        " length(folded), folded, games.row), games.row"
        " FROM games LEFT JOIN facets ON facets.row = games.row ORDER BY 1",
        (GAP,),
    )
    listed = "SELECT place, name, folded FROM names JOIN games ON games.row = names.row ORDER BY place"
    db.executemany(
        _INSERT_NAME, ((place, keys_of_name(name, folded)) for place, name, folded in db.execute(listed))
    )
    db.execute(OPTIMIZE.format("name_words"))
    db.executemany(
        "INSERT OR IGNORE INTO words (place, word) VALUES (?, ?)",
        (one for place, _, folded in db.execute(listed) for one in listed_words(place, folded)),
    )
    known = db.execute("SELECT place, word FROM words ORDER BY place LIMIT ?", (MOST_WORDS,))
    db.executemany(_INSERT_SPELLING, ((place, keys_of_word(word)) for place, word in known))
    db.execute(OPTIMIZE.format("spellings"))
    # Last, since it takes the pages that optimizing the others has freed.
    db.execute(INDEX)
    db.execute(f"PRAGMA user_version = {VERSION}")
    db.execute("COMMIT")


def insert_name(db: sqlite3.Connection, place: int, name: str, folded: str) -> None:
    """Enter a name's words into the full-text index."""
    db.execute(_INSERT_NAME, (place, keys_of_name(name, folded)))


def insert_spelling(db: sqlite3.Connection, place: int, word: str) -> None:
    """Enter the spellings of a word into the full-text index."""
    db.execute(_INSERT_SPELLING, (place, keys_of_word(word)))


def listed_words(place: int, folded: str) -> Iterator[tuple[int, str]]:
    """Yield the words of a name that has a place, each with the place that the word gets from it."""
    return enumerate(words(folded)[:WORDS_OF_NAME], place * WORDS_OF_NAME)


def keys_of_name(name: str, folded: str) -> str:
    """The text of a name in the full-text index."""
    return " ".join(_keys_of_name(name, folded))


def keys_of_word(word: str) -> str:
    """The text of a word in the full-text index of spellings."""
    return " ".join(sorted({*_endings(word), *shortened(word)}))


def is_current(db: sqlite3.Connection) -> bool:
    """Return whether a snapshot's database has these tables as this program writes them."""
    return bool(db.execute("PRAGMA user_version").fetchone()[0] == VERSION)


def whole(listed: list[str]) -> str:
    """The key of a whole name, or of its beginning."""
    return WHOLE + "".join(listed)[:LONGEST_WORD]


def shortened(word: str, most: int = 2) -> set[str]:
    """The beginning of a word, as it is and with up to `most` letters left out; nothing of a number.

    One letter is left out of a short word: two typos make it a longer text, which then leaves out the other.
    """
    if len(word) < SHORTEST_TYPO - 1 or word.isdecimal():
        return set()
    stem = word[:STEM]
    left_out = range(min(most, 2 if len(word) >= SHORTEST_TWO_TYPOS else 1) + 1)
    return {"".join(kept) for out in left_out for kept in combinations(stem, len(stem) - out)}


def _keys_of_name(name: str, folded: str) -> Iterator[str]:
    listed = words(folded)
    yield whole(listed)
    yield from listed
    yield from numbers(listed)
    for letters in initials(name, folded):
        yield INITIALS + letters


def _endings(word: str) -> Iterator[str]:
    """The endings of a word that can be searched for: of three letters, or from a letter that is not of ASCII."""
    for start in range(1, len(word)):
        if len(word) - start >= 3 or not word[start].isascii():
            yield ENDING + word[start : start + ENDING_LENGTH]
