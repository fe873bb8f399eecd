"""Draws a map as one PNG, and as tiles of several scales for its page.

The tiles form a tree: each one of a coarser scale is made of four of the next finer, and only those of the finest are
drawn from banners. So each banner is decoded once, and however large the map is, few tiles are in memory at a time.

::

    <folder>/
      index.html, data/                  the page; see `map_page`
      tiles/<level>/<row>/<column>.jpg   512 pixels a side, level 0 the coarsest
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from pathlib import Path

from PIL import Image

from steamdino.present.export.atlas import CELL, TILE, Atlas
from steamdino.present.export.finished_tiles import FinishedTiles
from steamdino.present.export.jpeg_files import is_whole_jpeg
from steamdino.present.export.mosaic import thumbnail
from steamdino.records import Game, Progress

BANNER = (60, 90)
"""Pixels of a cell that the banner takes; the rest is a gap."""
GROUND = (20, 24, 31)
QUALITY = 82
TILES = "tiles"
"""The folder of the tiles in that of the page."""

Keep = Callable[[int, int, int, Image.Image], None]
"""Called with level, column, row and the tile."""


def draw_map(
    atlas: Atlas,
    kept: Path,
    *,
    png: bool,
    folder: Path | None,
    threads: int = 1,
    progress: Progress | None = None,
) -> Image.Image | None:
    """Draw a map.

    Args:
        atlas: what to draw.
        kept: a folder for finished tiles. After a kill, a call with it and the same other arguments continues.
        png: whether to draw it as one picture.
        folder: to write tiles to; None for none.
        threads: banners decoded at the same time.
        progress: called with (banners, total).

    Returns:
        the picture; None if none is asked for.

    Raises:
        OSError: something cannot be written.
    """
    finished = FinishedTiles(kept / TILES, atlas.png_level if png else None)

    def keep(level: int, column: int, row: int, tile: Image.Image) -> None:
        if folder:
            path = _jpeg(folder, level, column, row)
            path.parent.mkdir(parents=True, exist_ok=True)
            tile.save(path, quality=QUALITY)
        finished.add(level, column, row, tile)

    while True:
        with ThreadPoolExecutor(threads) as pool:
            _Painter(atlas, finished, keep, pool, progress).draw(0, 0, 0)
        sheet = _pasted(atlas, finished) if png else None
        if (sheet or not png) and (folder is None or _all_whole(atlas, folder)):
            return sheet
        finished.clear()  # a power cut took some of the tiles that an earlier attempt drew


def _pasted(atlas: Atlas, finished: FinishedTiles) -> Image.Image | None:
    """The PNG; None if a tile is missing."""
    sheet = Image.new("RGB", atlas.scaled(atlas.png_level), GROUND)
    for column, row in atlas.tiles(atlas.png_level):
        tile = finished.get(atlas.png_level, column, row)
        if tile is None:
            return None
        sheet.paste(tile, (column * TILE, row * TILE))
    return sheet


def _all_whole(atlas: Atlas, folder: Path) -> bool:
    return all(
        is_whole_jpeg(_jpeg(folder, level, column, row))
        for level in range(atlas.levels)
        for column, row in atlas.tiles(level)
    )


def _jpeg(folder: Path, level: int, column: int, row: int) -> Path:
    return folder / TILES / str(level) / str(row) / f"{column}.jpg"


class _Painter:
    def __init__(
        self,
        atlas: Atlas,
        finished: FinishedTiles,
        keep: Keep,
        pool: ThreadPoolExecutor,
        progress: Progress | None,
    ) -> None:
        self._atlas, self._finished, self._keep, self._pool = atlas, finished, keep, pool
        self._progress = progress
        self._done = 0
        self._cut: dict[tuple[int, int], Image.Image | None] = {}

    def draw(self, level: int, column: int, row: int) -> Image.Image:
        """Draw a tile and all finer ones, unless they are finished."""
        tile = self._finished.get(level, column, row)
        if tile is not None:
            self._tell(level, column, row)
            return tile
        tile = Image.new("RGB", (TILE, TILE), GROUND)
        if level == self._atlas.levels - 1:
            self._banners(tile, column * TILE, row * TILE)
        else:
            for x, y in ((0, 0), (1, 0), (0, 1), (1, 1)):
                fine = (level + 1, 2 * column + x, 2 * row + y)
                if self._atlas.has_tile(*fine):
                    quarter = self.draw(*fine).resize((TILE // 2, TILE // 2), Image.Resampling.BOX)
                    tile.paste(quarter, (x * TILE // 2, y * TILE // 2))
        self._keep(level, column, row, tile)
        return tile

    def _banners(self, tile: Image.Image, left: int, top: int) -> None:
        first, start = top // CELL[1], left // CELL[0]
        games = self._atlas.games(
            first, start, ceil((top + TILE) / CELL[1]) - first, ceil((left + TILE) / CELL[0]) - start
        )
        # A row of banners is cut by a border of tiles now and then; it is kept until the tile below has it, too.
        cut = {cell: self._cut.pop(cell) for cell in games if cell in self._cut}
        new = [cell for cell in games if cell not in cut]
        drawn = cut | dict(zip(new, self._pool.map(self._banner, [games[cell] for cell in new]), strict=True))
        for cell, image in drawn.items():
            x, y = cell[1] * CELL[0] - left, cell[0] * CELL[1] - top
            if y > TILE - CELL[1]:
                self._cut[cell] = image
            if image is not None:
                tile.paste(image, (x + (CELL[0] - image.width) // 2, y + (CELL[1] - image.height) // 2))
        self._advance(sum(cell[0] * CELL[1] >= top for cell in games))

    @staticmethod
    def _banner(game: Game) -> Image.Image | None:
        return thumbnail(game.location, BANNER)

    def _tell(self, level: int, column: int, row: int) -> None:
        """Count the banners of a finished tile, those that begin in it."""
        side = TILE * 2 ** (self._atlas.levels - 1 - level)
        rows = slice(ceil(row * side / CELL[1]), ceil((row + 1) * side / CELL[1]))
        columns = slice(column * side // CELL[0], (column + 1) * side // CELL[0])
        self._advance(int((self._atlas.grid[rows, columns] >= 0).sum()))

    def _advance(self, count: int) -> None:
        total = len(self._atlas.rows)
        self._done = min(self._done + count, total)
        if self._progress:
            self._progress(self._done, total)
