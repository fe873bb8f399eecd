"""Read the paths of an app's pictures, and refuse those that leave the servers' assets folder."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from steamdino.catalogue.steam.reply_fields import text

ROLES = {
    "vertical": ("library_capsule", "library_capsule_2x", "hero_capsule"),
    "header": ("header", "main_capsule", "small_capsule"),
    "hero": ("library_hero", "library_hero_2x"),
}
"""The assets that may serve as each kind of banner, best first."""


@dataclass(frozen=True, slots=True)
class Asset:
    """A picture of a game on Steam's servers.

    Attributes:
        role: which of the game's assets it is, such as "library_capsule".
        path: relative to the servers' assets folder, such as "steam/apps/730/library_600x900.jpg".
        query: the address's "t=..." after the path, which changes whenever the game changes; may be empty.
    """

    role: str
    path: str
    query: str


def assets(record: Mapping[str, Any]) -> tuple[dict[str, tuple[Asset, ...]], tuple[str, ...]]:
    """Read the "assets" of an app's details: by kind of banner, best first, and the roles whose paths are not safe."""
    pattern = text(record.get("asset_url_format"))
    found: dict[str, tuple[Asset, ...]] = {}
    unsafe = []
    for kind, roles in ROLES.items():
        kept = []
        for role in roles:
            name = text(record.get(role))
            if not pattern or not name:
                continue
            path, _, query = pattern.replace("${FILENAME}", name).partition("?")
            if is_safe(path, query):
                kept.append(Asset(role, path, query))
            else:
                unsafe.append(role)
        if kept:
            found[kind] = tuple(kept)
    return found, tuple(unsafe)


def is_safe(path: str, query: str) -> bool:
    """Return whether an asset's path stays in the assets folder, and its query has the expected form."""
    plain = unquote(path)
    return (
        re.fullmatch(r"[\w.~@%+() -]+(/[\w.~@%+() -]+)*", path, re.ASCII) is not None
        and not any(part.strip() in ("", ".", "..") for part in plain.split("/"))
        and "\\" not in plain
        and ":" not in plain
        and re.fullmatch(r"(t=\d{1,20})?", query, re.ASCII) is not None
    )
