"""How `similar` and `text` print their matches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from steamdino.present.cli.console import note, say
from steamdino.present.cli.options import OutputOptions, PicturesOption, format_option
from steamdino.present.display_text import printable

if TYPE_CHECKING:
    from pathlib import Path

    from steamdino.records import Matches, Query


FORMATS = ("table", "json", "csv", "md", "bbcode", "html", "ids")


@dataclass(frozen=True, slots=True)
class MatchOutput(OutputOptions):
    """How matches are printed."""

    FORMATS: ClassVar[tuple[str, ...]] = FORMATS

    format: Annotated[str, format_option(FORMATS)] = "table"
    show: Annotated[
        str,
        typer.Option(
            "--show", metavar="COLUMN,...", help="Further columns of the games to print in the table."
        ),
    ] = ""
    pictures: PicturesOption = None

    @property
    def columns(self) -> list[str]:
        """Further columns of the games for the table."""
        return [name.strip() for name in self.show.split(",") if name.strip()]


def print_answer(matches: Matches, output: MatchOutput, *, gallery: Path, kind: str) -> None:
    """Prints matches to stdout.

    Args:
        matches: what to print.
        output: how.
        gallery: whose `sync` may know where pictures are on the internet.
        kind: of banner.
    """
    if not matches:
        note("Nothing is as alike as that.")
    form = output.format
    if form == "table":
        from steamdino.present.cli.terminal_matches import print_matches

        print_matches(matches, columns=output.columns, pictures=output.pictures)
        return
    from steamdino.present.export import match_records

    if form != "json":
        _tell_alternatives(matches.query)
    if form in ("md", "bbcode"):
        say(_wiki(matches, form, gallery, kind))
    elif form == "html":
        from steamdino.present.export.sheet import sheet_page

        say(sheet_page([matches], title="Banners that look alike"))
    else:
        say(
            {"json": match_records.as_json, "csv": match_records.as_csv, "ids": match_records.as_ids}[form](
                matches
            )
        )


def _wiki(matches: Matches, output: str, gallery: Path, kind: str) -> str:
    from pathlib import Path

    from steamdino.present.export import markup
    from steamdino.present.export.banner_urls import addresses

    to, query = markup.PictureLinks(addresses(gallery, kind), Path.cwd()), matches.query
    picture = to.file(query.picture) if query.picture else None
    if query.game:
        picture = to.of(query.game)
    return markup.section(
        query.game or query.text,
        picture,
        [match.game for match in matches],
        to,
        markup.WRITERS[output],
    )


def _tell_alternatives(query: Query) -> None:
    if query.game and query.alternatives:
        others = ", ".join(f"{printable(game.name)} ({game.id})" for game in query.alternatives[:5])
        note(f"Taken for {printable(query.game.name)} ({query.game.id}); also possible: {others}")
