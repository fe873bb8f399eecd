"""`steam-dino evaluate`: recipes compared on one gallery, with numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from steamdino.errors import SteamDinoError, UsageError
from steamdino.present.cli.console import beside, note, say
from steamdino.present.cli.options import GalleryOptions, PrecisionOption
from steamdino.present.cli.output_options import OutputOptions
from steamdino.present.display_text import printable
from steamdino.storage.output import writing_text

if TYPE_CHECKING:
    from steamdino.index.snapshot_reader import SnapshotReader
    from steamdino.settings import Settings


def evaluate(
    *,
    gallery: GalleryOptions,
    recipe: Annotated[
        list[str] | None,
        typer.Option(
            "--recipe",
            metavar="RECIPE",
            help="Recipe to compare, as in build --recipe. Repeat for several. Recipes that are not built yet are built"
            " first. Default: all recipes of the gallery.",
            show_default=False,
        ),
    ] = None,
    labels: Annotated[
        list[str] | None,
        typer.Option(
            "--labels",
            metavar="COLUMN",
            help="Games with the same label in this column should find each other. Repeat for several.",
            show_default=False,
        ),
    ] = None,
    across: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Count only matches with another value in this column; near (same art) and diff (other art) apart.",
            show_default=False,
        ),
    ] = None,
    copies: Annotated[
        int,
        typer.Option(min=0, metavar="N", help="Number of games whose altered banners are searched for."),
    ] = 200,
    queries: Annotated[
        int, typer.Option(min=1, metavar="N", help="Maximum number of queries for each column of labels.")
    ] = 2000,
    games: Annotated[
        str,
        typer.Option(
            metavar="ID,...", help="Games whose matches the --markdown page shows.", show_default=False
        ),
    ] = "",
    markdown: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write the ranking as a Markdown page. - is stdout.", show_default=False
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write a plot as .svg or .png. - is SVG on stdout.", show_default=False
        ),
    ] = None,
    output: OutputOptions,
    seed: Annotated[int, typer.Option(min=0, help="Random seed.")] = 0,
    precision: PrecisionOption = None,
) -> None:
    """Compare recipes on one gallery, with baselines that need no model.

    Copies: banners are cropped, mirrored, recoloured and so on; each altered banner should find its original. This
    needs no labels.

    Labels: with --labels, games that share a label should find each other. A cell with several labels is a list, or a
    text with ";" between them; one label in common is enough.

    It also reports how far the recipes agree on neighbours, and the speed and size of each. Intervals hold 95 % of
    2,000 bootstrap samples over the labels; a star marks a difference from the first recipe whose interval excludes 0.

    **Examples**

        steam-dino evaluate
        steam-dino evaluate --recipe bundled --recipe bundled/fit --labels franchise --plot recipes.svg

        steam-dino evaluate --labels group --across source --games 730,570 --markdown ranking.md
    """
    output.check(("--markdown", markdown), ("--plot", plot))
    if across is not None and not labels:
        raise UsageError(f"--across is {across!r} without --labels; name the column of labels too")
    chosen = [key.strip() for key in games.split(",") if key.strip()]
    if chosen and markdown is None:
        raise UsageError(f"--games is {games!r} without --markdown; name the page to write too")
    from steamdino.analysis.evaluation.collection import collect
    from steamdino.analysis.evaluation.evaluate import evaluate as run
    from steamdino.engines.cores import cores
    from steamdino.present.cli.progress import bar
    from steamdino.present.export import evaluation_report as export
    from steamdino.present.export.evaluation_plot import check, draw
    from steamdino.present.export.ranking_comparison import rows_of

    if plot is not None:
        check(plot)
    settings = gallery.settings(precision=precision)
    readers = _readers(settings, recipe or [])
    with bar("Reading banners", "banners") as progress:
        collection = collect(
            readers, precision=settings.inference_precision, threads=cores(), progress=progress
        )
    rows_of(collection, chosen)  # report a wrong id before the work, not after it
    for problem in collection.problems[:3]:
        note(printable(f"Skipped: {problem.where}: {problem.reason}"))
    if len(collection.problems) > 3:
        note(f"Skipped: {len(collection.problems) - 3:,} more games")
    with bar("Comparing", "pictures") as progress:
        found = run(
            collection,
            labels=labels or [],
            across=across,
            copied=copies,
            queries=queries,
            seed=seed,
            threads=cores(),
            progress=progress,
        )
    if plot is not None:
        draw(found, plot)
    if markdown is not None:
        page = export.as_markdown(found, collection, chosen, labels or [])
        with writing_text(markdown, "--markdown") as text:
            text.write(page + "\n")
    if output.format == "json":
        say(export.as_json(found))
    else:
        from steamdino.present.cli.evaluation_table import print_evaluation

        with beside(markdown, plot):
            print_evaluation(found)


def _readers(settings: Settings, wanted: Sequence[str]) -> list[SnapshotReader]:
    """The newest snapshot of each recipe; those that are not built yet are built."""
    from steamdino.features.recipe_parser import parse
    from steamdino.gallery import Gallery
    from steamdino.index.snapshot_selection import newest_by_name, open_newest

    with Gallery.open(settings.folder):  # raises if there is no gallery
        built = {
            name: manifest.recipe.hash for name, (_, manifest) in newest_by_name(settings.folder).items()
        }
    if not wanted:
        if not built:
            raise SteamDinoError(
                f"the gallery {settings.folder} has no snapshot yet; run: steam-dino build -g {settings.folder}"
            )
        wanted = list(built)
    known = {*built, *built.values()}
    names = [text if text in known else parse(text).label for text in wanted]
    _build(settings, [name for name in dict.fromkeys(names) if name not in known])
    readers = [open_newest(settings.folder, built.get(name, name)) for name in names]
    return list({reader.manifest.recipe.hash: reader for reader in readers}.values())


def _build(settings: Settings, names: Sequence[str]) -> None:
    from steamdino.pipeline import build
    from steamdino.present.cli.progress import bar

    if names:
        note(
            f"Building {', '.join(names)} first; searches then answer from what was built last unless --recipe says"
            " otherwise."
        )
    for name in names:
        with bar(f"Encoding {name}", "banners") as progress:
            build(
                settings.folder,
                name,
                precision=settings.inference_precision,
                threads=settings.threads,
                neighbours=settings.neighbours,
                progress=progress,
            )
