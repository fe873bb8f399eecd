"""How many reviews a game has, by which pages order names."""

from __future__ import annotations

from steamdino.records import Game

_MOST = 1 << 40


def reviews(game: Game) -> int:
    """The number in a game's column; 0 if there is none, or it is not a number."""
    try:
        return max(-_MOST, min(_MOST, int(game.columns.get("reviews") or 0)))
    except (TypeError, ValueError, OverflowError):
        return 0
