"""The ids of one query's matches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, TYPE_CHECKING

from steamdino.present.export.writers.writer import Context, Writer

if TYPE_CHECKING:
    from steamdino.present.export.answer import Answer


class IdList(Writer):
    """Writes one id on each line."""

    name = "ids"
    suffix = ".txt"
    takes_several = False

    def write(self, answers: Iterable[Answer], file: IO[str], context: Context) -> None:
        """Write the ids, most similar first."""
        (answer,) = answers
        file.writelines(f"{game.id}\n" for game in answer.games)
