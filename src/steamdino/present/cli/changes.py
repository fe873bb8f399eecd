"""`steam-dino changes`: what is new, what has a new banner, what left and what came back."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from steamdino.errors import NoSnapshotError, UsageError
from steamdino.present.cli.console import FILE_WIDTH, note, out
from steamdino.present.cli.filter_options import HidingFilterOptions
from steamdino.present.cli.options import GalleryOptions, RecipeOptions
from steamdino.present.cli.output_options import OutputOptions, check_outputs, format_option
from steamdino.present.display_text import closeness, printable, shortened
from steamdino.storage.output import output_name, writing_text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from steamdino.analysis.changes import Change, Changes
    from steamdino.search import Snapshot

FORMATS = ("table", "json", "html", "md")
LONGEST_NAME = 40
STDOUT = Path("-")


@dataclass(frozen=True, slots=True)
class ChangesOutput(OutputOptions):
    """How changes are printed, and where."""

    FORMATS: ClassVar[tuple[str, ...]] = FORMATS

    format: Annotated[str, format_option(FORMATS)] = "table"
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="File to write instead of stdout.", show_default=False
        ),
    ] = None


def changes(
    *,
    gallery: GalleryOptions,
    since: Annotated[
        str,
        typer.Option(
            metavar="WHEN",
            help="First day (UTC): a date like 2026-10-01 or 2026-10, or a span like 7d or 4w. Default: 7d.",
        ),
    ] = "",
    until: Annotated[
        str, typer.Option(metavar="DATE", help="Last day, included. Default: today.", show_default=False)
    ] = "",
    what: Annotated[
        str, typer.Option(metavar="WHAT,...", help="Kinds of change: new, art, left, back. Default: all.")
    ] = "",
    recipe: RecipeOptions,
    only: HidingFilterOptions,
    page: Annotated[int, typer.Option(metavar="N", help="Page of changes to show.")] = 1,
    per_page: Annotated[int, typer.Option(metavar="N", help="Changes per page.")] = 50,
    output: ChangesOutput,
) -> None:
    """Show what changed: new games, new banners, games that left and games that came back.

    Each new game is compared with the games that were there before it, and each new banner with the one that it
    replaced. Times are when the gallery noticed a change. The first games of a source are one line, and so is a day on
    which a source grows by a quarter or more.

    A similarity is unknown if one of two banners was never encoded: run `build` after every `sync`. Earlier pictures
    are only shown if `sync` or `add` ran with --keep-old.

    **Examples**

        steam-dino changes
        steam-dino changes --since 2026-10 --tag Horror
        steam-dino changes --since 30d --what art --format html -o art.html
    """
    from steamdino.analysis.changes import Changes
    from steamdino.analysis.period import period_of
    from steamdino.gallery import Gallery
    from steamdino.gallery.history import WHATS
    from steamdino.gallery.layout import check_kind

    check_outputs(("-o", output.output))
    check_kind(recipe.kind)
    period = period_of(since, until)
    if page < 1 or per_page < 1:
        raise UsageError(f"--page is {page} and --per-page {per_page}; both must be at least 1")
    whats = [one.strip() for one in what.split(",") if one.strip()] or WHATS
    snapshot = _snapshot(gallery, recipe)
    with Gallery.open(gallery.folder) as opened:
        found = Changes(opened, snapshot, period, kind=recipe.kind, only=only.filter, whats=whats)
        pages = -(-len(found) // per_page)
        if page > max(pages, 1):
            raise UsageError(f"--page is {page}, but there are only {pages}")
        shown = found.page((page - 1) * per_page, per_page)
    if len(found) or found.imports:
        if period.first < found.recorded_from[:10]:
            note(f"Changes of banners and returns are known from {found.recorded_from[:10]} on.")
    elif found.latest:
        note(f"The last change was on {found.latest[:10]}; see it with: --since {found.latest[:10]}")
    offset = (page - 1) * per_page
    more = f"Page {page:,} of {pages:,}; next: --page {page + 1}" if page < pages else ""
    _write(found, shown, output, snapshot, offset, more)


def _snapshot(gallery: GalleryOptions, recipe: RecipeOptions) -> Snapshot | None:
    """The snapshot to compare in; None if nothing was built yet and no recipe was asked for."""
    try:
        return gallery.open(recipe)
    except NoSnapshotError:
        if recipe.recipe is not None:
            raise
        note("Nothing is built yet, so no similarity is known. To compare banners, run: steam-dino build")
        return None


def _write(
    found: Changes,
    page: Sequence[Change],
    output: ChangesOutput,
    snapshot: Snapshot | None,
    offset: int,
    more: str,
) -> None:
    from steamdino.present.export import changes_report

    place = output.output or STDOUT
    if output.format == "table" and output.output is None:
        _print(out(), found, page, more)
        return
    if output.format == "table":
        text = _as_text(found, page, more)
    elif output.format == "json":
        recipe = snapshot.recipe.name if snapshot else None
        text = changes_report.as_json(found, page, recipe, offset) + "\n"
    elif output.format == "md":
        folder = Path.cwd() if output.output is None else place.absolute().parent
        text = changes_report.as_markdown(found, page, folder)
    else:
        text = changes_report.as_page(found, page, more)
    with writing_text(place, "-o") as file:
        file.write(text)
    if more and output.format != "table":
        note(more)
    if output.output is not None:
        note(f"{output_name(place)}: {len(page):,} changes")


def _as_text(found: Changes, page: Sequence[Change], more: str) -> str:
    from rich.console import Console

    buffer = io.StringIO()
    _print(Console(file=buffer, width=FILE_WIDTH, highlight=False, soft_wrap=True), found, page, more)
    return buffer.getvalue()


def _print(console: Console, found: Changes, page: Sequence[Change], more: str) -> None:
    from rich.table import Table
    from rich.text import Text

    from steamdino.present.export.changes_report import import_line, summary, title

    console.print(Text(f"{title(found)}: ", style="bold") + Text(summary(found.counts)))
    for line in map(import_line, found.imports):
        console.print(Text(printable(line), style="dim"))
    if page:
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in ("day", "what", "game", "similarity", "closer than", "compared with"):
            table.add_column(heading, justify="right" if heading == "similarity" else "left")
        last = ""
        for one in page:
            day, last = (one.day if one.day != last else ""), one.day
            table.add_row(day, one.what, Text(_named(one.game.name, one.game.id)), *_compared(one))
        console.print(table)
    if more:
        console.print(Text(more, style="dim"))


def _compared(change: Change) -> tuple[str, str, Text]:
    """The similarity, its percentile, and what it was compared with."""
    from rich.text import Text

    from steamdino.present.export.changes_report import remark

    near = change.closest
    if near is not None:
        closer = "identical" if near.identical else _closer(near.percentile)
        return f"{near.similarity:.3f}", closer, Text(_named(near.name, near.id), style="dim")
    if change.similarity is not None:
        before = "the banner before" + (", an earlier one again" if change.again else "")
        return f"{change.similarity:.3f}", _closer(change.percentile), Text(before, style="dim")
    return "", "", Text(remark(change), style="dim")


def _closer(percentile: float | None) -> str:
    return "" if percentile is None else closeness(percentile)


def _named(name: str, game_id: str) -> str:
    return f"{shortened(printable(name), LONGEST_NAME)} ({printable(game_id)})"
