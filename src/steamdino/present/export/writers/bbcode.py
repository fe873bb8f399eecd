"""Matches in BBCode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steamdino.present.export.writers.linked_pictures import LinkedPictures

if TYPE_CHECKING:
    from steamdino.present.export.markup import LinkedPicture


class BBCode(LinkedPictures):
    """Writes linked pictures in BBCode."""

    name = "bbcode"
    suffix = ".txt"
    help = """Write queries with their matches in BBCode, for forums: linked pictures, in rows of five.

    **Example**

        steam-dino export bbcode 730 -o post.txt
    """

    def link(self) -> LinkedPicture:
        """What makes a linked picture in BBCode."""
        from steamdino.present.export.markup import bbcode

        return bbcode
