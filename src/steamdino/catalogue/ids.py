"""Validation of game ids."""

from __future__ import annotations

from steamdino.appids import LARGEST_APPID, is_appid
from steamdino.wellformed import UNPRINTABLE

LONGEST = 500


def refusal(game_id: str) -> str | None:
    """Return why a text cannot be an id; None if it can.

    An id is any text that can be printed on one line: not empty, at most 500 characters, without control characters,
    bidirectional overrides, lone surrogates or white space around it.
    """
    if not game_id:
        return "the id is empty"
    if len(game_id) > LONGEST:
        return f"the id has {len(game_id):,} characters; at most {LONGEST} are allowed: {game_id[:40]!r}..."
    if UNPRINTABLE.search(game_id):
        return f"the id contains a control character: {game_id!r}"
    if game_id != game_id.strip():
        return f"the id has white space around it: {game_id!r}"
    return None


def steam_refusal(game_id: str) -> str | None:
    """Return why a text cannot be an appID; None if it can."""
    if is_appid(game_id):
        return None
    return f"{game_id!r} is not an appID (a whole number from 1 to {LARGEST_APPID})"
