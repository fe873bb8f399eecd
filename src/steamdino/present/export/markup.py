"""Games with linked pictures in Markdown and BBCode, as the wikis of steam-DINO's family show them.

A query stands above its matches, and these in rows of five. A picture's address is that of Steam where `sync` learned
it, else the way to its file from where the text will lie.
"""

from __future__ import annotations

import html
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from steamdino.present.display_text import printable
from steamdino.records import Game

WIDTH = 150
"""Pixels of a picture."""
ACROSS = 5
SAFE = ":/?=&%#"
"""Of an address: what stays as it is. Brackets and quotes would end the link."""
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!&])")

LinkedPicture = Callable[[Game | str, str | None], str]
"""Makes a linked picture from a game (or the name of what is none) and the picture's address."""


class PictureLinks:
    """Where the pictures of games can be had."""

    def __init__(self, online: Mapping[str, str], folder: Path) -> None:
        """Sets them up.

        Args:
            online: id -> address on the internet.
            folder: where the text will lie, for ways to files on this machine.
        """
        self._online = online
        self._folder = folder

    def of(self, game: Game) -> str | None:
        """A game's picture's address, safe in quotes and brackets; None if there is none."""
        if game.id in self._online:
            return quote(self._online[game.id], safe=":/?=&%")
        return None if game.picture is None else self.file(game.picture)

    def file(self, path: Path) -> str:
        """The way to a file."""
        try:
            way = Path(os.path.relpath(path, self._folder)).as_posix()
        except ValueError:  # on another drive
            return path.as_uri()
        return quote(way)


def markdown(game: Game | str, picture: str | None) -> str:
    """A linked picture in Markdown; its name where there is no picture."""
    name = game if isinstance(game, str) else game.name
    shown = plain(name)
    if picture:
        shown = f'<img alt="{html.escape(printable(name))}" src="{html.escape(picture)}" width="{WIDTH}">'
    url = None if isinstance(game, str) else game.url
    return f"[{shown}]({quote(url, safe=SAFE)})" if url else shown


def plain(text: str) -> str:
    """A stranger's text as plain text in Markdown."""
    return _SPECIAL.sub(r"\\\1", printable(text))


def bbcode(game: Game | str, picture: str | None) -> str:
    """A linked picture in BBCode; its name where there is no picture."""
    name = game if isinstance(game, str) else game.name
    # BBCode has no way to write its brackets otherwise.
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
        query: a game, or the text of what is none.
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
