"""An index of names in small files, for pages that search without a server; `names.js` reads it.

Each name is indexed by the text from each of its words on: "The Witcher 3" by "the witcher 3", "witcher 3" and "3", and
by its id. These texts are sorted and cut into pages of `PAGE` bytes, so no file is larger however many names begin
alike. The directory holds the text at which each page starts. Where so many texts begin alike that their pages are not
worth loading, the best games for that beginning are listed apart.

A word with a typo still begins or ends as it should, so all words are listed by their beginnings and, spelt backwards,
by their ends. Ids are listed as well: an address that names a game by its id stays right when places change.

::

    directory            {"names": [where each page starts], "best": [the same for the lists of the best], ...}
    pages/<n>/<m>        [[place, reviews, name, folded name or 0, id], ...]
    best/<n>/<m>         [[beginning, [as in a page, ...]], ...]
    ids/<n>/<m>          [[id, place], ...]
    words/<n>/<m>        [word, ...]
    ends/<n>/<m>         [word, ...], in the order of the words spelt backwards
"""

from __future__ import annotations

import json
import sqlite3
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from steamdino.present.export.typed_names import fold

PAGE = 40_000
"""Bytes of a file at most, unless a single entry is larger."""

ID_PAGE = 8_000
"""Bytes of a file of ids at most: each game's page needs one."""

CORRECTED = 4
"""Letters of a word at least for its typos to be corrected; `names.js` has the same number."""

FOLDER = 1000
"""Files in a folder at most."""

FEW_PAGES = 2
"""Pages that a browser loads at most for what is typed; `names.js` has the same number."""

SHOWN = 10
"""Games that are shown at most for what is typed; `names.js` has the same number."""

LONGEST = 64
"""Characters of a text by which names are sorted."""

Save = Callable[[str, str], None]
"""Writes one file: called with its place, without a suffix, and its content, JSON."""

_SCHEMA = """
    PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
    CREATE TABLE entries (place INTEGER PRIMARY KEY, reviews INTEGER, entry TEXT, folded TEXT, id TEXT);
    CREATE TABLE texts (text BLOB, place INTEGER);
    CREATE TABLE ids (text BLOB, entry TEXT);
    CREATE TABLE words (text BLOB PRIMARY KEY) WITHOUT ROWID;
"""


class NamePages:
    """Collects names in a database on disk, and writes the pages."""

    def __init__(self, database: Path, *, page: int | None = None) -> None:
        """Begin with no names.

        Args:
            database: a temporary file; it is replaced.
            page: bytes of a page at most; None for `PAGE`.
        """
        database.unlink(missing_ok=True)
        self._db = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
        weakref.finalize(self, self._db.close)  # by any thread, if writing does not get so far
        self._db.executescript(_SCHEMA)
        self._page = page or PAGE

    def add(self, games: Iterable[tuple[int, str, str, int]]) -> None:
        """Add games: (place, name, id, reviews), each place once. A place is what the page opens a game by."""
        entries, texts, ids = [], [], []
        words: set[str] = set()
        for place, name, game_id, reviews in games:
            folded, own = fold(name), fold(game_id)
            spelt = 0 if name.isascii() and name.lower() == folded else folded
            entry = _compact([place, reviews, name, spelt, game_id])
            entries.append((place, reviews, entry, folded, own))
            texts += [(text, place) for text in {*_texts(folded), *_texts(own)}]
            ids.append((_encoded(game_id), _compact([game_id, place])))
            words.update(word for word in folded.split(" ") if CORRECTED <= len(word) <= LONGEST)
        self._db.execute("BEGIN")
        self._db.executemany("INSERT INTO entries VALUES (?, ?, ?, ?, ?)", entries)
        self._db.executemany("INSERT INTO texts VALUES (?, ?)", texts)
        self._db.executemany("INSERT INTO ids VALUES (?, ?)", ids)
        self._db.executemany("INSERT OR IGNORE INTO words VALUES (?)", [(_encoded(word),) for word in words])
        self._db.execute("COMMIT")

    def write(self, save: Save) -> None:
        """Write all files, and close the database."""
        names = _Pages("pages", self._page, save)
        for text, place, entry in self._db.execute(
            "SELECT text, place, entry FROM texts JOIN entries USING (place) ORDER BY text, place"
        ):
            names.add(text, entry, place)
        names.flush()
        best = _Pages("best", self._page, save)
        for prefix, entries in self._best(_wide(names.starts)):
            best.add(_encoded(prefix), f"[{_compact(prefix)},[{','.join(entries)}]]", prefix)
        best.flush()
        ids = _Pages("ids", min(self._page, ID_PAGE), save)
        for text, entry in self._db.execute("SELECT text, entry FROM ids ORDER BY text"):
            ids.add(text, entry, text)
        ids.flush()
        words, ends = self._words(save)
        self._db.close()
        pages = {"names": names, "best": best, "ids": ids, "words": words, "ends": ends}
        save("directory", _compact({name: list(map(_decoded, one.starts)) for name, one in pages.items()}))

    def _words(self, save: Save) -> tuple[_Pages, _Pages]:
        """Write all words, by their beginnings and by their ends."""
        self._db.create_function(
            "backwards", 1, lambda text: _encoded(_decoded(text)[::-1]), deterministic=True
        )
        words, ends = _Pages("words", self._page, save), _Pages("ends", self._page, save)
        for (text,) in self._db.execute("SELECT text FROM words ORDER BY text"):
            words.add(text, _compact(_decoded(text)), text)
        for (text,) in self._db.execute("SELECT backwards(text) AS end FROM words ORDER BY end"):
            ends.add(text, _compact(_decoded(text)[::-1]), text)
        words.flush()
        ends.flush()
        return words, ends

    def _best(self, wide: set[str]) -> Iterator[tuple[str, list[str]]]:
        """The games to show for each of some beginnings, in their order: the id, begins with it, has such a word."""
        kinds: dict[str, tuple[list[str], list[str], list[str]]] = {prefix: ([], [], []) for prefix in wide}
        for text, entry, folded, own in self._db.execute(
            "SELECT text, entry, folded, id FROM texts JOIN entries USING (place) ORDER BY reviews DESC, place"
        ):
            decoded = _decoded(text)
            for length in range(1, len(decoded) + 1):
                prefix = decoded[:length]
                if prefix not in wide:
                    break  # no longer one is, either
                kind = 0 if own == prefix else 1 if folded.startswith(prefix) else 2
                listed = kinds[prefix][kind]
                # A name may have several such words, and a text may be of the id only.
                if len(listed) < SHOWN and entry not in listed and (kind < 2 or _has_word(folded, prefix)):
                    listed.append(entry)
        for prefix in sorted(wide, key=_encoded):
            yield prefix, [entry for kind in kinds[prefix] for entry in kind]


class _Pages:
    """Cuts sorted entries into files.

    Attributes:
        starts: of each page, a text that is above all texts before it and not above its own.
    """

    def __init__(self, folder: str, size: int, save: Save) -> None:
        self.starts: list[bytes] = []
        self._folder, self._size, self._save = folder, size, save
        self._entries: list[str] = []
        self._has: set[Any] = set()
        self._bytes = 2  # the brackets
        self._last = b""

    def add(self, text: bytes, entry: str, what: Any) -> None:
        """Add an entry, unless the page has `what` already."""
        length = len(entry.encode()) + 1
        if self._entries and self._bytes + length > self._size:
            self.flush()
        if not self._entries:
            self.starts.append(_between(self._last, text))
        if what not in self._has:
            self._entries.append(entry)
            self._has.add(what)
            self._bytes += length
        self._last = text

    def flush(self) -> None:
        """Write the page that is being filled."""
        if not self._entries:
            return
        number = len(self.starts) - 1
        self._save(f"{self._folder}/{number // FOLDER}/{number}", f"[{','.join(self._entries)}]")
        self._entries, self._has, self._bytes = [], set(), 2


def _wide(starts: list[bytes]) -> set[str]:
    """The beginnings whose texts lie on more pages than a browser loads."""
    counts: Counter[str] = Counter()
    for start in map(_decoded, starts):
        counts.update(start[:length] for length in range(1, len(start) + 1))
    return {prefix for prefix, count in counts.items() if count >= FEW_PAGES}


def _texts(folded: str) -> Iterator[bytes]:
    words = folded.split(" ")
    for number in range(len(words)):
        yield _encoded(" ".join(words[number:])[:LONGEST])


def _has_word(folded: str, prefix: str) -> bool:
    return folded.startswith(prefix) or f" {prefix}" in folded


def _between(last: bytes, text: bytes) -> bytes:
    """The shortest beginning of a text that is above the text before; the text itself if they are equal."""
    for end in range(2, len(text), 2):
        if text[:end] > last and not 0xD8 <= text[end - 2] <= 0xDB:  # never half of a surrogate pair
            return text[:end]
    return text


def _encoded(text: str) -> bytes:
    # Browsers compare texts by UTF-16 code units.
    return text.encode("utf-16-be")


def _decoded(text: bytes) -> str:
    return text.decode("utf-16-be")


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
