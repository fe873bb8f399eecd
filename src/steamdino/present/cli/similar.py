"""`steam-dino similar`: the games that look most like one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from steamdino.errors import UsageError
from steamdino.present.cli.console import note, say
from steamdino.present.cli.options import GalleryOption, PrecisionOption, RecipeOption
from steamdino.present.text import printable
from steamdino.settings import Settings

if TYPE_CHECKING:
    from steamdino.records import Query

FORMATS = ("table", "json", "csv", "ids")


def similar(
    query: Annotated[str, typer.Argument(metavar="QUERY", help="An id, a name, or a picture's file.")],
    gallery: GalleryOption = None,
    k: Annotated[int, typer.Option("-k", metavar="N", help="How many matches.")] = 10,
    recipe: RecipeOption = None,
    packed: Annotated[
        Path | None,
        typer.Option(
            "--snapshot", metavar="FILE", help="Ask a packed snapshot (or a snapshot's folder) instead."
        ),
    ] = None,
    mirror: Annotated[
        bool, typer.Option("--mirror", help="Mirror the query's picture left-right first.")
    ] = False,
    flip: Annotated[bool, typer.Option("--flip", help="Flip the query's picture top-bottom first.")] = False,
    output: Annotated[
        str, typer.Option("--format", metavar="|".join(FORMATS), help="How to print.")
    ] = "table",
    show: Annotated[
        str, typer.Option(metavar="COLUMN,...", help="Further columns of the games to print in the table.")
    ] = "",
    pictures: Annotated[
        bool | None,
        typer.Option(help="Draw the banners in the terminal. Default: where it can.", show_default=False),
    ] = None,
    precision: PrecisionOption = None,
) -> None:
    """Show the games whose banners look most like one.

    An exact id or name wins before anything else is tried; then come a picture's file, names that begin with the
    text, names with its words, and names with typos. If several fit, the best is taken and the others are named.

    The similarity is the cosine of the two vectors, at most 1. The query itself is left out; other games with the
    very same picture are shown and marked as identical. Mirroring the query helps when the letters in a banner drive
    its matches.

    **Examples**

        steam-dino similar 730
        steam-dino similar "half life" -k 5 --format json

        steam-dino similar my-draft.png
    """
    if output not in FORMATS:
        raise UsageError(f"--format is {output!r}; it must be one of: {', '.join(FORMATS)}")
    from steamdino.search import Snapshot

    settings = Settings.load({"gallery": gallery, "precision": precision})
    snapshot = Snapshot.open(packed or settings.gallery, recipe, precision=settings.precision)
    matches = snapshot.similar(query, k, mirror=mirror, flip=flip)
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
