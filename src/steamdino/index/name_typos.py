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

CANDIDATES, ALTERNATIVES = 1000, 32
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


def similar(db: sqlite3.Connection, word: str) -> dict[int, list[str]]:
    """Find the words that a misspelling may stand for.

    Args:
        db: the snapshot's database.
        word: as typed.

    Returns:
        the words by what they cost: twice their distance, which counts letters left out, added, replaced, or swapped
        with the next; one more for words that only begin with something similar; and one more for those with another
        first letter, in which typos are rare.
    """
    from rapidfuzz.distance import OSA

    most = _most(len(word))
    keys = shortened(word, most) if most else set()
    if not keys:
        return {}
    # What is shorter than the word by more than these letters begins too many words.
    begun = _most(len(word) - 1)
    shortest = min(len(word), STEM) - begun if begun else STEM
    stars = {key: "*" if shortest <= len(key) < STEM else "" for key in sorted(keys)}
    match = " OR ".join(f'"{key}"{star}' for key, star in stars.items())
    found: dict[int, list[str]] = {}
    for (other,) in db.execute(_SQL, (match, CANDIDATES)):
        distance = OSA.distance(word, other, score_cutoff=most)
        costs = [2 * distance] if distance <= most else []
        if begun and distance > 1:
            lengths = range(len(word) - begun, len(word) + begun + 1)
            distance = min(OSA.distance(word, other[:letters], score_cutoff=begun) for letters in lengths)
            costs += [2 * distance + 1] if distance <= begun else []
        if costs and distance > 0:
            alike = found.setdefault(min(costs) + (word[0] != other[0]), [])
            if len(alike) < ALTERNATIVES:
                alike.append(other)
    return found


def _most(letters: int) -> int:
    """How many typos a word with so many letters may have."""
    return (letters >= SHORTEST_TYPO) + (letters >= SHORTEST_TWO_TYPOS)
