"""Which of several copies of a picture is kept, and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Self

from steamdino.errors import UsageError
from steamdino.gallery.curation import Original

USUAL = ("lossless", "resolution", "bytes")
"""What decides unless rules are given, and after them."""

PATH = "path:"
"""Begins a rule that prefers files whose path matches the pattern after it."""

CHOSEN, FIRST = "you chose to keep it", "its id comes first"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A picture that may be kept.

    Attributes:
        original: its file.
        path: the file's path, or the address at a store.
        lossless: whether the file keeps all colours.
        chosen: whether a person decided to keep the game.
    """

    original: Original
    path: str
    lossless: bool
    chosen: bool


Rule = tuple[str, Callable[[Candidate], object]]
"""Why a picture is kept by the rule, and a sort key: the picture with the lowest is kept."""

_RULES: dict[str, Rule] = {
    "lossless": ("its file is lossless", lambda one: not one.lossless),
    "resolution": ("it has the most pixels", lambda one: -one.original.width * one.original.height),
    "bytes": ("its file has the most bytes", lambda one: -one.original.size),
    "oldest": ("its file is the oldest", lambda one: one.original.mtime_ns),
    "newest": ("its file is the newest", lambda one: -one.original.mtime_ns),
    "source": ("its source was added first", lambda one: one.original.source),
}
RULES = tuple(_RULES)


@dataclass(frozen=True, slots=True)
class KeepRules:
    """Rules by which a picture is kept, the most important first."""

    rules: tuple[str, ...] = ()

    @classmethod
    def parse(cls, texts: Sequence[str]) -> Self:
        """Read rules.

        Raises:
            UsageError: there is no such rule.
        """
        for text in texts:
            if text not in RULES and (not text.startswith(PATH) or text == PATH):
                raise UsageError(
                    f"there is no rule {text!r} by which a picture is kept; choose from: {', '.join(RULES)},"
                    f" {PATH}PATTERN"
                )
        return cls(tuple(dict.fromkeys(texts)))

    def rank(self, one: Candidate) -> tuple[object, ...]:
        """Return a sort key: of several pictures, the one with the lowest is kept."""
        key = one.original.game_id
        return (not one.chosen, *(rule(one) for _, rule in _ordered(self.rules)), len(key), key)

    def reason(self, best: Candidate, other: Candidate) -> str:
        """Return why the first of two pictures is kept rather than the second."""
        if best.chosen and not other.chosen:
            return CHOSEN
        return next((why for why, rule in _ordered(self.rules) if rule(best) != rule(other)), FIRST)


AS_USUAL = KeepRules()


@lru_cache
def _ordered(rules: tuple[str, ...]) -> list[Rule]:
    return [_rule(name) for name in dict.fromkeys((*rules, *USUAL))]


def _rule(name: str) -> Rule:
    if name.startswith(PATH):
        pattern = name.removeprefix(PATH)
        return f"its path matches {pattern}", lambda one: not fnmatchcase(one.path, pattern)
    return _RULES[name]
