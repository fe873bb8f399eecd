"""`steam-dino unique`: the games whose banners look like no other's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from steamdino.errors import UsageError
from steamdino.present.cli.console import beside, draws, note, note_undated, out, say
from steamdino.present.cli.filter_options import HidingFilterOptions
from steamdino.present.cli.options import RecipeOptions, SnapshotOptions
from steamdino.present.cli.output_options import PageOutputOptions, PicturesOption, format_option
from steamdino.present.display_text import printable, shortened
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


@dataclass(frozen=True, slots=True)
class UniqueOutput(PageOutputOptions):
    """How unique games are printed, and what is written beside."""

    FORMATS: ClassVar[tuple[str, ...]] = FORMATS

    format: Annotated[str, format_option(FORMATS)] = "table"
    sheet: Annotated[
        Path | None,
        typer.Option(
            "--sheet",
            metavar="FILE",
            help="Also write the banners as one PNG. - is stdout.",
            show_default=False,
        ),
    ] = None
    pictures: PicturesOption = None

    def files(self) -> tuple[tuple[str, Path | None], ...]:
        """The options that name files, and these."""
        return (("--html", self.html), ("--sheet", self.sheet))


def unique(
    *,
    gallery: SnapshotOptions,
    n: Annotated[
        int | None,
        typer.Option(
            "-n",
            metavar="N",
            help=f"Maximum number of games. Default: {USUAL}, or no limit with --below.",
            show_default=False,
        ),
    ] = None,
    below: Annotated[
        float | None,
        typer.Option(metavar="SIMILARITY", help="Only games below this similarity.", show_default=False),
    ] = None,
    k: Annotated[int, typer.Option("-k", metavar="N", help="Number of nearest neighbours to average.")] = 1,
    ignore_duplicates: Annotated[
        bool,
        typer.Option(
            "--ignore-duplicates", help="Count copies of one banner as one game, not as neighbours."
        ),
    ] = False,
    diverse: Annotated[
        bool, typer.Option("--diverse", help="Show a diverse set instead: games that differ from each other.")
    ] = False,
    recipe: RecipeOptions,
    only: HidingFilterOptions,
    output: UniqueOutput,
) -> None:
    """Show the games whose banners look like no other's: those whose nearest neighbour is the least similar.

    Each comes with its closest match. Filters also limit the comparison: `--tag Horror` shows which games look unusual
    among horror games. A game whose banner is in the store twice is not unique, unless you pass --ignore-duplicates.

    --diverse shows a set of games that are as unlike *each other* as possible (farthest-point traversal). The set spans
    the whole gallery, so its games need not be unique. --below stops when the next game would be at least that similar
    to an earlier one.

    **Examples**

        steam-dino unique -n 50 --html unique.html
        steam-dino unique --below 0.4 --ignore-duplicates --format ids

        steam-dino unique --diverse -n 100 --sheet diverse.png
    """
    from steamdino.analysis import unique as analysis
    from steamdino.pipeline.duplicate_search import duplicate_ids
    from steamdino.present.cli.progress import bar
    from steamdino.present.export import mosaic, unique_report

    if gallery.snapshot and ignore_duplicates:
        raise UsageError(
            "--ignore-duplicates needs the pictures of a gallery, and a packed snapshot has none; omit one of the two"
        )
    if diverse and k != 1:
        raise UsageError(f"-k is {k}, and --diverse does not average neighbours; omit one of the two")
    if output.sheet:
        mosaic.check_png(output.sheet)
    output.check()
    snapshot = gallery.open(recipe)
    place, allowed = gallery.searched, only.filter
    wanted = USUAL if n is None and below is None else n
    with bar("Comparing", "games") as progress:
        out_of_it = (
            duplicate_ids(place, recipe.recipe, kind=recipe.kind, progress=progress)
            if ignore_duplicates
            else ()
        )
        if diverse:
            found = analysis.diverse(
                snapshot, wanted, below=below, only=allowed, leave_out=out_of_it, progress=progress
            )
        else:
            found = analysis.unique(
                snapshot, wanted, below=below, k=k, only=allowed, leave_out=out_of_it, progress=progress
            )
    note_undated(snapshot.undated(allowed))
    mode = "diverse" if diverse else "unique"
    title = "Games that differ from each other" if diverse else "Games whose banners look like no other's"
    if output.html:
        unique_report.write_list(output.html, found, title=title, note=NOTES[mode])
        note(f"{output_name(output.html)}: a page with pictures")
    if output.sheet:
        unique_report.write_grid(output.sheet, found, title=title)
        note(f"{output_name(output.sheet)}: {len(found):,} banners")
    if output.format == "table":
        with beside(output.html, output.sheet):
            _print(found, title, below, output.pictures)
    elif output.format == "json":
        say(unique_report.as_json(found, snapshot.recipe.name, mode))
    elif output.format == "csv":
        say(unique_report.as_csv(found))
    elif found and output.format == "ids":
        say(unique_report.as_ids(found))
    elif found:
        say(_wiki(found, output.format, place, recipe.kind))


def _wiki(found: Sequence[UniqueGame], output: str, gallery: Path, kind: str) -> str:
    from steamdino.present.export import markup, unique_report
    from steamdino.present.export.banner_urls import steam_pictures

    to = markup.PictureLinks(steam_pictures(gallery, kind), Path.cwd())
    return unique_report.as_wiki(found, to, markup.LINKS[output])


def _print(found: Sequence[UniqueGame], title: str, below: float | None, pictures: bool | None) -> None:
    from rich.table import Table
    from rich.text import Text

    from steamdino.present.cli.terminal_pictures import grid

    console = out()
    if not found:
        note("No game passes the filters." if below is None else "No game is below this similarity.")
        return
    console.print(Text(title, style="bold"))
    if draws(pictures, console):
        labelled = [(f"{one.rank}  {_three(one.similarity)}", one.game.location) for one in found[:DRAWN]]
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
