"""A store of invented games whose banners are drawn by code: something to search without real pictures."""

from __future__ import annotations

from steamdino.sample.fictional_store import draw_store, fictional_games
from steamdino.sample.game import FictionalGame

__all__ = ["FictionalGame", "draw_store", "fictional_games"]
