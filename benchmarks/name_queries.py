"""Names of 184,000 games and what people type to find them, for the benchmark of name search."""

from __future__ import annotations

import json
import random
import unicodedata
from dataclasses import dataclass
from pathlib import Path

GAMES = 184_000
SUFFIXES = (" 2", ": Deluxe", " - {}", ": {} Edition", " {}")
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Catalogue:
    """The names, how often each was reviewed, and the real name that each was made of.

    Attributes:
        names: of all games.
        reviews: as many numbers.
        base: as many; games of equal base are equally good answers.
    """

    names: list[str]
    reviews: list[int]
    base: list[int]


@dataclass(frozen=True)
class Typed:
    """What was typed, and the row that was meant."""

    kind: str
    text: str
    meant: int


def catalogue(path: Path, games: int = GAMES, seed: int = 0) -> Catalogue:
    """Read a JSON list of names and repeat it with suffixes until there are enough.

    Copies of the same names would bring no new words, although a larger store has more of them. Three suffixes of five
    therefore have a word that is coined from the halves of two others: 184,000 names of 29,982 get some 100,000 words.
    """
    dice = random.Random(seed)
    real = json.loads(path.read_text("utf-8"))
    words = sorted({word for name in real for word in name.split() if word.isalpha() and 5 <= len(word) <= 9})
    names, reviews, base = [], [], []
    for row in range(games):
        copy, source = divmod(row, len(real))
        suffix = SUFFIXES[(copy + source) % len(SUFFIXES)] if copy else ""
        first, second = dice.choice(words), dice.choice(words)
        coined = first[: len(first) // 2 + 1] + second[len(second) // 2 :]
        names.append(real[source] + suffix.format(coined.title()))
        reviews.append(int(dice.lognormvariate(5 - copy, 2.2)))
        base.append(source)
    return Catalogue(names, reviews, base)


def typed(games: Catalogue, count: int, seed: int = 1) -> list[Typed]:
    """Make `count` queries of each kind that suits any name. Much reviewed games are typed more often."""
    dice = random.Random(seed)
    weights = [(one + 1) ** 0.5 for one in games.reviews]
    latin = [row for row, name in enumerate(games.names) if name.isascii() and len(name) >= 4]
    asian = [row for row, name in enumerate(games.names) if sum(map(_is_cjk, name)) >= 2]
    makers = {
        "typing": (latin, _unfinished),
        "words inside": (latin, _inside),
        "typo": (latin, lambda name, dice: _typo(_core(name), dice)),
        "typo while typing": (latin, _unfinished_typo),
        "two typos": ([row for row in latin if _long_words(games.names[row])], _two_typos),
        "spaces": ([row for row in latin if len(games.names[row].split()) >= 2], _spaces),
        "CJK": (asian, _cjk),
    }
    made = []
    for kind, (rows, make) in makers.items():
        if not rows:
            continue
        for row in dice.choices(rows, [weights[row] for row in rows], k=count):
            made.append(Typed(kind, make(games.names[row], dice), row))
    return made


def _core(name: str) -> str:
    """Return the first words of a name, as many as people type."""
    return " ".join(name.lower().split()[:3])


def _unfinished(name: str, dice: random.Random) -> str:
    core = name.lower()
    return core[: dice.randint(1, min(len(core), 12))]


def _inside(name: str, dice: random.Random) -> str:
    words = name.lower().split()
    start = dice.randrange(len(words))
    chosen = words[start : start + 2]
    return " ".join([*chosen[:-1], chosen[-1][: max(3, len(chosen[-1]) - 1)]])


def _unfinished_typo(name: str, dice: random.Random) -> str:
    core = name.lower()
    return _typo(core[: dice.randint(min(len(core), 5), min(len(core), 12))], dice)


def _two_typos(name: str, dice: random.Random) -> str:
    word = dice.choice(_long_words(name))
    middle = len(word) // 2
    return _typo(word[:middle], dice) + _typo(word[middle:], dice)


def _long_words(name: str) -> list[str]:
    return [word for word in name.lower().split() if len(word) >= 8 and word.isalpha()]


def _spaces(name: str, dice: random.Random) -> str:
    core = _core(name)
    if dice.random() < 0.5:
        words = core.split()
        place = dice.randrange(len(words) - 1)
        return " ".join([*words[:place], words[place] + words[place + 1], *words[place + 2 :]])
    place = dice.randint(2, max(2, len(core) - 2))
    return core[:place] + " " + core[place:]


def _cjk(name: str, dice: random.Random) -> str:
    letters = "".join(c if _is_cjk(c) else " " for c in name)
    run = dice.choice([run for run in letters.split() if run])
    start = dice.randrange(len(run))
    text = run[start : start + dice.randint(1, 4)]
    return unicodedata.normalize(dice.choice(["NFC", "NFD"]), text)


def _typo(text: str, dice: random.Random) -> str:
    """Delete, insert, replace or transpose one letter, seldom the first."""
    letters = [place for place, c in enumerate(text) if c.isalnum()]
    inner = letters[1:] if len(letters) > 1 and dice.random() < 0.9 else letters
    place = dice.choice(inner) if inner else 0
    kind = dice.choice(["delete", "insert", "replace", "transpose"])
    if kind == "delete" and len(text) > 1:
        return text[:place] + text[place + 1 :]
    if kind == "transpose" and place + 1 < len(text):
        return text[:place] + text[place + 1] + text[place] + text[place + 2 :]
    other = dice.choice(LETTERS)
    return text[:place] + other + text[place + (kind == "replace") :]


def _is_cjk(letter: str) -> bool:
    return "\u3040" <= letter <= "\u30ff" or "\u4e00" <= letter <= "\u9fff" or "\uac00" <= letter <= "\ud7a3"
