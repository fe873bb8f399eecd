"""The addresses of one picture at several widths, as pages list them for browsers to choose from."""

from __future__ import annotations

from collections.abc import Callable

from steamdino.present.web.redraw import WIDTHS
from steamdino.records import Game


def srcset(address: Callable[[Game, int], str | None], game: Game, largest: int) -> str:
    """Return the value of an image's `srcset`; empty if the picture has one address only, such as on Steam's servers.

    Args:
        address: returns the address of a game's banner at a width.
        game: whose banner.
        largest: width in pixels. In a list, a screen of three times the usual density gets no more than one of twice
            that density, since nobody sees the difference, and a phone would load several times as many bytes.
    """
    addresses = {width: address(game, width) for width in WIDTHS if width <= largest}
    if len(set(addresses.values())) == 1:
        return ""
    return ", ".join(f"{place} {width}w" for width, place in addresses.items())
