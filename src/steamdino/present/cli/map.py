"""`steam-dino map`: the whole gallery on one picture."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from steamdino.errors import OutputError, QueryError, UsageError
from steamdino.present.cli.console import beside, note, note_undated, say
from steamdino.present.cli.filter_options import HidingFilterOptions
from steamdino.present.cli.options import RecipeOptions, SearchOptions
from steamdino.present.cli.output_options import check_folder, check_outputs
from steamdino.storage.output import output_name

MANY = 20_000
"""Games above which tiles are written unless a PNG is asked for, since banners on it would be a few pixels wide."""

PICTURE, FOLDER = Path("map.png"), Path("map")
"""What is written, in the current folder, if neither option is given."""


def map_(
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="PNG file to write. - is stdout. Default: map.png, up to 20,000 games.",
            show_default=False,
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html",
            metavar="DIR",
            help="Write a zoomable page with search to this folder. Default: map, above 20,000 games.",
            show_default=False,
        ),
    ] = None,
    gallery: SearchOptions,
    recipe: RecipeOptions,
    only: HidingFilterOptions,
    title: Annotated[str, typer.Option(help="Heading of the page.")] = "What looks alike lies together",
    pictures: Annotated[
        str,
        typer.Option(
            metavar="copy|none",
            help="Copy scaled banners (25 KB each), so that the page is sharp at full zoom, or leave them out.",
        ),
    ] = "copy",
) -> None:
    """Draw the whole gallery as a map of banners, with similar banners next to each other.

    The layout is t-SNE on each game's nearest neighbours (extra `map`). Then each banner moves to its own cell, so that
    banners do not overlap. The same gallery always gives the same map. Only neighbourhoods are meaningful, not large
    distances.

    The page can be dragged and zoomed, finds games by name, and works offline: open index.html in its folder. A click
    opens a game's page, and the address of the map leads to what it shows. A PNG has at most 100 million pixels, so
    banners are smaller on the PNG of a large gallery.

    After Ctrl-C or a kill, the same command continues.

    **Examples**

        steam-dino map -o map.png

        steam-dino map --html map --tag Horror
    """
    from steamdino.analysis import map as analysis
    from steamdino.present.cli.progress import bar
    from steamdino.present.export import map_page, map_writer, output_folders
    from steamdino.present.export.mosaic import check_png

    if pictures not in ("copy", "none"):
        raise UsageError(f"--pictures is {pictures!r}; it must be copy or none")

    def check() -> None:
        if output:
            check_png(output)
        check_outputs(("-o", output))
        check_folder("--html", html)
        if html:
            output_folders.check_folder(html, map_page.KIND)

    check()
    analysis.check()
    snapshot, allowed = gallery.open(recipe), only.filter
    rows = snapshot.rows(allowed)
    note_undated(snapshot.undated(allowed))
    if not len(rows):
        raise QueryError("no game is left for the map; relax the filters, or add games and build first")
    if not (output or html):
        output, html = (None, FOLDER) if len(rows) > MANY else (PICTURE, None)
        if PICTURE.exists() and output:
            raise OutputError(f"{PICTURE} exists; replace it with -o {PICTURE}, or name another file")
        check()
        if html:
            note(
                f"{len(rows):,} games are too many for one picture, so a page is written; -o FILE writes a PNG"
            )
    try:
        drawn = map_writer.write_map(
            snapshot,
            rows,
            png=output,
            folder=html,
            title=title,
            pictures=pictures == "copy",
            threads=os.cpu_count() or 1,
            stage=bar,
        )
    except KeyboardInterrupt:
        note("Stopped. What is arranged and drawn is kept; run the same command to continue.")
        raise typer.Exit(130) from None
    size = drawn.scaled(drawn.png_level)
    with beside(output):
        if output:
            say(f"{output_name(output)}: {len(rows):,} games, {size[0]:,}x{size[1]:,} pixels")
        if html:
            say(f"{html / 'index.html'}: {len(rows):,} games")
