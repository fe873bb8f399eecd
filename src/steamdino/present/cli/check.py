"""`steam-dino check`: what is wrong with the banners."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from steamdino.errors import UsageError
from steamdino.present.cli.build import size_of
from steamdino.present.cli.console import beside, note, out, say
from steamdino.present.cli.options import GalleryOptions, KindOption, PageOutputOptions, format_option
from steamdino.present.display_text import printable, shortened
from steamdino.storage.output import output_name

if TYPE_CHECKING:
    from steamdino.pipeline.check import Checked

EXAMPLES = 3
LONGEST_NAME = 24
FORMATS = ("table", "json", "csv")


@dataclass(frozen=True, slots=True)
class CheckOutput(PageOutputOptions):
    """How flaws are printed, and what is written beside."""

    FORMATS: ClassVar[tuple[str, ...]] = FORMATS

    format: Annotated[str, format_option(FORMATS)] = "table"


def check(
    *,
    gallery: GalleryOptions,
    size: Annotated[
        str | None,
        typer.Option(
            metavar="WxH",
            help="That banners should have. Default: what most of them have.",
            show_default=False,
        ),
    ] = None,
    kind: KindOption = "vertical",
    output: CheckOutput,
    exclude: Annotated[
        str, typer.Option(metavar="FLAW,...", help="Make searches skip banners with these flaws.")
    ] = "",
    restore: Annotated[
        str, typer.Option(metavar="FLAW,...|all", help="Take back what was excluded for these flaws.")
    ] = "",
    decisions: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Note decisions about duplicates; see below.", show_default=False),
    ] = None,
) -> None:
    """Look for flaws in all banners: blank, dark, pale, blurry, of another size, unreadable, copies of others.

    Each picture is measured once; a later check looks at new ones only. Copies that were re-encoded are found by the
    vectors of `build`. With --exclude, games are left out of searches from the next `build` on; --restore takes them
    back.

    A file of decisions has on each line "A different B", "A same B" (two ids) or "keep A" (never to be excluded or
    removed). Decisions stay, whatever is added, built or moved later.

    **Examples**

        steam-dino check --html flaws.html
        steam-dino check --exclude blank,unreadable,placeholder

        steam-dino check --restore all
    """
    from steamdino.analysis.flaws import FLAWS
    from steamdino.pipeline import check as pipeline
    from steamdino.present.cli.progress import bar
    from steamdino.present.export import check_report

    output.check()
    place, html = gallery.folder, output.html
    unwanted = _flaws("--exclude", exclude, FLAWS)
    wanted_back = None if restore == "all" else _flaws("--restore", restore, FLAWS)
    if decisions:
        made = pipeline.read_decisions(decisions)
        pipeline.decide(place, made)
        note(f"{len(made):,} decisions noted.")
    if restore:
        count = pipeline.restore(place, wanted_back)
        note(f"{count:,} games are taken back; run: steam-dino build")
    if (decisions or restore) and not (exclude or html):
        return
    with bar("Checking", "banners") as progress:
        try:
            checked = pipeline.check(place, kind=kind, size=size_of(size), threads=2, progress=progress)
        except KeyboardInterrupt:
            note("Stopped. What was measured is kept; the same command goes on.")
            raise typer.Exit(130) from None
    if html:
        check_report.write_flaws(html, checked.findings, place)
    if output.format == "json":
        say(check_report.findings_json(checked.findings))
    elif output.format == "csv":
        say(check_report.findings_csv(checked.findings))
    else:
        with beside(html):
            _print(checked)
    if not checked.compared:
        note("Copies that were re-encoded are found only in a gallery that is built; run: steam-dino build")
    if html:
        note(f"{output_name(html)}: a page with pictures")
    if unwanted:
        count = pipeline.exclude(place, checked.findings, unwanted)
        note(f"{count:,} more games will be skipped; run: steam-dino build")


def _flaws(flag: str, text: str, known: tuple[str, ...]) -> list[str]:
    chosen = [part.strip() for part in text.split(",") if part.strip()]
    for one in chosen:
        if one not in known:
            raise UsageError(f"{flag}: there is no flaw {one!r}; there are: {', '.join(known)}")
    return chosen


def _print(checked: Checked) -> None:
    from rich.table import Table
    from rich.text import Text

    from steamdino.present.export.check_report import by_flaw

    console = out()
    size = f"usual size {checked.size[0]}x{checked.size[1]}" if checked.size else "no usual size"
    console.print(Text(f"{checked.banners:,} banners, {checked.measured:,} of them measured now; {size}"))
    table = Table(box=None, pad_edge=False)
    for heading in ("flaw", "banners", "the worst of them"):
        table.add_column(heading, justify="right" if heading == "banners" else "left")
    for flaw, found in by_flaw(checked.findings).items():
        examples = "; ".join(
            f"{shortened(printable(one.name), LONGEST_NAME)} ({shortened(printable(one.game_id), LONGEST_NAME)}):"
            f" {printable(one.detail)}"
            for one in found[:EXAMPLES]
        )
        table.add_row(flaw, f"{len(found):,}", Text(examples))
    console.print(table if checked.findings else Text("Nothing is wrong."))
