"""Finds games by what people type: exact names first, then prefixes, words, and names with typos."""

from __future__ import annotations

import sqlite3
import unicodedata
from collections.abc import Iterable

TYPO_CUTOFF = 72
"""Lowest ratio of RapidFuzz (0 to 100) at which a name counts as the query with typos."""

_CANDIDATES = 200


def fold(name: str) -> str:
    """Normalise a name for comparison: lower case, without accents, punctuation as single spaces.

    ``fold("Pokémon™: Éclair—2")`` is ``"pokemon eclair 2"``. A name without letters and digits folds to itself,
    lower-cased.
    """
    name = name.replace("\0", "")  # it would end a query of the full-text index
    decomposed = unicodedata.normalize("NFKD", name.replace("™", "").replace("®", "")).casefold()
    plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    # Apostrophes are dropped ("Baldur's" is typed as "baldurs"); any other punctuation separates words.
    plain = plain.replace("'", "").replace("’", "")
    return " ".join("".join(c if c.isalnum() else " " for c in plain).split()) or name.casefold().strip()


SCHEMA = """
CREATE INDEX games_by_folded ON games (folded);
CREATE VIRTUAL TABLE trigrams USING fts5 (folded, content='games', content_rowid='row', tokenize='trigram');
INSERT INTO trigrams (trigrams) VALUES ('rebuild');
"""
"""To be run when the table ``games (row, name, folded, ...)`` is filled."""


def find(connection: sqlite3.Connection, query: str, limit: int = 10) -> list[int]:
    """Find the rows whose names match a query, best first.

    These are tried in turn, until one finds something: the exact name; the folded name, with or without "The"; names
    that begin with it; names with all its words, the last of which may be unfinished; names that contain it inside a
    word; names with typos.
    """
    folded = fold(query)
    if not folded:
        return []
    for step in (_exact, _folded, _prefix, _words, _inside, _typos):
        if rows := step(connection, query, folded, limit):
            return rows
    return []


def suggest(connection: sqlite3.Connection, query: str, limit: int = 10) -> list[int]:
    """Find the rows whose names match what is being typed: like `find`, but with the results of every step in turn.

    Names that begin with it are ordered by their number of reviews, so that the likeliest one is on top. Names with
    typos are added only if there are no others.
    """
    folded = fold(query)
    found: dict[int, None] = {}
    for step in (_exact, _folded, _popular_prefix, _words, _inside, _typos) if folded else ():
        if step is _typos and found:
            break
        found.update(dict.fromkeys(step(connection, query, folded, limit)))
        if len(found) >= limit:
            break
    return list(found)[:limit]


def find_exact(connection: sqlite3.Connection, query: str, limit: int = 10) -> list[int]:
    """Find the rows whose name equals the query, literally or folded."""
    return _exact(connection, query, "", limit) or _folded(connection, query, fold(query), limit)


def _exact(connection: sqlite3.Connection, query: str, _: str, limit: int) -> list[int]:
    # Through the index on folded names, since there is none on names.
    sql = "SELECT row FROM games WHERE folded = ? AND name = ? ORDER BY row LIMIT ?"
    return _rows(connection.execute(sql, (fold(query), query, limit)))


def _folded(connection: sqlite3.Connection, _: str, folded: str, limit: int) -> list[int]:
    sql = "SELECT row FROM games WHERE folded IN (?, ?) ORDER BY folded != ?, row LIMIT ?"
    return _rows(connection.execute(sql, (folded, f"the {folded}", folded, limit)))


def _prefix(connection: sqlite3.Connection, _: str, folded: str, limit: int) -> list[int]:
    sql = (
        "SELECT row FROM games WHERE folded >= ? AND folded < ? ORDER BY length(folded), folded, row LIMIT ?"
    )
    return _rows(connection.execute(sql, (folded, folded + "\U0010ffff", limit)))


def _popular_prefix(connection: sqlite3.Connection, query: str, folded: str, limit: int) -> list[int]:
    sql = (
        "SELECT games.row FROM games LEFT JOIN facets ON facets.row = games.row WHERE folded >= ? AND folded < ?"
        " ORDER BY coalesce(reviews, 0) DESC, length(folded), folded, games.row LIMIT ?"
    )
    try:
        return _rows(connection.execute(sql, (folded, folded + "\U0010ffff", limit)))
    except sqlite3.OperationalError:  # an older program built the snapshot, without facets
        return _prefix(connection, query, folded, limit)


def _words(connection: sqlite3.Connection, _: str, folded: str, limit: int) -> list[int]:
    words = folded.split()
    *whole, last = words

    def fits(name: str) -> bool:
        theirs = name.split()
        return all(word in theirs for word in whole) and any(word.startswith(last) for word in theirs)

    candidates = _containing(connection, [word for word in words if len(word) >= 3])
    return [row for row, name in candidates if fits(name)][:limit]


def _inside(connection: sqlite3.Connection, _: str, folded: str, limit: int) -> list[int]:
    return [row for row, _ in _containing(connection, [folded] if len(folded) >= 3 else [])][:limit]


def _typos(connection: sqlite3.Connection, _: str, folded: str, limit: int) -> list[int]:
    from rapidfuzz import fuzz, process

    trigrams = sorted({folded[i : i + 3] for i in range(len(folded) - 2)})[:100]
    if not trigrams:
        return []
    candidates = dict(
        connection.execute(
            "SELECT rowid, folded FROM trigrams WHERE trigrams MATCH ? ORDER BY rank, rowid LIMIT ?",
            (" OR ".join(map(_quoted, trigrams)), _CANDIDATES),
        )
    )
    found = process.extract(folded, candidates, scorer=fuzz.ratio, score_cutoff=TYPO_CUTOFF, limit=limit)
    return [row for _, _, row in found]


def _containing(connection: sqlite3.Connection, parts: list[str]) -> list[tuple[int, str]]:
    if not parts:
        return []
    sql = "SELECT rowid, folded FROM trigrams WHERE trigrams MATCH ? ORDER BY length(folded), folded, rowid"
    return connection.execute(sql, (" AND ".join(map(_quoted, parts)),)).fetchall()


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _rows(cursor: Iterable[tuple[int]]) -> list[int]:
    return [row for (row,) in cursor]
