"""A map of banners as one PNG, and as tiles of several scales with a page that shows them.

The tiles form a tree: each one of a coarser scale is made of four of the next finer, and only those of the finest are
drawn from banners. So each banner is decoded once, and however large the map is, few tiles are in memory at a time.

::

    <folder>/
      index.html           the page: drag, zoom, search; works from a disk, without a network
      tiles/<level>/<column>-<row>.jpg   512 pixels a side, level 0 the coarsest
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from math import ceil, log2
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from steamdino.present.export.html_page import render, script_and_digest
from steamdino.present.export.mosaic import thumbnail
from steamdino.present.export.output_folders import PAGE, replacing_folder
from steamdino.records import Game, Progress

TILE = 512
CELL = (64, 96)
"""Pixels of a banner at the finest scale: eight across a tile, and five and a third down."""
BANNER = (60, 90)
"""Of which the banner takes so many; the rest is a gap."""
LARGEST = 100_000_000
"""Pixels of the PNG at most; a coarser scale is taken for more."""
GROUND = (20, 24, 31)
QUALITY = 82
KIND = "map"
"""What the folder's page says of itself, so that only a folder that was made here is replaced."""

Keep = Callable[[int, int, int, Image.Image], None]
"""Called with level, column, row and the tile."""


@dataclass(frozen=True, slots=True)
class Atlas:
    """Games on a grid.

    Attributes:
        games: of the map.
        cells: (row, column) of each, shape (n, 2).
        shape: rows and columns of the grid.
    """

    games: Sequence[Game]
    cells: NDArray[np.intp]
    shape: tuple[int, int]

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) at the finest scale, in pixels."""
        return self.shape[1] * CELL[0], self.shape[0] * CELL[1]

    @property
    def levels(self) -> int:
        """How many scales there are: at the coarsest, level 0, all is one tile."""
        return 1 + max(0, ceil(log2(max(*self.size, 1) / TILE)))

    @property
    def png_level(self) -> int:
        """The finest scale at which the PNG is not too large."""
        level = self.levels - 1
        while level and self.scaled(level)[0] * self.scaled(level)[1] > LARGEST:
            level -= 1
        return level

    def scaled(self, level: int) -> tuple[int, int]:
        """(width, height) at a scale, in pixels."""
        factor = 2 ** (self.levels - 1 - level)
        return ceil(self.size[0] / factor), ceil(self.size[1] / factor)


class Painter:
    """Draws an atlas tile by tile."""

    def __init__(self, atlas: Atlas, keep: Keep, threads: int, progress: Progress | None) -> None:
        """Prepare to draw.

        Args:
            atlas: what to draw.
            keep: takes each tile when it is done.
            threads: banners decoded at the same time.
            progress: called with (banners, total).
        """
        self._atlas = atlas
        self._keep = keep
        self._progress = progress
        self._done = 0
        self._pool = ThreadPoolExecutor(threads)
        self._at = {
            (int(row), int(column)): game
            for (row, column), game in zip(atlas.cells, atlas.games, strict=True)
        }
        self._drawn: dict[tuple[int, int], Image.Image | None] = {}

    def draw(self) -> None:
        """Draw all tiles."""
        with self._pool:
            self._tile(0, 0, 0)

    def _tile(self, level: int, column: int, row: int) -> Image.Image:
        tile = Image.new("RGB", (TILE, TILE), GROUND)
        if level == self._atlas.levels - 1:
            self._banners(tile, column * TILE, row * TILE)
        else:
            width, height = self._atlas.scaled(level + 1)
            for x, y in ((0, 0), (1, 0), (0, 1), (1, 1)):
                fine = (2 * column + x, 2 * row + y)
                if fine[0] * TILE < width and fine[1] * TILE < height:
                    quarter = self._tile(level + 1, *fine).resize(
                        (TILE // 2, TILE // 2), Image.Resampling.BOX
                    )
                    tile.paste(quarter, (x * TILE // 2, y * TILE // 2))
        self._keep(level, column, row, tile)
        return tile

    def _banners(self, tile: Image.Image, left: int, top: int) -> None:
        wanted = [
            (row, column)
            for row in range(top // CELL[1], ceil((top + TILE) / CELL[1]))
            for column in range(left // CELL[0], ceil((left + TILE) / CELL[0]))
            if (row, column) in self._at
        ]
        new = [cell for cell in wanted if cell not in self._drawn]
        # A row of banners is cut by a border of tiles now and then; those are kept until the tile below has them, too.
        self._drawn.update(
            zip(new, self._pool.map(lambda cell: thumbnail(self._at[cell].picture, BANNER), new), strict=True)
        )
        for row, column in wanted:
            x, y = column * CELL[0] - left, row * CELL[1] - top
            whole = 0 <= y <= TILE - CELL[1]
            image = self._drawn.pop((row, column)) if whole or y < 0 else self._drawn[row, column]
            if image is not None:
                tile.paste(image, (x + (CELL[0] - image.width) // 2, y + (CELL[1] - image.height) // 2))
        self._done += len(new)
        if self._progress:
            self._progress(self._done, len(self._at))


def write_map(
    atlas: Atlas,
    *,
    png: Path | None,
    folder: Path | None,
    title: str,
    threads: int = 1,
    progress: Progress | None = None,
) -> None:
    """Draw a map.

    Args:
        atlas: what to draw.
        png: the file to write; None for none.
        folder: to write tiles and their page to, replacing an older map; None for none.
        title: the page's heading.
        threads: banners decoded at the same time.
        progress: called with (banners, total).

    Raises:
        UsageError: the folder has other content than a map.
        OutputError: something cannot be written.
    """
    sheet = Image.new("RGB", atlas.scaled(atlas.png_level), GROUND) if png else None
    with ExitStack() as stack:
        work = stack.enter_context(replacing_folder(folder, KIND, "--html")) if folder else None

        def keep(level: int, column: int, row: int, tile: Image.Image) -> None:
            if sheet and level == atlas.png_level:
                sheet.paste(tile, (column * TILE, row * TILE))
            if work:
                place = work / "tiles" / str(level)
                place.mkdir(parents=True, exist_ok=True)
                tile.save(place / f"{column}-{row}.jpg", quality=QUALITY)

        Painter(atlas, keep, threads, progress).draw()
        if work:
            (work / PAGE).write_text(_page(atlas, title), "utf-8")
    if png and sheet:
        from steamdino.present.export.mosaic import write_png

        write_png(png, sheet)


def _page(atlas: Atlas, title: str) -> str:
    script, digest = script_and_digest("atlas.js")
    data = {
        "tile": TILE,
        "cell": CELL,
        "size": atlas.size,
        "levels": atlas.levels,
        "games": [
            [game.name, game.id, game.url or "", int(row), int(column)]
            for game, (row, column) in zip(atlas.games, atlas.cells, strict=True)
        ],
    }
    # A "<" could end the script that it stands in.
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return render(
        "atlas.html.jinja",
        title=title,
        marker=KIND,
        script=script,
        digest=digest,
        data=text,
        count=len(atlas.games),
    )
