"""The folder of what can be fetched or made again: models, scaled pictures, snapshots of published galleries.

The folder may be unknown: services and containers run as users without a home folder.
"""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "STEAMDINO_CACHE"
ADVICE = f"set {VARIABLE} to a writable folder"


def cache_folder() -> Path | None:
    """Return ``$STEAMDINO_CACHE``, else the platform's cache folder; None if that needs an unknown home folder."""
    from platformdirs import user_cache_path

    try:
        if named := os.environ.get(VARIABLE):
            return Path(named).expanduser()
        return user_cache_path("steam-dino", appauthor=False, opinion=False).expanduser()
    except RuntimeError:  # no such user, or nothing says where this one is at home
        return None
