"""The tiles of a map that are drawn, as exact pixels in files, so that a killed process need not draw them again.

A tile's file is removed when the coarser tile that is made of it is finished, so there are never many.
"""

from __future__ import annotations

import zlib
from pathlib import Path

from PIL import Image

from steamdino.present.export.atlas import TILE

_SIZE = (TILE, TILE)
_DIGEST = 4
"""Bytes of the checksum that ends a file. A power cut may leave a file without its content."""


class FinishedTiles:
    """Files of tiles: ``<folder>/<level>-<column>-<row>``."""

    def __init__(self, folder: Path, level: int | None = None) -> None:
        """Open or make a folder.

        Args:
            folder: for the files.
            level: a scale whose tiles are kept to the end.
        """
        folder.mkdir(exist_ok=True)
        self._folder, self._level = folder, level

    def get(self, level: int, column: int, row: int) -> Image.Image | None:
        """The pixels of a tile; None if it is not finished."""
        try:
            data = self._path(level, column, row).read_bytes()
        except FileNotFoundError:
            return None
        pixels, digest = data[:-_DIGEST], data[-_DIGEST:]
        if len(pixels) != 3 * TILE * TILE or zlib.crc32(pixels).to_bytes(_DIGEST) != digest:
            return None
        return Image.frombytes("RGB", _SIZE, pixels)

    def add(self, level: int, column: int, row: int, tile: Image.Image) -> None:
        """Keep a tile, and forget the four finer ones of which it is made."""
        path = self._path(level, column, row)
        pixels = tile.tobytes()
        unfinished = path.with_suffix(".part")
        unfinished.write_bytes(pixels + zlib.crc32(pixels).to_bytes(_DIGEST))
        unfinished.replace(path)
        if level + 1 != self._level:
            for x, y in ((0, 0), (1, 0), (0, 1), (1, 1)):
                self._path(level + 1, 2 * column + x, 2 * row + y).unlink(missing_ok=True)

    def clear(self) -> None:
        """Forget all tiles."""
        for path in self._folder.iterdir():
            path.unlink()

    def _path(self, level: int, column: int, row: int) -> Path:
        return self._folder / f"{level}-{column}-{row}"
