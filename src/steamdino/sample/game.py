"""One game of the fictional store, as its catalogue describes it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FictionalGame:
    """A game's metadata and the truth about its picture.

    `defect` is "" for an ordinary banner; otherwise one of "exact", "reencoded", "reskin", "mirrored",
    "greyscale", "cmyk", "blank", "large", "horizontal", "broken", "missing", "alpha", "palette", "rotated",
    "hostile-name".
    """

    id: str
    name: str
    theme: str
    franchise: str  # "" when it has none
    developer: str
    year: int
    tags: tuple[str, ...]
    duplicate_of: str  # id of the game whose picture this one copies in some way, else ""
    defect: str
    file: str  # relative to the store's folder, with "/"; "" when it has no banner
