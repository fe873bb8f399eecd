"""Where output goes: results to stdout, everything about the run to stderr."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def out() -> Console:
    """The console for results."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=not sys.stdout.isatty())


def err() -> Console:
    """The console for progress and notes."""
    from rich.console import Console

    return Console(stderr=True, highlight=False, soft_wrap=True)


def say(line: str) -> None:
    """Prints a result's line, as it is: no markup, no wrapping."""
    sys.stdout.write(line + "\n")


def note(line: str) -> None:
    """Prints a line about the run."""
    sys.stderr.write(line + "\n")
