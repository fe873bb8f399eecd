"""What Markdown and BBCode share: a query, then its matches as linked pictures in rows of five."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING

from steamdino.present.export.writers.writer import Context, Writer

if TYPE_CHECKING:
    from steamdino.present.export.answer import Answer
    from steamdino.present.export.markup import LinkedPicture


class LinkedPictures(Writer):
    """Writes a section for each query, in one markup."""

    @abstractmethod
    def link(self) -> LinkedPicture:
        """What makes a linked picture in this markup."""

    def write(self, answers: Iterable[Answer], file: IO[str], context: Context) -> None:
        """Write the sections. Pictures are Steam's where `sync` learned their addresses, else files."""
        from steamdino.present.export.banner_urls import steam_pictures
        from steamdino.present.export.markup import PictureLinks, section

        to, link = PictureLinks(steam_pictures(context.gallery, context.kind), context.folder), self.link()
        for number, answer in enumerate(answers):
            query = answer.query
            picture = to.file(query.picture) if query.picture else None
            if query.game:
                picture = to.of(query.game)
            file.write(
                "\n\n" * bool(number) + section(query.game or query.text, picture, answer.games, to, link)
            )
