"""The geometry of a map: games in the cells of a grid, and tiles at several scales."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import ceil, log2

import numpy as np
from numpy.typing import NDArray

from steamdino.records import Game
from steamdino.search import Snapshot

TILE = 512
CELL = (64, 96)
"""Pixels of a banner at the finest scale: eight across a tile, and five and a third down."""
LARGEST = 100_000_000
"""Pixels of the PNG at most; a coarser scale is taken for more."""


@dataclass(frozen=True)
class Atlas:
    """Games on a grid.

    Attributes:
        snapshot: that has the games; they are read where they are drawn.
        rows: intp, shape (n,): of the games in the snapshot.
        cells: (row, column) of each on the grid, shape (n, 2).
        shape: rows and columns of the grid.
    """

    snapshot: Snapshot
    rows: NDArray[np.intp]
    cells: NDArray[np.intp]
    shape: tuple[int, int]

    @cached_property
    def grid(self) -> NDArray[np.int32]:
        """The game of each cell as a row of the snapshot, -1 for none; int32, of the grid's shape."""
        grid = np.full(self.shape, -1, np.int32)
        grid[self.cells[:, 0], self.cells[:, 1]] = self.rows
        return grid

    def games(self, top: int, left: int, height: int, width: int) -> dict[tuple[int, int], Game]:
        """The games of some rows and columns of the grid, by (row, column)."""
        part = self.grid[top : top + height, left : left + width]
        places = np.argwhere(part >= 0)
        games = self.snapshot.games(part[part >= 0].tolist())
        return {
            (top + int(row), left + int(column)): game
            for (row, column), game in zip(places, games, strict=True)
        }

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

    def has_tile(self, level: int, column: int, row: int) -> bool:
        """Whether a tile shows a part of the grid."""
        width, height = self.scaled(level)
        return column * TILE < width and row * TILE < height

    def tiles(self, level: int) -> Iterator[tuple[int, int]]:
        """The (column, row) of each tile of a scale."""
        width, height = self.scaled(level)
        return product(range(ceil(width / TILE)), range(ceil(height / TILE)))
