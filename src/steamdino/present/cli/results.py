"""Matches in a terminal: the banners where it can show them, and a table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from steamdino.present.cli.console import out
from steamdino.present.cli.pictures import grid
from steamdino.present.text import printable, shortened
from steamdino.records import Matches, Query

LONGEST_NAME = 60


def print_matches(matches: Matches, *, columns: Sequence[str] = (), pictures: bool | None = None) -> None:
    """Prints matches to stdout.

    Args:
        matches: what to print.
        columns: further columns of the games to show.
        pictures: draw the banners; None: if the terminal has enough colours.
    """
    console = out()
    console.print(_heading(matches.query))
    if pictures or (pictures is None and _has_colours(console)):
        labelled = [("query", matches.query.picture)]
        labelled += [(f"{m.rank}  {m.similarity:.3f}", m.game.picture) for m in matches]
        console.print(grid(labelled, console.width))
    console.print(_table(matches, columns))


def _has_colours(console: Console) -> bool:
    return console.is_terminal and console.color_system in ("256", "truecolor")


def _heading(query: Query) -> Text:
    turned = " and ".join(word for word, on in (("mirrored", query.mirror), ("flipped", query.flip)) if on)
    subject = _name(query.game.name) if query.game else printable(query.text)
    text = Text("Similar to ") + Text(subject, style="bold")
    if query.game:
        text += Text(f" ({printable(query.game.id)})", style="dim")
    if turned:
        text += Text(f", {turned}")
    if query.alternatives:
        others = ", ".join(f"{_name(game.name)} ({printable(game.id)})" for game in query.alternatives[:5])
        text += Text(f"\nAlso possible: {others}", style="dim")
    return text


def _table(matches: Matches, columns: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("#", justify="right")
    table.add_column("similarity", justify="right")
    table.add_column("name")
    table.add_column("id", style="dim")
    for column in columns:
        table.add_column(Text(printable(column)))
    for match in matches:
        name = Text(_name(match.name))
        if match.identical:
            name += Text("  identical", style="yellow")
        shown = [
            Text(printable(shortened(str(match.game.columns.get(c, "")), LONGEST_NAME))) for c in columns
        ]
        table.add_row(str(match.rank), f"{match.similarity:.3f}", name, Text(printable(match.id)), *shown)
    return table


def _name(name: str) -> str:
    return printable(shortened(name, LONGEST_NAME))
