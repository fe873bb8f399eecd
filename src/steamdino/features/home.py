"""Where what was pulled, exported or trained is kept on this machine."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def cache_folder() -> Path:
    """``$STEAMDINO_CACHE``, else the platform's folder for caches."""
    if named := os.environ.get("STEAMDINO_CACHE"):
        return Path(named).expanduser()
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", "~/AppData/Local"))
    elif sys.platform == "darwin":
        base = Path("~/Library/Caches")
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    return base.expanduser() / "steam-dino"


def models_folder() -> Path:
    """The folder of all models, one folder each."""
    return cache_folder() / "models"
