"""How `similar` and `text` print their matches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steamdino.present.cli.console import note, say
from steamdino.present.display_text import printable

if TYPE_CHECKING:
    from pathlib import Path

    from steamdino.records import Matches, Query


def print_answer(
    matches: Matches, output: str, *, gallery: Path, kind: str, show: str, pictures: bool | None
) -> None:
    """Prints matches to stdout.

    Args:
        matches: what to print.
        gallery: whose `sync` may know where pictures are on the internet.
        kind: of banner.
        output: one of `FORMATS`.
        show: further columns of the games for the table, separated by commas.
        pictures: draw the banners; None: where the terminal can.
    """
    if not matches:
        note("Nothing is as alike as that.")
    if output == "table":
        from steamdino.present.cli.terminal_matches import print_matches

        columns = [name.strip() for name in show.split(",") if name.strip()]
        print_matches(matches, columns=columns, pictures=pictures)
        return
    from steamdino.present.export import match_records

    if output != "json":
        _tell_alternatives(matches.query)
    if output in ("md", "bbcode"):
        say(_wiki(matches, output, gallery, kind))
    elif output == "html":
        from steamdino.present.export.sheet import sheet_page

        say(sheet_page([matches], title="Banners that look alike"))
    else:
        say(
            {"json": match_records.as_json, "csv": match_records.as_csv, "ids": match_records.as_ids}[output](
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
