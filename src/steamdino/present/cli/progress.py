"""A progress bar with rate and time left, on stderr if it is a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from steamdino.present.cli.console import err
from steamdino.records import Progress


@dataclass(slots=True)
class Bar:
    """A progress callback that remembers (done, total) for the message after an interruption."""

    draw: Progress | None = None
    done: int = 0
    total: int = 0

    def __call__(self, done: int, total: int) -> None:
        """Record and draw progress."""
        self.done, self.total = done, total
        if self.draw:
            self.draw(done, total)


@contextmanager
def bar(description: str, unit: str) -> Iterator[Bar]:
    """Show a bar while the block runs, if stderr is a terminal."""
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


@contextmanager
def bars(*stages: tuple[str, str]) -> Iterator[tuple[Bar, ...]]:
    """Show one bar after another while the block runs: the first at once, each later one when it is first called.

    Args:
        stages: the description and the unit of each.
    """
    with ExitStack() as shown:

        def draw(stage: tuple[str, str]) -> Progress:
            own: list[Bar] = []

            def first_or_later(done: int, total: int) -> None:
                if not own:
                    shown.close()  # one display at a time
                    own.append(shown.enter_context(bar(*stage)))
                own[0](done, total)

            return first_or_later

        first = shown.enter_context(bar(*stages[0]))
        yield first, *(Bar(draw(stage)) for stage in stages[1:])
