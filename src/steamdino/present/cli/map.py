"""`steam-dino map`: the whole gallery on one picture."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from steamdino.errors import QueryError, UsageError
from steamdino.present.cli.console import beside, note_undated, say
from steamdino.present.cli.filter_options import HidingFilterOptions
from steamdino.present.cli.options import RecipeOptions, SearchOptions
from steamdino.present.cli.output_options import check_folder, check_outputs
from steamdino.storage.output import output_name


def map_(
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="PNG file to write. - is stdout.", show_default=False
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            "--html",
            metavar="DIR",
            help="Write a zoomable page with search to this folder.",
            show_default=False,
        ),
    ] = None,
    gallery: SearchOptions,
    recipe: RecipeOptions,
    only: HidingFilterOptions,
    title: Annotated[str, typer.Option(help="Heading of the page.")] = "What looks alike lies together",
) -> None:
    """Draw the whole gallery as a map of banners, with similar banners next to each other.

    The layout is t-SNE on each game's nearest neighbours (extra `map`). Then each banner moves to its own cell, so that
    banners do not overlap. The same gallery always gives the same map. Only neighbourhoods are meaningful, not large
    distances.

    The page can be dragged and zoomed, finds games by name, and works offline: open index.html in its folder.

    **Examples**

        steam-dino map -o map.png

        steam-dino map --html map --tag Horror
    """
    from steamdino.analysis import map as analysis
    from steamdino.present.cli.progress import bar
    from steamdino.present.export import map_tiles, output_folders
    from steamdino.present.export.mosaic import check_png

    if not (output or html):
        raise UsageError("nothing to write; pass -o FILE for a PNG or --html DIR for a page")
    if output:
        check_png(output)
    check_outputs(("-o", output))
    check_folder("--html", html)
    if html:
        output_folders.check_folder(html, map_tiles.KIND)
    analysis.check()
    snapshot, allowed = gallery.open(recipe), only.filter
    rows = snapshot.rows(allowed)
    note_undated(snapshot.undated(allowed))
    if not len(rows):
        raise QueryError("no game is left for the map; relax the filters, or add games and build first")
    with bar("Arranging", "steps") as progress:
        points = analysis.layout(snapshot.index.subset(rows), progress)
    drawn = map_tiles.Atlas(snapshot.games(rows), *analysis.grid(points))
    with bar("Drawing", "banners") as progress:
        map_tiles.write_map(
            drawn, png=output, folder=html, title=title, threads=os.cpu_count() or 1, progress=progress
        )
    size = drawn.scaled(drawn.png_level)
    with beside(output):
        if output:
            say(f"{output_name(output)}: {len(rows):,} games, {size[0]:,}x{size[1]:,} pixels")
        if html:
            say(f"{html / 'index.html'}: {len(rows):,} games")
