"""Output: results go to stdout, everything about the run to stderr."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from steamdino.storage.output import is_stdout

if TYPE_CHECKING:
    from rich.console import Console

FILE_WIDTH = 200
"""Width in columns if stdout is not a terminal."""


def out() -> Console:
    """The console for results. Lines are not wrapped for a file or a pipe."""
    from rich.console import Console

    terminal = sys.stdout.isatty()
    width = None if terminal or "COLUMNS" in os.environ else FILE_WIDTH
    return Console(highlight=False, soft_wrap=not terminal, width=width)


def err() -> Console:
    """The console for progress and notes."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def say(line: str) -> None:
    """Print one line of the result, without markup or wrapping."""
    sys.stdout.write(line + "\n")


def note(line: str) -> None:
    """Print a line about the run."""
    sys.stderr.write(line + "\n")


@contextmanager
def beside(*outputs: Path | None) -> Iterator[None]:
    """Print what the block prints to stderr if one of the files that were written was standard output."""
    if any(path is not None and is_stdout(path) for path in outputs):
        with redirect_stdout(sys.stderr):
            yield
    else:
        yield


def note_undated(count: int) -> None:
    """Report how many games a filter by date skipped because no date of release could be read."""
    if count:
        games, them = ("1 game has", "it") if count == 1 else (f"{count:,} games have", "them")
        note(f"{games} no readable release date, so --released skips {them}.")


def draws(asked: bool | None, console: Console) -> bool:
    """Return whether to draw pictures: as requested, otherwise if the terminal has enough colours."""
    if asked is not None:
        return asked
    return console.is_terminal and console.color_system in ("256", "truecolor")
