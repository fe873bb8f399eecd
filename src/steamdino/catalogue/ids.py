"""What may be a game's id."""

from __future__ import annotations

from steamdino.wellformed import UNPRINTABLE

LONGEST = 500


def refusal(game_id: str) -> str | None:
    """Why a text cannot be an id; None if it can.

    Any text will do that survives a line of output: not empty, no longer than 500 characters, no control
    characters, bidirectional overrides or lone surrogates, no white space around it.
    """
    if not game_id:
        return "the id is empty"
    if len(game_id) > LONGEST:
        return f"the id has {len(game_id):,} characters; at most {LONGEST} are possible: {game_id[:40]!r}..."
    if UNPRINTABLE.search(game_id):
        return f"the id contains a control character: {game_id!r}"
    if game_id != game_id.strip():
        return f"the id has white space around it: {game_id!r}"
    return None


def steam_refusal(game_id: str) -> str | None:
    """Why a text cannot be an appID; None if it can: a whole number above 0 without leading zeros."""
    if game_id.isascii() and game_id.isdigit() and not game_id.startswith("0") and len(game_id) <= 10:
        return None
    return f"{game_id!r} is not an appID (a whole number above 0)"
