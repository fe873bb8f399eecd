"""Games as linked pictures in Markdown and BBCode, as the wikis of the steam-DINO projects show them.

A query is followed by its matches, in rows of five. Pictures link to Steam if `sync` knows their URLs, otherwise to the
file, relative to the text.
"""

from __future__ import annotations

import html
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote

from steamdino.present.display_text import printable
from steamdino.present.export.banner_urls import SteamPictures
from steamdino.records import Game

WIDTH = 150
"""Pixels of a picture."""
ACROSS = 5
SAFE = ":/?=&%#"
"""Of an address: what stays as it is. Brackets and quotes would end the link."""
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!&])")

LinkedPicture = Callable[[Game | str, str | None], str]
"""Makes a linked picture from a game (or the text of another query) and the link to its picture."""


class PictureLinks:
    """Links to the pictures of games."""

    def __init__(self, online: SteamPictures, folder: Path) -> None:
        """Prepare links.

        Args:
            online: pictures on Steam's servers.
            folder: folder of the text, for relative links to local files.
        """
        self._online = online
        self._folder = folder

    def of(self, game: Game) -> str | None:
        """Return the link to a game's picture, safe in quotes and brackets, or None."""
        if url := self._online.of(game):
            return quote(url, safe=":/?=&%")
        return None if game.picture is None else self.file(game.picture)

    def file(self, path: Path) -> str:
        """Return the relative link to a file."""
        try:
            way = Path(os.path.relpath(path, self._folder)).as_posix()
        except ValueError:  # on another drive
            return path.as_uri()
        return quote(way)


def markdown(game: Game | str, picture: str | None) -> str:
    """Return a linked picture in Markdown, or the game's name if it has no picture."""
    name = game if isinstance(game, str) else game.name
    shown = plain(name)
    if picture:
        shown = f'<img alt="{html.escape(printable(name))}" src="{html.escape(picture)}" width="{WIDTH}">'
    url = None if isinstance(game, str) else game.url
    return f"[{shown}]({quote(url, safe=SAFE)})" if url else shown


def plain(text: str) -> str:
    """Escape untrusted text for Markdown."""
    return _SPECIAL.sub(r"\\\1", printable(text))


def bbcode(game: Game | str, picture: str | None) -> str:
    """Return a linked picture in BBCode, or the game's name if it has no picture."""
    name = game if isinstance(game, str) else game.name
    # BBCode has no escape for brackets.
    shown = printable(name).replace("[", "(").replace("]", ")")
    if picture:
        shown = f'[img="width:{WIDTH}px;"]{picture}[/img]'
    url = None if isinstance(game, str) else game.url
    return f"[url={quote(url, safe=SAFE)}]{shown}[/url]" if url else shown


LINKS: dict[str, LinkedPicture] = {"md": markdown, "bbcode": bbcode}


def section(
    query: Game | str, picture: str | None, matches: Sequence[Game], to: PictureLinks, link: LinkedPicture
) -> str:
    """A query, then its matches in rows of five.

    Args:
        query: a game, or the text of another query.
        picture: the address of the query's picture.
        matches: best first.
        to: where pictures are.
        link: `markdown` or `bbcode`.
    """
    return f"Query:\n\n{link(query, picture)}\n\n{grid(matches, to, link)}\n"


def grid(games: Sequence[Game], to: PictureLinks, link: LinkedPicture) -> str:
    """Games in rows of five."""
    cells = [link(game, to.of(game)) for game in games]
    rows = ["".join(cells[start : start + ACROSS]) for start in range(0, len(cells), ACROSS)]
    return "\n\n".join(rows)
