"""`steam-dino check`: find flawed banners."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from steamdino.errors import UsageError
from steamdino.present.cli.build import size_of
from steamdino.present.cli.console import beside, note, out, say
from steamdino.present.cli.options import GalleryOptions, KindOption
from steamdino.present.cli.output_options import PageOutputOptions, format_option
from steamdino.present.cli.threshold_options import given
from steamdino.present.display_text import printable, shortened
from steamdino.settings import CheckSettings
from steamdino.storage.output import output_name
from steamdino.thresholds import ADJUSTABLE

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
            help="Expected banner size. Default: the usual sizes in the gallery.",
            show_default=False,
        ),
    ] = None,
    kind: KindOption = "vertical",
    threshold: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FLAW=SCORE",
            help="Report a flaw below this score, from 0 (never) to 1; may be repeated. Default: see the settings.",
            show_default=False,
        ),
    ] = None,
    output: CheckOutput,
    exclude: Annotated[
        str, typer.Option(metavar="FLAW,...", help="Exclude banners with these flaws from searches.")
    ] = "",
    restore: Annotated[
        str, typer.Option(metavar="FLAW,...|all", help="Include again what was excluded for these flaws.")
    ] = "",
    decisions: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Read decisions about duplicates from a file; see below.", show_default=False
        ),
    ] = None,
) -> None:
    """Find flawed banners: blank, dark, pale, blurry, framed, of an unusual size, unreadable, duplicates.

    Each picture is measured once; a later check only measures new ones. Re-encoded copies are found by the vectors of
    `build`. --exclude removes games from searches from the next `build` on; --restore brings them back.

    blank, dark, light, low-information, blurry, border, grey and odd-aspect have thresholds. The table [check] of
    steamdino.toml changes them for good: blurry = 0.2, odd_aspect = 0.8.

    Each line of a decisions file is "A different B", "A same B" (two ids) or "keep A" (never exclude or remove it).
    Decisions are kept whatever is added, built or moved later.

    **Examples**

        steam-dino check --html flaws.html
        steam-dino check --threshold blurry=0.25 --threshold grey=0
        steam-dino check --exclude blank,unreadable,placeholder

        steam-dino check --restore all
    """
    from steamdino.analysis.flaws import FLAWS
    from steamdino.engines.cores import cores
    from steamdino.pipeline import check as checking
    from steamdino.pipeline import decisions as deciding
    from steamdino.pipeline import exclusions
    from steamdino.present.cli.progress import bar
    from steamdino.present.export import check_report

    output.check()
    place, html = gallery.folder, output.html
    unwanted = _flaws("--exclude", exclude, FLAWS)
    thresholds = _thresholds(threshold or ())
    wanted_back = None if restore == "all" else _flaws("--restore", restore, FLAWS)
    if decisions:
        made = deciding.read_decisions(decisions)
        deciding.decide(place, made)
        note(f"{len(made):,} decisions saved.")
    if restore:
        count = exclusions.restore(place, wanted_back)
        note(f"{count:,} games are included again; run: steam-dino build")
    if (decisions or restore) and not (exclude or html):
        return
    with bar("Checking", "banners") as progress:
        try:
            checked = checking.check(
                place,
                kind=kind,
                size=size_of(size),
                thresholds=thresholds,
                threads=cores(),
                progress=progress,
            )
        except KeyboardInterrupt:
            note("Stopped. Measurements are kept; run the same command to continue.")
            raise typer.Exit(130) from None
    if html:
        check_report.write_flaws(html, checked.findings, place)
    if output.format == "json":
        for line in check_report.findings_json(checked.findings):
            say(line)
    elif output.format == "csv":
        for line in check_report.findings_csv(checked.findings):
            say(line)
    else:
        with beside(html):
            _print(checked)
    if not checked.compared:
        note("Re-encoded copies can be found only after a build; run: steam-dino build")
    if html:
        note(f"{output_name(html)}: a page with pictures")
    if unwanted:
        count = exclusions.exclude(place, checked.findings, unwanted)
        note(f"{count:,} more games will be skipped; run: steam-dino build")


def _flaws(flag: str, text: str, known: tuple[str, ...]) -> list[str]:
    chosen = [part.strip() for part in text.split(",") if part.strip()]
    for one in chosen:
        if one not in known:
            raise UsageError(f"{flag}: there is no flaw {one!r}; known flaws: {', '.join(known)}")
    return chosen


def _thresholds(texts: Sequence[str]) -> CheckSettings:
    """Read the thresholds of the option, such as "blurry=0.2"; the others come from the settings."""
    return CheckSettings.load(given(texts, dict.fromkeys(ADJUSTABLE, 1), "blurry=0.2"))


def _print(checked: Checked) -> None:
    from rich.table import Table
    from rich.text import Text

    from steamdino.present.export.check_report import by_flaw

    console = out()
    sizes = ", ".join(f"{width}x{height}" for width, height in checked.sizes) or "none"
    console.print(
        Text(f"{checked.banners:,} banners, {checked.measured:,} measured now; usual sizes: {sizes}")
    )
    table = Table(box=None, pad_edge=False)
    for heading in ("flaw", "banners", "worst examples"):
        table.add_column(heading, justify="right" if heading == "banners" else "left")
    for flaw, found in by_flaw(checked.findings).items():
        examples = "; ".join(
            f"{shortened(printable(one.name), LONGEST_NAME)} ({shortened(printable(one.game_id), LONGEST_NAME)}):"
            f" {printable(one.detail)}"
            for one in found[:EXAMPLES]
        )
        table.add_row(flaw, f"{len(found):,}", Text(examples))
    console.print(table if checked.findings else Text("No flaws found."))
