"""Banners as coloured half blocks: two pixels in each character cell, in any terminal with colours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from PIL import Image
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.style import Style
from rich.table import Table
from rich.text import Text

from steamdino.banners.read import read_picture
from steamdino.errors import PictureError
from steamdino.storage.location import Location

Picture = Path | Location | Image.Image
WIDTH, HEIGHT = 14, 10  # character cells, which are twice as high as wide: 14 x 20 pixels, nearly 2:3


class HalfBlocks:
    """A picture in character cells."""

    def __init__(self, picture: Picture | None) -> None:
        self._picture = picture

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(WIDTH, WIDTH)

    def _decoded(self) -> Image.Image:
        if self._picture is None:
            raise PictureError("it has none")
        if isinstance(self._picture, Image.Image):
            return self._picture
        return read_picture(self._picture, (WIDTH * 2, HEIGHT * 4))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        try:
            image = self._decoded().resize((WIDTH, HEIGHT * 2))
        except PictureError:
            yield Text("\n".join(["no picture".center(WIDTH), *[" " * WIDTH] * (HEIGHT - 1)]), style="dim")
            return
        pixels = image.load()
        for y in range(0, HEIGHT * 2, 2):
            for x in range(WIDTH):
                upper, lower = ("#{:02x}{:02x}{:02x}".format(*pixels[x, row]) for row in (y, y + 1))  # type: ignore[index, misc]
                yield Segment("▀", Style(color=upper, bgcolor=lower))
            yield Segment.line()


def grid(labelled: Sequence[tuple[str, Picture | None]], width: int) -> Table:
    """Pictures side by side with a label under each, as many in a line as fit into `width` cells."""
    across = max(1, width // (WIDTH + 2))
    table = Table.grid(padding=(0, 2, 0, 0))
    for start in range(0, len(labelled), across):
        line = labelled[start : start + across]
        table.add_row(*(HalfBlocks(picture) for _, picture in line))
        table.add_row(*_labels(label for label, _ in line))
    return table


def _labels(labels: Iterable[str]) -> list[Text]:
    return [Text(label.center(WIDTH), style="dim") for label in labels]
