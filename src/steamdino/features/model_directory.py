"""The folder in which pulled, exported and trained models are stored.

Where it is unknown, code that only reads uses the models in the package.
"""

from __future__ import annotations

import os
from pathlib import Path

from steamdino.errors import ModelError
from steamdino.storage.cache import ADVICE, VARIABLE, cache_folder


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
