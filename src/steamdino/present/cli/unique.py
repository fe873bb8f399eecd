"""`steam-dino unique`: the games whose banners look like no other's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from steamdino.errors import UsageError
from steamdino.present.cli.console import beside, draws, note, note_undated, out, say
from steamdino.present.cli.options import (
    AdultOption,
    FreeOption,
    GalleryOption,
    HtmlOption,
    KindOption,
    PicturesOption,
    RecipeOption,
    ReleasedOption,
    ReviewsOption,
    SheetOption,
    SnapshotOption,
    TagOption,
    check_format,
    check_outputs,
)
from steamdino.present.display_text import printable, shortened
from steamdino.settings import Settings
from steamdino.storage.output import output_name

if TYPE_CHECKING:
    from steamdino.analysis.unique import UniqueGame

FORMATS = ("table", "json", "csv", "md", "bbcode", "ids")
USUAL = 250
"""Games, if neither a number nor a similarity is given."""
LONGEST_NAME = 40
DRAWN = 40
"""Banners in the terminal."""

NOTES = {
    "unique": "Games whose nearest neighbour is the least similar in the whole gallery, the loneliest first; beside"
    " each the one that comes closest to it.",
    "diverse": "A set of games that differ from each other as much as possible: each is as unlike all before it as can"
    " be; beside each the one of them that comes closest. It spans the whole gallery: its games need not be unique.",
}


def unique(
    gallery: GalleryOption = None,
    n: Annotated[
        int | None,
        typer.Option(
            "-n",
            metavar="N",
            help=f"How many games. Default: {USUAL}, or all that --below lets through.",
            show_default=False,
        ),
    ] = None,
    below: Annotated[
        float | None,
        typer.Option(metavar="SIMILARITY", help="Only games less similar than that.", show_default=False),
    ] = None,
    k: Annotated[int, typer.Option("-k", metavar="N", help="How many neighbours count; their average.")] = 1,
    ignore_duplicates: Annotated[
        bool,
        typer.Option(
            "--ignore-duplicates", help="Let copies of one banner count as one game, not as a neighbour."
        ),
    ] = False,
    diverse: Annotated[
        bool, typer.Option("--diverse", help="A set whose games differ from each other: another thing.")
    ] = False,
    recipe: RecipeOption = None,
    packed: SnapshotOption = None,
    kind: KindOption = "vertical",
    tag: TagOption = None,
    released: ReleasedOption = "",
    min_reviews: ReviewsOption = 0,
    free: FreeOption = False,
    adult: AdultOption = False,
    output: Annotated[
        str, typer.Option("--format", metavar="|".join(FORMATS), help="How to print.")
    ] = "table",
    html: HtmlOption = None,
    sheet: SheetOption = None,
    pictures: PicturesOption = None,
) -> None:
    """Show the games whose banners look like no other's: those whose nearest neighbour is the least similar.

    Each comes with its closest match. With a filter, games are compared within it: `--tag Horror` shows which look
    unusual among horror games. A game whose banner is in the store twice is not unique, unless --ignore-duplicates lets
    the copies count as one.

    --diverse shows another thing: a set of games that are as unlike *each other* as possible (farthest-point
    traversal). It spans the whole gallery, ordinary corners included; --below stops it where the next game would be as
    similar as that to one before it.

    **Examples**

        steam-dino unique -n 50 --html unique.html
        steam-dino unique --below 0.4 --ignore-duplicates --format ids

        steam-dino unique --diverse -n 100 --sheet diverse.png
    """
    check_format(output, FORMATS)
    from steamdino.analysis import unique as analysis
    from steamdino.pipeline.duplicate_groups import duplicate_ids
    from steamdino.present.cli.progress import bar
    from steamdino.present.export import mosaic, unique_report
    from steamdino.search import Snapshot
    from steamdino.search.filter_parser import filter_of

    if packed and ignore_duplicates:
        raise UsageError("--ignore-duplicates looks at the pictures of a gallery; a packed snapshot has none")
    if diverse and k != 1:
        raise UsageError("-k counts neighbours, of which --diverse has none; leave one of them out")
    if sheet:
        mosaic.check_png(sheet)
    check_outputs(("--html", html), ("--sheet", sheet), form=output)
    place = packed or Settings.load({"gallery": gallery}).gallery
    snapshot = Snapshot.open(place, recipe, kind=kind)
    only = filter_of(tag or (), released, min_reviews, free=free, adult=adult)
    wanted = USUAL if n is None and below is None else n
    with bar("Comparing", "games") as progress:
        out_of_it = duplicate_ids(place, recipe, kind=kind, progress=progress) if ignore_duplicates else ()
        if diverse:
            found = analysis.diverse(
                snapshot, wanted, below=below, only=only, leave_out=out_of_it, progress=progress
            )
        else:
            found = analysis.unique(
                snapshot, wanted, below=below, k=k, only=only, leave_out=out_of_it, progress=progress
            )
    note_undated(snapshot.undated(only))
    mode = "diverse" if diverse else "unique"
    title = "Games that differ from each other" if diverse else "Games whose banners look like no other's"
    if html:
        unique_report.write_list(html, found, title=title, note=NOTES[mode])
        note(f"{output_name(html)}: a page with pictures")
    if sheet:
        unique_report.write_grid(sheet, found, title=title)
        note(f"{output_name(sheet)}: {len(found):,} banners")
    if output == "table":
        with beside(html, sheet):
            _print(found, title, pictures)
    elif output == "json":
        say(unique_report.as_json(found, snapshot.recipe.name, mode))
    elif output == "csv":
        say(unique_report.as_csv(found))
    elif found and output == "ids":
        say(unique_report.as_ids(found))
    elif found:
        say(_wiki(found, output, place, kind))


def _wiki(found: Sequence[UniqueGame], output: str, gallery: Path, kind: str) -> str:
    from steamdino.present.export import markup, unique_report
    from steamdino.present.export.banner_urls import addresses

    to = markup.PictureLinks(addresses(gallery, kind), Path.cwd())
    return unique_report.as_wiki(found, to, markup.WRITERS[output])


def _print(found: Sequence[UniqueGame], title: str, pictures: bool | None) -> None:
    from rich.table import Table
    from rich.text import Text

    from steamdino.present.cli.terminal_pictures import grid

    console = out()
    if not found:
        note("No game is as unlike the others as that.")
        return
    console.print(Text(title, style="bold"))
    if draws(pictures, console):
        labelled = [(f"{one.rank}  {_three(one.similarity)}", one.game.picture) for one in found[:DRAWN]]
        console.print(grid(labelled, console.width))
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading, right in (("#", True), ("similarity", True), ("name", False), ("closest", False)):
        table.add_column(heading, justify="right" if right else "left")
    for one in found:
        closest = _named(one.closest.name, one.closest.id) if one.closest else ""
        table.add_row(
            str(one.rank),
            _three(one.similarity),
            Text(_named(one.game.name, one.game.id)),
            Text(closest, style="dim"),
        )
    console.print(table)


def _named(name: str, game_id: str) -> str:
    return f"{shortened(printable(name), LONGEST_NAME)} ({printable(game_id)})"


def _three(similarity: float | None) -> str:
    return "" if similarity is None else f"{similarity:.3f}"
