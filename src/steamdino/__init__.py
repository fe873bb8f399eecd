"""Visual search for game banners: which banners look alike, and how alike.

>>> import steamdino
>>> snapshot = steamdino.Snapshot.open("gallery")            # doctest: +SKIP
>>> for match in snapshot.similar("1091500", k=10):          # doctest: +SKIP
...     print(match.rank, match.name, round(match.similarity, 3))

Names are loaded on first use, so that ``import steamdino`` takes almost no time.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from steamdino.version import __version__

if TYPE_CHECKING:
    from steamdino.analysis.audit import Auditor
    from steamdino.analysis.explain import Explainer
    from steamdino.analysis.unique import diverse, unique
    from steamdino.errors import SteamDinoError
    from steamdino.gallery import Gallery
    from steamdino.pipeline import add, build
    from steamdino.pipeline.check import check
    from steamdino.pipeline.duplicate_search import duplicates
    from steamdino.pipeline.evaluate import evaluate
    from steamdino.pipeline.scored_pairs import duplicate_pairs
    from steamdino.pipeline.sync import sync
    from steamdino.pipeline.sync.sync_request import SyncRequest
    from steamdino.recipe import Recipe
    from steamdino.records import Filter, Match, Matches
    from steamdino.search import Snapshot
    from steamdino.settings import SteamSettings
    from steamdino.thresholds import DuplicateThresholds, Thresholds

_HOMES = {
    "Auditor": "steamdino.analysis.audit",
    "DuplicateThresholds": "steamdino.thresholds",
    "Explainer": "steamdino.analysis.explain",
    "Filter": "steamdino.records",
    "Gallery": "steamdino.gallery",
    "Match": "steamdino.records",
    "Matches": "steamdino.records",
    "Recipe": "steamdino.recipe",
    "Snapshot": "steamdino.search",
    "SteamDinoError": "steamdino.errors",
    "SteamSettings": "steamdino.settings",
    "SyncRequest": "steamdino.pipeline.sync.sync_request",
    "Thresholds": "steamdino.thresholds",
    "add": "steamdino.pipeline",
    "build": "steamdino.pipeline",
    "check": "steamdino.pipeline.check",
    "diverse": "steamdino.analysis.unique",
    "duplicate_pairs": "steamdino.pipeline.scored_pairs",
    "duplicates": "steamdino.pipeline.duplicate_search",
    "evaluate": "steamdino.pipeline.evaluate",
    "sync": "steamdino.pipeline.sync",
    "unique": "steamdino.analysis.unique",
}

__all__ = [
    "Auditor",
    "DuplicateThresholds",
    "Explainer",
    "Filter",
    "Gallery",
    "Match",
    "Matches",
    "Recipe",
    "Snapshot",
    "SteamDinoError",
    "SteamSettings",
    "SyncRequest",
    "Thresholds",
    "__version__",
    "add",
    "build",
    "check",
    "diverse",
    "duplicate_pairs",
    "duplicates",
    "evaluate",
    "sync",
    "unique",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'steamdino' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


# In a notebook, results display themselves. Whoever can display them registers under an entry point, so that this
# module imports nothing that presents; outside a notebook, IPython is not even looked for.
if "IPython" in sys.modules and (_shell := sys.modules["IPython"].get_ipython()) is not None:
    from importlib.metadata import entry_points

    for _display in entry_points(group="steamdino.notebook"):
        _display.load()(_shell)
