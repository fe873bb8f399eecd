"""Printing of matches by `similar` and `text`."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from steamdino.errors import UsageError
from steamdino.present.cli.console import note
from steamdino.present.cli.output_options import OutputOptions, PicturesOption, format_option
from steamdino.present.display_text import printable
from steamdino.present.export.writers.writer import Context
from steamdino.present.export.writers.writer_registry import WRITERS

if TYPE_CHECKING:
    from steamdino.records import Matches, Query
    from steamdino.search import Snapshot
    from steamdino.search.cutoff import Cutoff


LISTED = 40
"""Columns that an error message lists."""
FORMATS = ("table", *(writer.name for writer in WRITERS.values() if not writer.binary))


@dataclass(frozen=True, slots=True)
class MatchOutput(OutputOptions):
    """How matches are printed."""

    FORMATS: ClassVar[tuple[str, ...]] = FORMATS

    format: Annotated[str, format_option(FORMATS)] = "table"
    show: Annotated[
        str,
        typer.Option(
            "--show", metavar="COLUMN,...", help="Additional columns of the games to show in the table."
        ),
    ] = ""
    pictures: PicturesOption = None

    @property
    def columns(self) -> list[str]:
        """Further columns of the games for the table."""
        return [name.strip() for name in self.show.split(",") if name.strip()]

    def check_columns(self, snapshot: Snapshot) -> None:
        """Refuse columns that no game has, before anything is searched.

        Raises:
            UsageError: there is one; the message lists those that there are.
        """
        for name in self.columns:
            if not snapshot.has_column(name):
                known = snapshot.columns()
                close = difflib.get_close_matches(name, known, 1)
                hint = f"did you mean {close[0]!r}? The columns are" if close else "the columns are"
                listed = ", ".join(known[:LISTED]) + (", ..." if len(known) > LISTED else "")
                raise UsageError(
                    f"--show names the column {name!r}, and no game has it; "
                    + (f"{hint}: {printable(listed)}" if known else "the games have no columns")
                )


def print_answer(
    matches: Matches, output: MatchOutput, *, snapshot: Snapshot, gallery: Path, kind: str, cutoff: Cutoff
) -> None:
    """Print matches to stdout.

    Args:
        matches: what to print.
        output: how.
        snapshot: that was searched.
        gallery: whose `sync` may know where pictures are on the internet.
        kind: of banner.
        cutoff: the least that the matches had to have.
    """
    if not matches:
        note(f"No match has at least {cutoff}." if cutoff else "No other game passes the filter.")
    form = output.format
    if form == "table":
        from steamdino.present.cli.terminal_matches import print_matches

        print_matches(matches, columns=output.columns, pictures=output.pictures)
        return
    import sys

    from steamdino.present.export.answer import Answer

    writer = WRITERS[form]
    if matches.query.is_guess or (matches.query.alternatives and form != "json"):
        note_choice(matches.query)
    if writer.embeds_pictures:
        note_missing_pictures([matches])
    writer.write([Answer.of(matches)], sys.stdout, Context(snapshot, gallery, kind, Path.cwd()))


def note_missing_pictures(answers: Sequence[Matches]) -> None:
    """Report that a page will show names only, as a packed snapshot makes it."""
    if answers and not any(match.game.location for matches in answers for match in matches):
        note("This snapshot knows no pictures, so only names are shown.")


def note_choice(query: Query) -> None:
    """Report which game was taken for a name that several games have, or none."""
    if query.game is None:
        return
    why = f", since no game has the name or id {query.text!r}" if query.is_guess else ""
    others = ", ".join(f"{printable(game.name)} ({game.id})" for game in query.alternatives[:5])
    also = f"; also possible: {others}" if others else ""
    note(f"Using {printable(query.game.name)} ({query.game.id}){why}{also}")
