"""What the words of a text may stand for, as expressions of SQLite's full-text search, by their cost."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from functools import cached_property

from steamdino.index.name_folding import may_be_initials, number
from steamdino.index.name_index import INITIALS, whole
from steamdino.index.name_typos import containing, continued, similar

PART, TYPO, NOTHING = 1, 2, 3
"""The costs of an unfinished word or a part of one, of a letter or a space, and of a short word that means nothing."""

MOST_COST = 7
_FEW_WORDS, _MANY_WORDS = 4, 8
_SHORTEST_PIECE, _LONGEST_NEEDLESS = 2, 3


class Meanings:
    """The meanings of a text. What is dear to find is looked up only when its cost is asked for."""

    def __init__(self, db: sqlite3.Connection, listed: list[str]) -> None:
        """Prepare the meanings of a text's words, as `name_folding.words` splits it."""
        self._db = db
        self._words = listed

    def match(self, cost: int) -> str:
        """The expression that matches the names at a total cost; empty if there is none."""
        count = len(self._words)
        mistaken = 3 if count <= _FEW_WORDS else 2 if count <= _MANY_WORDS else 0
        found = [_all(parts) for parts in self._combined(count, cost, mistaken)]
        if cost == PART:
            found.append(f'"{whole(self._words)}"*')
        if cost == TYPO:
            found += self._divided
        return _any(found)

    def _combined(self, count: int, cost: int, mistaken: int) -> Iterator[list[str]]:
        """Yield what the first `count` words stand for at a total cost, if at most `mistaken` of them have any.

        The last of them is named once for each cost, since an unfinished word is dear to look up.
        """
        if count == 0:
            if cost == 0:
                yield []
            return
        for share in range(cost + 1 if mistaken else 1):
            meaning = self._meaning(count - 1, share)
            needless = share == NOTHING and self._needless(count - 1)
            if not meaning and not needless:
                continue
            others = list(self._combined(count - 1, cost - share, mistaken - (share > 0)))
            if needless:
                yield from others
            if meaning and [] in others:
                yield [meaning]
            elif meaning and others:
                yield [_any(map(_all, others)), meaning]

    def _meaning(self, place: int, cost: int) -> str:
        if cost == 0:
            return self._literal[place]
        if cost == PART:
            return self._parts[place]
        return self._misspelt[place].get(cost, "")

    def _needless(self, place: int) -> bool:
        return len(self._words[place]) <= _LONGEST_NEEDLESS < max(map(len, self._words))

    @cached_property
    def _literal(self) -> list[str]:
        return self._spelt(self._words)

    @cached_property
    def _parts(self) -> list[str]:
        last = len(self._words) - 1
        found = []
        for place, word in enumerate(self._words):
            alternatives = [f'"{other}"' for other in containing(self._db, word)]
            if place < last and len(word) >= _SHORTEST_PIECE:
                alternatives += continued(self._db, word)
            found.append(_any(alternatives))
        return found

    @cached_property
    def _misspelt(self) -> list[dict[int, str]]:
        return [
            {cost: _any(f'"{other}"' for other in others) for cost, others in similar(self._db, word).items()}
            for word in self._words
        ]

    def _spelt(self, listed: list[str]) -> list[str]:
        """What words stand for at no cost: themselves, the last one's continuations, numbers, initials."""
        found = []
        for place, word in enumerate(listed):
            unfinished = place == len(listed) - 1
            alternatives = continued(self._db, word) if unfinished else [f'"{word}"']
            if may_be_initials(word):
                alternatives.append(f'"{INITIALS}{word}"')
            if place and (digits := number(word)):
                alternatives.append(f'"{digits}"')
            found.append(_any(alternatives))
        return found

    @property
    def _divided(self) -> Iterator[str]:
        """The text with one space more. One space less needs no rule: a beginning and a part make a whole word."""
        for place, word in enumerate(self._words):
            before, after = self._words[:place], self._words[place + 1 :]
            cuts = [
                _all(self._spelt([*before, word[:cut], word[cut:], *after])[place : place + 2])
                for cut in range(_SHORTEST_PIECE, len(word))
                if len(word) - cut >= _SHORTEST_PIECE or word[cut:].isdecimal() or number(word[cut:])
            ]
            if cuts:
                yield _all([*self._literal[:place], _any(cuts), *self._literal[place + 1 :]])


def _any(alternatives: Iterable[str]) -> str:
    listed = list(alternatives)
    return f"({' OR '.join(listed)})" if len(listed) > 1 else "".join(listed)


def _all(parts: list[str]) -> str:
    return f"({' AND '.join(parts)})"
