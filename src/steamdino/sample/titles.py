"""The games of each theme: their names and franchises."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from random import Random
from zlib import crc32

from steamdino.sample.words import WORDS

_ARABIC = {"II": "2", "III": "3", "IV": "4", "V": "5"}


@dataclass(frozen=True, slots=True)
class TitlePart:
    """One ordinary game: its name, the franchise it belongs to ("" for none) and its place there, from 0."""

    name: str
    franchise: str
    number: int


def entries(theme: str, singles: int) -> list[TitlePart]:
    """Return a theme's games: those of its franchises, then `singles` others; always the same."""
    words, rng = WORDS[theme], Random(crc32(theme.encode()))
    found = []
    for index, franchise in enumerate(words.franchises):
        subtitles = list(words.subtitles)
        rng.shuffle(subtitles)
        found += [
            TitlePart(name, franchise, number)
            for number, name in enumerate(
                _sequels(franchise, 2 + (index + rng.randrange(2)) % 3, subtitles, rng)
            )
        ]
    names = list(words.coined)
    heads, tails = list(words.heads), list(words.tails)
    rng.shuffle(heads)
    rng.shuffle(tails)
    turn = 0
    while len(names) < singles:
        # Each round pairs every head with another tail, so that no word is used too often.
        for index, head in enumerate(heads):
            tail = tails[(index + turn) % len(tails)]
            names.append(f"The {head} {tail}" if rng.random() < 0.25 else f"{head} {tail}")
        turn += 1
    return found + [TitlePart(name, "", 0) for name in names[:singles]]


def slug(name: str) -> str:
    """Return a name as a lower-case ASCII id that is safe as a file name ("Iron Tide II" is "iron-tide-2")."""
    words = [_ARABIC.get(word, word) for word in name.split()]
    plain = unicodedata.normalize("NFKD", " ".join(words)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def _sequels(franchise: str, count: int, subtitles: list[str], rng: Random) -> list[str]:
    names = [franchise]
    numeral = iter(("II", "III", "IV"))
    for index in range(1, count):
        plain = (index == 1 and rng.random() < 0.6) or (index == 2 and rng.random() < 0.4)
        names.append(f"{franchise} {next(numeral)}" if plain else f"{franchise}: {subtitles[index]}")
    return names
