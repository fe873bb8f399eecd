"""Matches as one HTML page, pictures included."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from steamdino.present.export.writers.writer import Context, Writer

if TYPE_CHECKING:
    from steamdino.present.export.answer import Answer


@dataclass(frozen=True)
class HtmlSheet(Writer):
    """Writes a page with a section for each query.

    Attributes:
        title: the page's heading.
    """

    name = "html"
    suffix = ".html"
    embeds_pictures = True

    title: str = "Banners that look alike"

    def write(self, answers: Iterable[Answer], file: IO[str], context: Context) -> None:
        """Write the page."""
        from steamdino.present.export.sheet import sheet_page

        file.write(sheet_page([answer.matches for answer in answers], title=self.title))
