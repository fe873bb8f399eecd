"""What a page says of itself to search engines and to programs that draw a card for a shared link."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urljoin

from fastapi import Request

from steamdino.present.display_text import printable
from steamdino.present.web.api import addresses
from steamdino.present.web.root_path import below, origin
from steamdino.records import HIDDEN_COLUMNS, Game

CARD = 600
"""Width of a card's picture in pixels."""
NAMED = 3
"""Similar games that a description names."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """A page's metadata.

    Attributes:
        canonical: the absolute address at which the page should be known.
        title: of a card.
        description: in a sentence.
        picture: the absolute address of a card's picture; empty for none.
        is_listed: whether search engines may list the page.
    """

    canonical: str
    title: str
    description: str
    picture: str = ""
    is_listed: bool = True


def of_game(request: Request, game: Game, matches: Sequence[Game]) -> Metadata:
    """Return the metadata of a game's page.

    A hidden game is on no list, so its card shows no picture, and search engines are asked not to list its page.
    """
    hidden = any(game.columns.get(column) for column in HIDDEN_COLUMNS)
    name = printable(game.name)
    similar = ", ".join(printable(match.name) for match in matches[:NAMED])
    picture = None if hidden else addresses(request).of(game, CARD)
    return Metadata(
        absolute(request, below(request, f"/games/{quote(game.id, safe='')}")),
        name,
        f"Games whose banners look like that of {name}" + (f": {similar}, and more." if similar else "."),
        absolute(request, picture) if picture else "",
        not hidden,
    )


def of_home(request: Request, total: int) -> Metadata:
    """Return the metadata of the home page."""
    return Metadata(
        absolute(request, below(request, "/")),
        "Which game banners look alike?",
        f"Search {total:,} game banners by how they look: by a game's name or by a picture of your own.",
    )


def absolute(request: Request, address: str) -> str:
    """Return the absolute form of an address on this server; one on another server stays as it is."""
    return urljoin(origin(request), address)
