"""`steam-dino audit`: compare draft banners with the gallery."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from steamdino.errors import NoGalleryError
from steamdino.present.cli.console import beside, draws, note, out, say
from steamdino.present.cli.options import InferenceOptions, SnapshotOptions
from steamdino.present.cli.output_options import PageOutputOptions, PicturesOption
from steamdino.present.display_text import closeness, printable, shortened
from steamdino.settings import CheckSettings
from steamdino.storage.output import output_name

if TYPE_CHECKING:
    from rich.console import Console

    from steamdino.analysis.audit import Audit

LONGEST_NAME = 50


@dataclass(frozen=True, slots=True)
class AuditOutput(PageOutputOptions):
    """How audits are printed, and what is written beside."""

    pictures: PicturesOption = None


def audit(
    drafts: Annotated[
        list[Path], typer.Argument(metavar="PICTURE...", help="Draft banners (picture files).")
    ],
    *,
    gallery: SnapshotOptions,
    k: Annotated[int, typer.Option("-k", metavar="N", help="Number of similar games to show.")] = 10,
    tag: Annotated[
        list[str] | None,
        typer.Option(
            "--tag",
            metavar="TAG",
            help="Also compare with the games of this tag. Repeat for several.",
            show_default=False,
        ),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(
            metavar="GAME", help="Skip this game, e.g. the draft's own, by id or name.", show_default=False
        ),
    ] = None,
    recipe: InferenceOptions,
    output: AuditOutput,
) -> None:
    """Compare draft banners with the gallery: closest games, how unusual the drafts are, and their flaws.

    "More unusual than 83 % of all games" means that 83 of 100 games have a closer nearest neighbour than the draft has.
    --tag also compares the draft with the games of a tag. Several drafts are shown side by side.

    The page that --html writes includes its pictures, so you can send it to a colleague. It also shows where a draft
    resembles its closest game.

    **Examples**

        steam-dino audit draft.png --tag Horror

        steam-dino audit a.png b.png --html drafts.html
        steam-dino audit new-banner.png --without 730
    """
    from steamdino.analysis.audit import Auditor
    from steamdino.pipeline.check import expected_size
    from steamdino.present.export import audit_report as export

    output.check()
    snapshot = gallery.open(recipe, precision=recipe.precision)
    try:
        size = None if gallery.snapshot else expected_size(gallery.home, recipe.kind)
    except NoGalleryError:
        size = None  # a snapshot's own folder
    auditor = Auditor(
        snapshot, tags=tag or (), size=size, thresholds=CheckSettings.load({}), without=without or ()
    )
    audits = [auditor(draft, k) for draft in drafts]
    if output.html:
        title = f"Audit of {drafts[0].name}" if len(drafts) == 1 else f"Audit of {len(drafts)} drafts"
        export.write_report(output.html, audits, title=title)
        note(f"{output_name(output.html)}: a page with pictures")
    if output.format == "json":
        say(export.as_json(audits))
        return
    with beside(output.html):
        _print_all(audits, output.pictures)


def _print_all(audits: Sequence[Audit], draw: bool | None) -> None:
    console = out()
    if len(audits) > 1:
        _compare(console, audits)
    for number, one in enumerate(audits):
        if number or len(audits) > 1:
            console.print()
        _print(console, one, draw)


def _compare(console: Console, audits: Sequence[Audit]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    scopes = [f"unusual, {printable(one.tag)}" if one.tag else "unusual" for one in audits[0].standings]
    for heading in ("draft", "closest", "similarity", *scopes, "flaws"):
        table.add_column(Text(heading))
    for one in audits:
        first = one.matches[0] if one.matches else None
        table.add_row(
            Text(printable(one.picture.name)),
            Text(_named(first.name)) if first else "",
            f"{first.similarity:.3f}" if first else "",
            *("" if s.percentile is None else f"{s.percentile:.0f} %" for s in one.standings),
            ", ".join(flaw.flaw for flaw in one.flaws) or "none",
        )
    console.print(table)


def _print(console: Console, one: Audit, draw: bool | None) -> None:
    from rich.table import Table
    from rich.text import Text

    from steamdino.present.cli.terminal_pictures import grid
    from steamdino.present.export.audit_report import unusual, verdict
    from steamdino.present.export.explanation_drawing import heat

    console.print(Text(f"{printable(one.picture.name)}, {one.size[0]}x{one.size[1]}", style="bold"))
    console.print(Text(printable(verdict(one))))
    for standing in one.standings:
        console.print(Text(printable(unusual(standing))))
    for flaw in one.flaws:
        console.print(Text(f"{flaw.flaw}: {printable(flaw.detail)}", style="yellow"))
    if draws(draw, console):
        shown: list[tuple[str, object]] = [("draft", one.picture)]
        if one.explanation:
            shown += [("closest", one.matches[0].game.location)]
            shown += [("alike", heat(side)) for side in (one.explanation.first, one.explanation.second)]
        console.print(grid(shown, console.width))  # type: ignore[arg-type]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading, right in (
        ("#", True),
        ("similarity", True),
        ("closer than", True),
        ("name", False),
        ("id", False),
    ):
        table.add_column(heading, justify="right" if right else "left")
    for match in one.matches:
        closer = "identical" if match.identical else closeness(match.percentile) if match.percentile else ""
        table.add_row(
            str(match.rank),
            f"{match.similarity:.3f}",
            closer,
            Text(_named(match.name)),
            Text(printable(match.id), style="dim"),
        )
    console.print(table)


def _named(name: str) -> str:
    return printable(shortened(name, LONGEST_NAME))
