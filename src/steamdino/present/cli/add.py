"""`steam-dino add`: pictures from a folder, a table or an archive."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from steamdino.present.cli.console import note, say
from steamdino.present.cli.options import GalleryOptions
from steamdino.present.display_text import printable

SHOWN = 10


def add(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="PATH",
            help="A folder, a table (.csv, .tsv, .jsonl, .parquet) or an archive (.tar, .tar.gz, .zip).",
        ),
    ],
    *,
    gallery: GalleryOptions,
    id_column: Annotated[
        str, typer.Option("--id", metavar="COLUMN", help="Of a table: holds the id.")
    ] = "id",
    name_column: Annotated[
        str, typer.Option("--name", metavar="COLUMN", help="Of a table: holds the name.")
    ] = "name",
    path_column: Annotated[
        str,
        typer.Option(
            "--path", metavar="COLUMN", help="Of a table: holds the picture's path, relative to it."
        ),
    ] = "path",
    copy: Annotated[
        bool, typer.Option("--copy", help="Keep a copy of each picture in the gallery instead of a link.")
    ] = False,
    steam: Annotated[
        bool, typer.Option("--steam", help="The ids are Steam's appIDs: games link to the store.")
    ] = False,
    prefix: Annotated[
        str, typer.Option(help="Put this before each id, where ids of two sources collide.")
    ] = "",
    allow_outside: Annotated[
        bool, typer.Option("--allow-outside", help="Let a table name pictures outside its own folder.")
    ] = False,
    names: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Names of appIDs: JSON of Steam (IStoreService.json) or SteamSpy, or lines like 730,Counter-Strike 2.",
            show_default=False,
        ),
    ] = None,
    allow_missing: Annotated[
        bool,
        typer.Option("--allow-missing", help="Go on although most of the games that were here are missing."),
    ] = False,
    all_problems: Annotated[
        bool, typer.Option("--all-problems", help="Print every problem, not just ten.")
    ] = False,
) -> None:
    """Add a folder, a table or an archive of pictures to a gallery, or bring it up to date.

    In a folder (with all folders below it) each picture is a game; its id is its path without the suffix. A table
    has a row for each game; columns beyond id, name and path are kept and can be shown. Pictures stay where they
    are; the gallery links to them, or keeps copies with --copy. Of an archive it always keeps copies.

    Adding the same path again updates: what is new, what changed, what has gone (it is marked, not deleted). Where none
    or less than half of the games are left, nothing is marked: the drive may not be mounted. --allow-missing goes on.

    Exit code 1 says that something could not be used; the rest was added all the same.

    **Examples**

        steam-dino add covers/
        steam-dino add games.jsonl --id appid --name title --path file --steam
        steam-dino add resized_vertical_steam_banners.tar --steam --names IStoreService.json
    """
    from steamdino.catalogue.steam import app_lists
    from steamdino.catalogue.table import Columns
    from steamdino.pipeline import add as run
    from steamdino.present.cli.progress import bar

    known = {str(key): name for key, name in app_lists.read(names).items() if name} if names else None
    with bar("Adding", "games") as progress:
        try:
            summary = run(
                gallery.folder,
                path,
                columns=Columns(id_column, name_column, path_column),
                copy=copy,
                steam=steam,
                prefix=prefix,
                outside=allow_outside,
                names=known,
                allow_missing=allow_missing,
                progress=progress,
            )
        except KeyboardInterrupt:
            note("Stopped. What was added so far is kept; the same command goes on.")
            raise typer.Exit(130) from None
    shown = summary.problems if all_problems else summary.problems[:SHOWN]
    for problem in shown:
        note(f"{printable(problem.where)}: {printable(problem.reason)}")
    if len(shown) < len(summary.problems):
        note(f"... and {len(summary.problems) - len(shown):,} more; see: steam-dino info --problems")
    counts = {
        "new": summary.new,
        "changed": summary.changed,
        "unchanged": summary.unchanged,
        "gone": summary.gone,
        "without a banner": summary.without_banner,
        "problems": len(summary.problems),
    }
    # Where some of the source could not even be read, nobody can tell what has gone.
    outcome = ", ".join(f"{'?' if n is None else format(n, ',')} {label}" for label, n in counts.items())
    say(f"{printable(summary.source)}: {outcome}")
    if summary.problems:
        raise typer.Exit(1)
