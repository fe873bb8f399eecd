"""AppIDs, Steam's ids of games, and the web pages that belong to them."""

from __future__ import annotations

import re

LARGEST_APPID = 2**32 - 1


def is_appid(text: str) -> bool:
    """Return whether a text is written like an appID: a whole number from 1 to 4,294,967,295, without leading zeros.

    It says nothing about whose id it is: a folder may hold a picture called 730.jpg that has nothing to do with Steam.
    `steamdino.records.Game.from_steam` says that.
    """
    return re.fullmatch(r"[1-9]\d{0,9}", text, re.ASCII) is not None and int(text) <= LARGEST_APPID


def store_page_of(game_id: str, *, steam: bool) -> str | None:
    """Return the address of a game's page in Steam's store; None if it has none.

    Args:
        game_id: the game's id.
        steam: whether its source holds appIDs. An id that was added before its source had the flag may be none.
    """
    return store_page(game_id) if steam and is_appid(game_id) else None


def store_page(appid: str) -> str:
    """Return the address of an app's page in Steam's store."""
    return f"https://store.steampowered.com/app/{appid}"


def steamdb_page(appid: str) -> str:
    """Return the address of an app's page on SteamDB."""
    return f"https://steamdb.info/app/{appid}/"
