"""Real processes of `steam-dino sync` against a Steam on loopback, which tests can kill."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from tests import forks
from tests.fakes.steam import Store

CONNECTIONS = 6


def start(
    gallery: Path, store: Store, *flags: str, key: bool = True, environ: Mapping[str, str] | None = None
) -> forks.Command:
    environ = {
        **os.environ,
        "STEAM_API_KEY": store.key if key else "",
        "STEAMDINO_STEAM_API_URL": store.address,
        "STEAMDINO_STEAM_ASSETS_URL": f"{store.address}/assets",
        "STEAMDINO_STEAM_BACKOFF": "0.05",
        "STEAMDINO_STEAM_RATE": "0",
        "STEAMDINO_STEAM_BANNER_RATE": "300",
        "STEAMDINO_STEAM_CONNECTIONS": str(CONNECTIONS),
        "STEAMDINO_STEAM_COUNTRIES": "US,JP,DE",
        "STEAMDINO_STEAM_TIMEOUT": "60",
        **(environ or {}),
    }
    return forks.start("sync", "-g", gallery, *flags, env=environ)


def commits(gallery: Path) -> int:
    """How much is committed: apps that were listed, told about, and pictures."""
    if not (gallery / "gallery.sqlite").exists():
        return 0
    with closing(sqlite3.connect(gallery / "gallery.sqlite", timeout=5)) as db:
        try:
            return sum(
                db.execute(f"SELECT count(*) FROM {one}").fetchone()[0]
                for one in ("steam_apps", "steam_apps WHERE due != 1", "steam_assets WHERE due = 0")
            )
        except sqlite3.OperationalError:
            return 0
