"""`steam-dino models quantize`: a model in 8 bits, compared with the original."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from steamdino.errors import ModelError
from steamdino.present.cli.console import note, out, say
from steamdino.present.cli.output_options import OutputOptions

if TYPE_CHECKING:
    from steamdino.pipeline.quantise import Comparison, Quantised


def quantize(
    name: Annotated[str, typer.Argument(metavar="MODEL", help="Name as in `models list`, or a short name.")],
    *,
    gallery: Annotated[
        Path | None,
        typer.Option(
            "--gallery",
            "-g",
            metavar="DIR",
            help="Gallery whose banners are used. Default: banners of the drawn store.",
            show_default=False,
        ),
    ] = None,
    samples: Annotated[
        int, typer.Option(min=12, metavar="N", help="Maximum number of banners to calibrate on.")
    ] = 300,
    as_name: Annotated[
        str | None,
        typer.Option(
            "--out", metavar="NAME", help="Name of the result. Default: MODEL-q8.", show_default=False
        ),
    ] = None,
    output: OutputOptions,
) -> None:
    """Quantise a model to 8 bits, which CPUs with VNNI or AMX compute faster.

    The ranges of numbers are calibrated on banners. Other banners are then encoded by the original in f32 and by the
    quantised model: how near are the vectors (least, first percentile and median of the cosines), how many of the ten
    nearest neighbours are the same (recall@10), and how many altered copies still find their banner, relative to the
    original?

    A model is kept if its least cosine is at least 0.99, its recall@10 at least 0.95, and it finds 0.99 of the copies.
    If it misses that, the products that lose most are put back into floats, which takes longer, and it is compared
    again; at least half must stay in 8 bits. The result is a model of its own. Its vectors are compared with no others.

    This needs the extra `quantize`.

    **Examples**

        steam-dino models quantize dino-vits16 --gallery gallery

        steam-dino build --recipe dino-vits16-q8 --precision auto
    """
    from steamdino.features.recipe_parser import parse
    from steamdino.pipeline.quantise import quantise
    from steamdino.present.cli.progress import bar

    model = parse(name).model
    target = as_name or f"{model.name}-q8"
    with bar(f"Comparing {model.name}", "banners") as progress:
        found = quantise(model, out=target, gallery=gallery, samples=samples, stage=_stage, progress=progress)
    if output.format == "json":
        say(json.dumps(_record(found), indent=2))
    else:
        _print_table(found)
    if found.kept is None:
        misses = "; ".join(found.comparisons[0].misses)
        raise ModelError(
            f"{model.name} loses too much in 8 bits: {misses}. Nothing was kept; use {model.name}"
        )
    if output.format != "json":
        say(f"{target} is ready. Now: steam-dino build --recipe {target} --precision auto")


def _stage(what: str) -> None:
    note(f"{what} ...")


def _record(found: Quantised) -> dict[str, object]:
    return {
        "calibrated": found.calibrated,
        "compared": found.compared,
        "kept": found.kept and found.kept.name,
        "comparisons": [asdict(one) | {"misses": list(one.misses)} for one in found.comparisons],
    }


def _print_table(found: Quantised) -> None:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("network", "least", "1 %", "median", "recall@10", "copies", "speed", ""):
        table.add_column(column, no_wrap=True)
    for one in found.comparisons:
        table.add_row(
            _network(one),
            f"{one.least:.4f}",
            f"{one.first:.4f}",
            f"{one.median:.4f}",
            f"{one.recall:.3f}",
            f"{one.copies:.3f}",
            f"{one.speed:.2f}",
            "misses" if one.misses else "passes",
        )
    out().print(table)
    for one in found.comparisons:
        for miss in one.misses:
            note(f"{_network(one)}: {miss}")
    note(f"Calibrated on {found.calibrated:,} banners, compared with f32 on {found.compared:,} others.")


def _network(one: Comparison) -> str:
    from steamdino.pipeline.quantise import SMOOTHING

    floats = f", {one.in_floats} of {one.products} products not" if one.in_floats else ""
    smoothed = ", smoothed" if one.way == SMOOTHING else ""
    return f"int8{smoothed}{floats}, rest {one.precision}"
