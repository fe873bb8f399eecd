"""Matches in a terminal: a table, and banners if it has enough colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from steamdino.present.cli.console import draws, out
from steamdino.present.display_text import closeness, printable, shortened
from steamdino.records import Match, Matches, Query

LONGEST_NAME = 60


def print_matches(matches: Matches, *, columns: Sequence[str] = (), pictures: bool | None = None) -> None:
    """Print matches to stdout.

    Args:
        matches: what to print.
        columns: further columns of the games to show.
        pictures: draw the banners; None: if the terminal has enough colours.
    """
    console = out()
    console.print(_heading(matches.query))
    if draws(pictures, console):
        from steamdino.present.cli.terminal_pictures import grid

        labelled = [("query", matches.query.location)]
        labelled += [(f"{m.rank}  {m.similarity:.3f}", m.game.location) for m in matches]
        console.print(grid(labelled, console.width))
    console.print(_table(matches, columns))


def _heading(query: Query) -> Text:
    turned = " and ".join(word for word, on in (("mirrored", query.mirror), ("flipped", query.flip)) if on)
    subject = _name(query.game.name) if query.game else printable(query.text)
    text = Text("Banners that fit " if query.kind == "words" else "Similar to ") + Text(subject, style="bold")
    if query.game:
        text += Text(f" ({printable(query.game.id)})", style="dim")
    for part in query.parts:
        meant = part.query.game.name if part.query.game else part.query.text
        weight = "" if abs(part.weight) == 1 else f"{abs(part.weight):g} x "
        text += Text(f" {'+' if part.weight >= 0 else '-'} {weight}") + Text(_name(meant), style="bold")
    if turned:
        text += Text(f", {turned}")
    if query.crop:
        text += Text(f", part {query.crop}")
    if query.alternatives:
        others = ", ".join(f"{_name(game.name)} ({printable(game.id)})" for game in query.alternatives[:5])
        text += Text(f"\nAlso possible: {others}", style="dim")
    return text


def _table(matches: Matches, columns: Sequence[str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("#", justify="right")
    table.add_column("similarity", justify="right")
    table.add_column("closer than", justify="right")
    table.add_column("name")
    table.add_column("id", style="dim", overflow="fold")
    for column in columns:
        table.add_column(Text(printable(column)))
    for match in matches:
        facts = [_fact(match.game.columns, column) for column in columns]
        table.add_row(
            str(match.rank),
            f"{match.similarity:.3f}",
            _closer(match),
            Text(_name(match.name)),
            Text(printable(match.id)),
            *(Text(_name(fact)) for fact in facts),
        )
    return table


def _fact(columns: Mapping[str, Any], column: str) -> str:
    # A game without a date may have a message in its place, such as "To be announced".
    other = columns.get("release_message", "") if column == "released" else ""
    return str(columns.get(column, other))


def _closer(match: Match) -> Text:
    if match.identical:
        return Text("identical", style="yellow")
    return Text("" if match.percentile is None else closeness(match.percentile))


def _name(name: str) -> str:
    return printable(shortened(name, LONGEST_NAME))
