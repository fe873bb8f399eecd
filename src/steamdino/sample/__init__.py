"""A store of invented games whose banners are drawn by code: something to search without real pictures."""

from __future__ import annotations

from steamdino.sample.game import FictionalGame
from steamdino.sample.store import draw_store, fictional_games

__all__ = ["FictionalGame", "draw_store", "fictional_games"]
