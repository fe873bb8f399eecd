"""One query with its matches as a PNG."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, TYPE_CHECKING

from steamdino.present.export.writers.writer import Context, Writer

if TYPE_CHECKING:
    from steamdino.present.export.answer import Answer


class PngSheet(Writer):
    """Writes a picture: the query above its matches, in rows of five."""

    name = "sheet"
    suffix = ".png"
    binary = True
    takes_several = False
    embeds_pictures = True

    def write(self, answers: Iterable[Answer], file: IO[bytes], context: Context) -> None:
        """Write the PNG.

        Raises:
            UsageError: the picture would be too large.
        """
        from steamdino.present.export import mosaic

        (answer,) = answers
        matches = answer.matches
        game = matches.query.game
        title = f"Similar to {game.name if game else matches.query.text}"
        mosaic.mosaic(mosaic.of_matches(matches), title, lead=1).save(file, "PNG")
