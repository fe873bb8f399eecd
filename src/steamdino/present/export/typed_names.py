"""Folds names as the script of the exported pages does, so that what is typed there finds them.

`names.js` holds the same function. A browser knows no combining classes and no casefolding, so this is not the
folding of the command line (`index.name_folding`).
"""

from __future__ import annotations

import unicodedata

from steamdino.index.name_folding import fold as fold_ascii

_APOSTROPHES = str.maketrans("", "", "'\u2019")
_MARKS_OF_TRADE = str.maketrans("", "", "™®")
_SPACES = "\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(
    map(chr, range(0x2000, 0x200B))
)
"""What a script trims."""
_SPELT = str.maketrans({"ß": "ss", "ς": "σ"})


def fold(name: str) -> str:
    """Normalise a name: lower case, without accents, punctuation as single spaces.

    A name without letters and digits folds to itself, lower-cased.
    """
    if name.isascii() and name.isprintable():  # most are, and this takes a tenth of the time
        return fold_ascii(name)
    name = name.replace("\0", "")
    decomposed = unicodedata.normalize("NFKD", name.translate(_MARKS_OF_TRADE))
    plain = "".join(c for c in decomposed if unicodedata.category(c)[0] != "M").lower()
    plain = plain.translate(_SPELT).translate(_APOSTROPHES)
    words = "".join(c if unicodedata.category(c)[0] in "LN" else " " for c in plain).split()
    return " ".join(words) or name.lower().strip(_SPACES)
