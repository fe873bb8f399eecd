"""The links that pages show beside a game."""

from __future__ import annotations

from steamdino.records import Game


def game_links(game: Game) -> list[tuple[str, str]]:
    """Return the label and the address of each link, empty for a game without a page.

    Games of Steam have their pages in the store and on SteamDB. A packed snapshot from someone else may name other
    pages, which are not called Steam.
    """
    if game.url is None:
        return []
    if game.steamdb_url is None:
        return [("Page", game.url)]
    return [("Steam", game.url), ("SteamDB", game.steamdb_url)]
