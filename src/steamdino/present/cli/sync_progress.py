"""What `steam-dino sync` shows while it runs: a bar for each stage, and why requests wait."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from steamdino.present.cli.console import err

if TYPE_CHECKING:
    from steamdino.pipeline.sync.sync_request import Report

SHORTEST_WAIT = 1.0
"""Seconds from which on a retry is shown."""

BETWEEN_RETRIES = 60.0
"""Seconds between two lines about retries: a run may need thousands."""

LABELS = {
    "list": ("Listing", "games"),
    "details": ("Asking about", "games"),
    "banners": ("Fetching", "banners"),
}


@contextmanager
def bars() -> Iterator[Report]:
    """Show a bar for each stage, with rate and time left, if stderr is a terminal."""
    console = err()
    if not console.is_terminal:
        yield lambda stage, done, total: None
        return
    from rich import progress as rich

    columns = (
        rich.TextColumn("{task.description:<12}"),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TextColumn("{task.fields[rate]}", style="progress.data.speed"),
        rich.TimeRemainingColumn(),
    )
    with rich.Progress(*columns, console=console) as progress:
        tasks: dict[str, rich.TaskID] = {}

        def report(stage: str, done: int, total: int) -> None:
            label, unit = LABELS[stage]
            if stage not in tasks:
                tasks[stage] = progress.add_task(label, total=None, rate="")
            speed = progress.tasks[tasks[stage]].speed
            shown = f"{speed:,.0f} {unit}/s" if speed else ""
            progress.update(tasks[stage], completed=done, total=total or None, rate=shown)

        yield report


class _RetryLines(logging.Handler):
    """Print why requests wait, if they wait for long, and not too often."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._next = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        """Print a retry. Threads take turns."""
        if getattr(record, "seconds", 0.0) >= SHORTEST_WAIT and time.monotonic() >= self._next:
            self._next = time.monotonic() + BETWEEN_RETRIES
            err().print(record.getMessage(), markup=False)


@contextmanager
def retries() -> Iterator[None]:
    """Show why requests wait before a retry."""
    log, handler = logging.getLogger("steamdino.net.client"), _RetryLines()
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
