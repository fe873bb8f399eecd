"""How `similar` and `text` print their matches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steamdino.errors import UsageError
from steamdino.present.cli.console import note, say
from steamdino.present.cli.options import FORMATS
from steamdino.present.text import printable

if TYPE_CHECKING:
    from steamdino.records import Matches, Query


def check_format(output: str) -> None:
    """Refuses a format that does not exist, before anything is computed.

    Raises:
        UsageError: there is none of that name.
    """
    if output not in FORMATS:
        raise UsageError(f"--format is {output!r}; it must be one of: {', '.join(FORMATS)}")


def print_answer(matches: Matches, output: str, *, show: str, pictures: bool | None) -> None:
    """Prints matches to stdout.

    Args:
        matches: what to print.
        output: one of `FORMATS`.
        show: further columns of the games for the table, separated by commas.
        pictures: draw the banners; None: where the terminal can.
    """
    if not matches:
        note("Nothing is as alike as that.")
    if output == "table":
        from steamdino.present.cli.results import print_matches

        columns = [name.strip() for name in show.split(",") if name.strip()]
        print_matches(matches, columns=columns, pictures=pictures)
        return
    from steamdino.present.export import records

    if output != "json":
        _tell_alternatives(matches.query)
    say({"json": records.as_json, "csv": records.as_csv, "ids": records.as_ids}[output](matches))


def _tell_alternatives(query: Query) -> None:
    if query.game and query.alternatives:
        others = ", ".join(f"{printable(game.name)} ({game.id})" for game in query.alternatives[:5])
        note(f"Taken for {printable(query.game.name)} ({query.game.id}); also possible: {others}")
