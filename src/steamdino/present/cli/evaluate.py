"""`steam-dino evaluate`: recipes compared on one gallery, with numbers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from steamdino.errors import SteamDinoError, UsageError
from steamdino.present.cli.console import beside, note, say
from steamdino.present.cli.options import GalleryOptions, OutputOptions, PrecisionOption
from steamdino.present.display_text import printable
from steamdino.storage.output import writing_text

if TYPE_CHECKING:
    from steamdino.index.snapshot import SnapshotReader
    from steamdino.settings import Settings


def evaluate(
    *,
    gallery: GalleryOptions,
    recipe: Annotated[
        list[str] | None,
        typer.Option(
            "--recipe",
            metavar="RECIPE",
            help="One to compare, as in build --recipe; may be given several times. What is not built yet is built"
            " first. Default: all that the gallery was built under.",
            show_default=False,
        ),
    ] = None,
    labels: Annotated[
        list[str] | None,
        typer.Option(
            "--labels",
            metavar="COLUMN",
            help="Games with the same label in this column should be found; may be given several times.",
            show_default=False,
        ),
    ] = None,
    across: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Count only games of another value here: near ones (the same art) and diff ones (another) apart.",
            show_default=False,
        ),
    ] = None,
    copies: Annotated[
        int,
        typer.Option(min=0, metavar="N", help="Games whose banners are changed on purpose and looked for."),
    ] = 200,
    queries: Annotated[
        int, typer.Option(min=1, metavar="N", help="The most games to ask about for each column of labels.")
    ] = 2000,
    games: Annotated[
        str, typer.Option(metavar="ID,...", help="Games whose matches --markdown shows.", show_default=False)
    ] = "",
    markdown: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="A page with the ranking to write; - for stdout.", show_default=False
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="An .svg or .png to draw; - for SVG on stdout.", show_default=False
        ),
    ] = None,
    output: OutputOptions,
    seed: Annotated[int, typer.Option(min=0, help="Of everything that is left to chance.")] = 0,
    precision: PrecisionOption = None,
) -> None:
    """Compare recipes on one gallery, beside baselines that need no model.

    Copies: banners are cropped, mirrored, recoloured and so on, and the original is looked for. It takes no labels.

    Labels: with --labels, games that share one should find each other. Cells with several labels are lists, or texts
    with ";" between them; one in common will do.

    Then: how far the recipes agree on a game's neighbours, how fast each is, and how large. Intervals hold 95 % of
    2,000 bootstrap draws over the labels; a star marks a difference from the first recipe whose interval leaves out 0.

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
    from steamdino.pipeline.decoding import cores
    from steamdino.present.cli.progress import bar
    from steamdino.present.export import evaluation_report as export
    from steamdino.present.export.evaluation_plot import check, draw
    from steamdino.present.export.ranking_comparison import rows_of

    if plot is not None:
        check(plot)
    settings = gallery.settings(precision=precision)
    readers = _readers(settings, recipe or [])
    with bar("Reading banners", "banners") as progress:
        collection = collect(readers, precision=settings.precision, threads=cores(), progress=progress)
    rows_of(collection, chosen)  # a wrong id is told before the work, not after it
    for problem in collection.problems[:3]:
        note(printable(f"Left out: {problem.where}: {problem.reason}"))
    if len(collection.problems) > 3:
        note(f"Left out: {len(collection.problems) - 3:,} more games")
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
    from steamdino.index.snapshot import answering, open_newest

    with Gallery.open(settings.gallery):  # says so where there is none
        built = {name: manifest.recipe.hash for name, (_, manifest) in answering(settings.gallery).items()}
    if not wanted:
        if not built:
            raise SteamDinoError(
                f"the gallery {settings.gallery} has no snapshot yet; run: steam-dino build -g {settings.gallery}"
            )
        wanted = list(built)
    known = {*built, *built.values()}
    names = [text if text in known else parse(text).label for text in wanted]
    _build(settings, [name for name in dict.fromkeys(names) if name not in known])
    readers = [open_newest(settings.gallery, built.get(name, name)) for name in names]
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
                settings.gallery,
                name,
                precision=settings.precision,
                threads=settings.threads,
                progress=progress,
            )
