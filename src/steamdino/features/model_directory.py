"""The folder in which pulled, exported and trained models are stored.

The folder may be unknown: services and containers run as users without a home folder. Code that only reads then uses
the models in the package.
"""

from __future__ import annotations

import os
from pathlib import Path

from steamdino.errors import ModelError

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


def models_folder() -> Path | None:
    """Return the folder that holds one folder per model, whether or not it exists; None if it is unknown."""
    cache = cache_folder()
    return cache and cache / "models"


def kept(pattern: str) -> list[Path]:
    """Return the files in the folder of all models that match a pattern; none if the folder cannot be read."""
    folder = models_folder()
    try:
        return sorted(folder.glob(pattern)) if folder else []
    except OSError:  # for example, another user's home
        return []


def needed_models_folder() -> Path:
    """Return the folder of all models, for files that must be stored.

    Raises:
        ModelError: the folder is unknown.
    """
    folder = models_folder()
    if folder is None:
        named = os.environ.get(VARIABLE)
        why = f"{VARIABLE} is {named!r}, a home folder that" if named else "the home folder of this user"
        raise ModelError(f"{why} is unknown, so no model can be stored; {ADVICE}")
    return folder
