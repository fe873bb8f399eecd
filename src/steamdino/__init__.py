"""steam-dino: which game banners look alike, and how alike.

>>> import steamdino
>>> snapshot = steamdino.Snapshot.open("gallery")            # doctest: +SKIP
>>> for match in snapshot.similar("1091500", k=10):          # doctest: +SKIP
...     print(match.rank, match.name, round(match.similarity, 3))

Names are loaded when they are first used, so that ``import steamdino`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from steamdino.errors import SteamDinoError
    from steamdino.gallery import Gallery
    from steamdino.pipeline import add, build
    from steamdino.recipe import Recipe
    from steamdino.records import Match, Matches
    from steamdino.search import Snapshot

_HOMES = {
    "Gallery": "steamdino.gallery",
    "Match": "steamdino.records",
    "Matches": "steamdino.records",
    "Recipe": "steamdino.recipe",
    "Snapshot": "steamdino.search",
    "SteamDinoError": "steamdino.errors",
    "add": "steamdino.pipeline",
    "build": "steamdino.pipeline",
}

__all__ = [
    "Gallery",
    "Match",
    "Matches",
    "Recipe",
    "Snapshot",
    "SteamDinoError",
    "__version__",
    "add",
    "build",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'steamdino' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
