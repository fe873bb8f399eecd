"""Finds the words that a part of a word or a misspelling may stand for."""

from __future__ import annotations

import sqlite3

from steamdino.index.name_index import (
    ENDING,
    ENDING_LENGTH,
    PREFIXES,
    SHORTEST_TWO_TYPOS,
    SHORTEST_TYPO,
    STEM,
    shortened,
)

CANDIDATES, ALTERNATIVES = 2000, 64
"""Words that are compared with a misspelling, and words that it may stand for: those of the most reviewed games."""

_SQL = (
    "SELECT word FROM words WHERE place IN"
    " (SELECT rowid FROM spellings WHERE spellings MATCH ? ORDER BY rowid LIMIT ?) ORDER BY place"
)


def continued(db: sqlite3.Connection, beginning: str) -> list[str]:
    """Express the words with a beginning for the full-text search.

    The index has the names of short beginnings in their order. It would sort those of a longer one before it returned
    the first; those of single words it merges as they are needed.
    """
    if len(beginning) > PREFIXES:
        sql = "SELECT word FROM words WHERE word >= ? AND word < ? LIMIT ?"
        found = db.execute(sql, (beginning, beginning + "\U0010ffff", ALTERNATIVES + 1)).fetchall()
        if len(found) <= ALTERNATIVES:
            return [f'"{word}"' for (word,) in found] or [f'"{beginning}"']
    return [f'"{beginning}"*']


def containing(db: sqlite3.Connection, part: str) -> list[str]:
    """Find the words that contain a part after their first letter; none if it is one or two ASCII letters."""
    if len(part) < 3 and part.isascii():
        return []
    key = f'"{ENDING}{part[:ENDING_LENGTH]}"*'
    return [word for (word,) in db.execute(_SQL, (key, CANDIDATES)) if part in word][:ALTERNATIVES]


def similar(db: sqlite3.Connection, word: str, *, unfinished: bool) -> dict[int, list[str]]:
    """Find the words that a misspelling may stand for.

    Args:
        db: the snapshot's database.
        word: as typed.
        unfinished: whether it may be the beginning of a word.

    Returns:
        the words by their distance, which counts letters left out, added, replaced or swapped with the next. Twice the
        distance is the key of whole words; of those that only begin with something similar, it is one more.
    """
    from rapidfuzz.distance import OSA

    most = (len(word) >= SHORTEST_TYPO) + (len(word) >= SHORTEST_TWO_TYPOS)
    keys = shortened(word, most) if most and not word.isdecimal() else set()
    if not keys:
        return {}
    # Four letters with a typo begin too many words.
    begins = unfinished and len(word) > SHORTEST_TYPO
    star = "*" if begins else ""
    match = " OR ".join(f'"{key}"{star if len(key) < STEM else ""}' for key in sorted(keys))
    found: dict[int, list[str]] = {}
    for (other,) in db.execute(_SQL, (match, CANDIDATES)):
        distance = OSA.distance(word, other, score_cutoff=most)
        cost = 2 * distance
        if distance > most and begins:
            lengths = range(max(1, len(word) - most), min(len(other) - 1, len(word) + most) + 1)
            distance = min(
                (OSA.distance(word, other[:length], score_cutoff=most) for length in lengths),
                default=most + 1,
            )
            cost = 2 * distance + 1
        if 0 < distance <= most:
            alike = found.setdefault(cost, [])
            if len(alike) < ALTERNATIVES:
                alike.append(other)
    return found
