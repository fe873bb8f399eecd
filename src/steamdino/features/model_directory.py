"""Where what was pulled, exported or trained is kept on this machine.

A machine may know no such place: services and containers run as users without a home folder. Whatever only reads then
goes on with what the package brings.
"""

from __future__ import annotations

import os
from pathlib import Path

from steamdino.errors import ModelError

VARIABLE = "STEAMDINO_CACHE"
ADVICE = f"set {VARIABLE} to a folder that can be written"


def cache_folder() -> Path | None:
    """Return ``$STEAMDINO_CACHE``, else the platform's cache folder; None if that needs an unknown home folder."""
    from platformdirs import user_cache_path

    try:
        if named := os.environ.get(VARIABLE):
            return Path(named).expanduser()
        return user_cache_path("steam-dino", appauthor=False, opinion=False).expanduser()
    except RuntimeError:  # no such user, or nothing says where this one is at home
        return None


def models_folder() -> Path | None:
    """The folder of all models, one folder each, whether or not it exists; None if it is not known."""
    cache = cache_folder()
    return cache and cache / "models"


def kept(pattern: str) -> list[Path]:
    """The files below the folder of all models that match a pattern; none where that may not be read."""
    folder = models_folder()
    try:
        return sorted(folder.glob(pattern)) if folder else []
    except OSError:  # another user's home
        return []


def needed_models_folder() -> Path:
    """The same, for what must be kept.

    Raises:
        ModelError: it is not known.
    """
    folder = models_folder()
    if folder is None:
        named = os.environ.get(VARIABLE)
        why = f"{VARIABLE} is {named!r}, a home folder that" if named else "the home folder of this user"
        raise ModelError(f"{why} is not known, so that no model can be kept; {ADVICE}")
    return folder
