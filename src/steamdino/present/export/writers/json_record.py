"""One query with everything that is known of its matches, as JSON; see `docs/reference/json.md`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO, TYPE_CHECKING

from steamdino.present.export.writers.writer import Context, Writer

if TYPE_CHECKING:
    from steamdino.present.export.answer import Answer


class JsonRecord(Writer):
    """Writes one JSON object."""

    name = "json"
    suffix = ".json"
    takes_several = False

    def write(self, answers: Iterable[Answer], file: IO[str], context: Context) -> None:
        """Write the object, indented, and a line end."""
        import json

        from steamdino.present.export.match_records import as_record

        (answer,) = answers
        file.write(json.dumps(as_record(answer.matches), ensure_ascii=False, indent=2) + "\n")
