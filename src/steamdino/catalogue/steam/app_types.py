"""The types of Steam's apps, and which of them each of the two lists of apps can contain."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AppType:
    """A type of apps.

    Attributes:
        code: the number in an app's details.
        name: the name in the column "type", and of `sync --include`.
        listed: the parameter that adds it to the list that needs a key; empty if there is none.
        queried: the filter that adds it to the list that needs no key; empty if there is none.
    """

    code: int
    name: str
    listed: str = ""
    queried: str = ""


GAME, OTHER = "game", "other"
"""The type of apps that are always requested, and the name of types that this version does not know."""

TYPES = (
    AppType(0, GAME, "include_games", "include_games"),
    AppType(1, "demo", "", "include_demos"),
    AppType(2, "mod", "", "include_mods"),
    AppType(3, "movie"),
    AppType(4, "dlc", "include_dlc", "include_dlc"),
    AppType(5, "guide"),
    AppType(6, "software", "include_software", "include_software"),
    AppType(7, "video", "include_videos", "include_video"),
    AppType(8, "series", "include_videos", "include_series"),
    AppType(9, "episode"),
    AppType(10, "hardware", "include_hardware", "include_hardware"),
    AppType(11, "music", "", "include_music"),
    AppType(12, "beta"),
    AppType(13, "tool"),
    AppType(14, "advertising"),
)
INCLUDABLE = tuple(one.name for one in TYPES if one.name != GAME)
"""The names of the types that may be requested besides games."""

_NAMES = {one.code: one.name for one in TYPES}


def name_of(code: int | None) -> str:
    """Return the name of a type. An app whose details have none is a game."""
    return GAME if code is None else _NAMES.get(code, OTHER)


def listed(include: Collection[str]) -> dict[str, bool]:
    """Return the parameters by which the list that needs a key has games and other types, and nothing else."""
    asked = _asked(include)
    parameters = dict.fromkeys((one.listed for one in TYPES if one.listed), False)
    return parameters | {one.listed: True for one in asked if one.listed}


def queried(include: Collection[str]) -> dict[str, bool]:
    """Return the filters by which the list that needs no key has games and other types."""
    return {one.queried: True for one in _asked(include) if one.queried}


def only_queried(include: Collection[str]) -> list[str]:
    """Return those of the types that only the list without a key can contain."""
    return [one.name for one in _asked(include) if one.queried and not one.listed]


def unlisted(include: Collection[str]) -> list[str]:
    """Return those of the types that neither list can be asked for."""
    return [one.name for one in _asked(include) if not one.queried and not one.listed]


def unrequested(include: Collection[str]) -> list[str]:
    """Return the types that a list of games and of other types lacks; `OTHER` is always one of them."""
    return [*(name for name in INCLUDABLE if name not in include), OTHER]


def _asked(include: Collection[str]) -> list[AppType]:
    return [one for one in TYPES if one.name == GAME or one.name in include]
