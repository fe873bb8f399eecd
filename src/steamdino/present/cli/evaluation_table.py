"""A comparison of recipes in a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from steamdino.analysis.evaluation.evaluate import Evaluation
from steamdino.analysis.evaluation.task_results import Result
from steamdino.present.cli.console import out
from steamdino.present.display_text import printable
from steamdino.present.export.evaluation_report import interval

WIDEST = 1000
"""Characters: a table keeps its lines whole, and a narrow terminal breaks them itself."""


def print_evaluation(evaluation: Evaluation) -> None:
    """Print an evaluation's tables to stdout."""
    console = out()
    console.width = WIDEST
    reference = evaluation.descriptors[0]
    console.print(f"{evaluation.games:,} games; in brackets, the 95 % interval. * apart from {reference}")
    for result in evaluation.results:
        if result.kind != "copy":
            _print_result(console, result, reference)
    if ways := [result for result in evaluation.results if result.kind == "copy"]:
        table = _table("Copies by kind: R@1", *(way.name for way in ways))
        for n, name in enumerate(evaluation.descriptors):
            table.add_row(_name(name), *(f"{way.scores[n].r1.value:.3f}" for way in ways))
        console.print(table)
    _print_agreement(console, evaluation)
    _print_costs(console, evaluation)


def _print_result(console: Console, result: Result, reference: str) -> None:
    title = f"{printable(result.name)}: {result.queries:,} queries in {result.clusters:,} clusters"
    table = _table(title, "R@1", "R@10", "mAP", f"mAP less {reference}'s")
    behind = {
        found.descriptor: found.difference
        for found in result.differences
        if found.measure == "mean_ap" and found.than == reference
    }
    for score in result.scores:
        difference = behind.get(score.descriptor)
        shown = "" if difference is None else interval(difference)
        star = " *" if difference is not None and difference.apart_from_zero else "  "
        measured = (interval(one) for one in (score.r1, score.r10, score.mean_ap))
        table.add_row(_name(score.descriptor), *measured, shown + star)
    console.print(table)


def _print_agreement(console: Console, evaluation: Evaluation) -> None:
    numbers = [str(n) for n in range(1, len(evaluation.descriptors) + 1)]
    table = _table("Agreement: share of the first ten neighbours in common", *numbers)
    for number, name, line in zip(numbers, evaluation.descriptors, evaluation.agreement, strict=True):
        table.add_row(_name(f"{number} {name}"), *(f"{share:.2f}" for share in line))
    console.print(table)


def _print_costs(console: Console, evaluation: Evaluation) -> None:
    table = _table("Cost", "pictures/s", "dims", "bytes a vector", "model MB")
    for cost in evaluation.costs:
        model = f"{cost.model_bytes / 1e6:,.1f}" if cost.model_bytes else ""
        speed = f"{cost.pictures_per_second:,.0f}"
        table.add_row(_name(cost.descriptor), speed, str(cost.dim), f"{cost.vector_bytes:,}", model)
    console.print(table)


def _table(title: str, *headings: str) -> Table:
    table = Table(
        title=f"\n{title}",
        title_justify="left",
        title_style="bold",
        header_style="bold",
        box=None,
        pad_edge=False,
    )
    table.add_column("", no_wrap=True)
    for heading in headings:
        table.add_column(Text(printable(heading)), justify="right", no_wrap=True)
    return table


def _name(name: str) -> Text:
    return Text(printable(name))
