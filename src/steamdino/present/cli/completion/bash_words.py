"""Splits a line as bash does while it is being typed, and quotes what completes its last word."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SPECIAL = re.compile(r"([^\w@%+=:,./-])", re.ASCII)
_IN_DOUBLE_QUOTES = re.compile(r'([\\"$`])')
BREAKS = "=:"
"""Characters at which readline begins another word to complete, although the shell does not."""


@dataclass(frozen=True, slots=True)
class Line:
    """The words of a line that is being typed.

    Attributes:
        words: without quotes; the last one is being typed, and may be empty.
        quote: the quote that the last word is in: ``"``, ``'`` or nothing.
        kept: how many characters of the last word readline does not replace.
    """

    words: list[str]
    quote: str
    kept: int

    def quoted(self, value: str) -> str:
        """What readline takes for a value of the whole last word."""
        rest = value[self.kept :]
        if self.quote == '"':
            return _IN_DOUBLE_QUOTES.sub(r"\\\1", rest)
        if self.quote == "'":
            return rest.replace("'", "'\\''")
        # Letters of other scripts need no quotes.
        return _SPECIAL.sub(lambda found: found[1] if found[1].isalnum() else f"\\{found[1]}", rest)


def split(line: str) -> Line:
    """Split a line up to the cursor. Whatever was typed can be split: quotes need not be closed."""
    words, word, quote, started, kept = [], "", "", False, 0
    characters = iter(line)
    for character in characters:
        if quote == "'":
            quote, word = ("", word) if character == "'" else (quote, word + character)
        elif quote == '"':
            if character == "\\":
                following = next(characters, "")
                word += following if following in '\\"$`' else character + following
            elif character == '"':
                quote = ""
            else:
                word += character
        elif character.isspace():
            if started:
                words.append(word)
            word, started, kept = "", False, 0
            continue
        elif character in "\"'":
            quote = character
            kept = len(word)
        elif character == "\\":
            word += next(characters, "")
        else:
            word += character
            if character in BREAKS:
                kept = len(word)
        started = True
    return Line([*words, word], quote, kept)
