"""A progress bar with rate and time left, on stderr, where that is a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from steamdino.present.cli.console import err
from steamdino.records import Progress


@dataclass(slots=True)
class Bar:
    """What a stage calls with (done, total); remembers both for whoever must say what is kept."""

    draw: Progress | None = None
    done: int = 0
    total: int = 0

    def __call__(self, done: int, total: int) -> None:
        """Takes (done, total) from a stage and draws it."""
        self.done, self.total = done, total
        if self.draw:
            self.draw(done, total)


@contextmanager
def bar(description: str, unit: str) -> Iterator[Bar]:
    """Shows a bar while the block runs; elsewhere than on a terminal nothing is drawn."""
    console = err()
    if not console.is_terminal:
        yield Bar()
        return
    from rich import progress as rich

    columns = (
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TextColumn("{task.fields[rate]}", style="progress.data.speed"),
        rich.TimeRemainingColumn(),
    )
    with rich.Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(description, total=None, rate="")

        def draw(done: int, total: int) -> None:
            speed = progress.tasks[task].speed
            progress.update(
                task, completed=done, total=total or None, rate=f"{speed:,.0f} {unit}/s" if speed else ""
            )

        yield Bar(draw)
