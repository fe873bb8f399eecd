"""Normalises names for comparison, and splits them into the words by which they are found."""

from __future__ import annotations

import re
import unicodedata
from itertools import product

LONGEST_WORD = 40
"""Letters of a word that are indexed and compared."""

_TENS, _ONES = ("", "x"), ("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix")
_NUMBERS = {ten + one: str(n) for n, (ten, one) in enumerate(product(_TENS, _ONES)) if n} | {"xx": "20"}
_FEWEST_WORDS, _LONGEST_INITIALS = 3, 8
_SUBTITLE = re.compile(r":|\(| [-\u2013\u2014~|/] ")
_HIRAGANA = {katakana: katakana - 0x60 for katakana in range(0x30A1, 0x30F7)}
_ASCII = {code: chr(code).lower() if chr(code).isalnum() else " " for code in range(0x80)} | dict.fromkeys(
    b"'\0"
)
_SYMBOLS = {
    code: 0xE100 + code for code in range(0x80) if not chr(code).isalnum() and not chr(code).isspace()
}
_SPELT = _HIRAGANA | _SYMBOLS


def fold(name: str) -> str:
    """Normalise a name for comparison: lower case, without accents, punctuation as single spaces.

    ``fold("Pokémon™: Éclair—2")`` is ``"pokemon eclair 2"``. A name without letters and digits folds to itself,
    lower-cased.
    """
    if name.isascii():  # most are, and this takes a fifth of the time
        return " ".join(name.translate(_ASCII).split()) or name.replace("\0", "").lower().strip()
    name = name.replace("\0", "")  # it would end a query of the full-text index
    decomposed = unicodedata.normalize("NFKD", name.replace("™", "").replace("®", "")).casefold()
    plain = "".join(c for c in decomposed if not unicodedata.combining(c))
    # Apostrophes are dropped ("Baldur's" is typed as "baldurs"); any other punctuation separates words.
    plain = plain.replace("'", "").replace("’", "")
    return " ".join("".join(c if c.isalnum() else " " for c in plain).split()) or name.casefold().strip()


def words(folded: str) -> list[str]:
    """Split a folded name into the words by which it is indexed and found.

    Katakana becomes hiragana, since people type that first. The ASCII symbols of a name that has nothing else become
    characters of Unicode's private use area, which the full-text index takes for letters.
    """
    return [word[:LONGEST_WORD] for word in folded.translate(_SPELT).split()]


def number(word: str) -> str | None:
    """The digits of a Roman numeral from I to XX; None for any other word."""
    return _NUMBERS.get(word)


def numbers(listed: list[str]) -> list[str]:
    """The digits of the Roman numerals among a name's words, except its first word."""
    return [digits for word in listed[1:] if (digits := number(word))]


def initials(name: str, folded: str) -> list[str]:
    """The initials of a name with three words or more: of the name, its title and its subtitle.

    They end before the first number, with it, and with the name. A number is part of them in digits and as it is
    written: "Grand Theft Auto V" has "gta", "gta5" and "gtav", and "Left 4 Dead 2" has "l4d2".
    """
    listed = words(folded)
    if len(listed) < _FEWEST_WORDS:
        return []
    parts = _SUBTITLE.split(name, maxsplit=1)
    found = _initials(listed)
    if len(parts) > 1:
        found.update(*(_initials(words(fold(part))) for part in parts))
    return sorted(letters for letters in found if may_be_initials(letters))


def may_be_initials(word: str) -> bool:
    """Whether a word is as long as initials are."""
    return 2 <= len(word) <= _LONGEST_INITIALS


def _initials(listed: list[str]) -> set[str]:
    found: set[str] = set()
    in_digits = as_written = ""
    for place, word in enumerate(listed):
        digits = word if word.isdecimal() else number(word) if place else None
        if digits and not found:
            found = {in_digits, in_digits + digits, as_written + word}
        in_digits += digits or word[0]
        as_written += word if digits else word[0]
    return found | {in_digits, as_written}
