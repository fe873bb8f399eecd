"""Decides when so much of a source is missing at once that something else must be wrong."""

from __future__ import annotations

MOST = 0.5
"""The share of a source's games that may be missing at once. More indicates an accident: a drive that is not mounted, a
server in trouble, a table that lost a column."""


STEAM_SHARE, STEAM_GAMES = 0.05, 10
"""The share, and the number, of Steam's games that may be missing from a whole list at once. Few of its 184,000 games
leave in a month; more indicates a list that ended early."""


def missing_most(missing: int, had: int) -> bool:
    """Whether more of what a source had is missing than can be expected."""
    return missing > MOST * had


def missing_from_steam(missing: int, had: int) -> bool:
    """Whether more of Steam's games are missing from a whole list than can be expected."""
    return missing_most(missing, had) or missing > max(STEAM_SHARE * had, STEAM_GAMES)
