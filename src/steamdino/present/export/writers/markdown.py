"""Matches in Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steamdino.present.export.writers.linked_pictures import LinkedPictures

if TYPE_CHECKING:
    from steamdino.present.export.markup import LinkedPicture


class Markdown(LinkedPictures):
    """Writes linked pictures in Markdown."""

    name = "md"
    suffix = ".md"
    command = "markdown"
    help = """Write queries with their matches in Markdown: linked pictures, in rows of five.

    Pictures link to Steam if `sync` knows their URLs, otherwise to local files.

    **Examples**

        steam-dino export markdown 730 "half life"

        steam-dino export markdown --top100 -o top.md
    """

    def link(self) -> LinkedPicture:
        """What makes a linked picture in Markdown."""
        from steamdino.present.export.markup import markdown

        return markdown
