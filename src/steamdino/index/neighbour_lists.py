"""The nearest neighbours of all rows of a snapshot, in files that are mapped.

::

    neighbours.npy          int32, (games, width): the rows of each game's neighbours, the most similar first
    neighbour_cosines.npy   float32, (games, width)
    nearest_neighbours.npy  row int32, cosine float32, (games, LEADING): the first of them again

A list is a beginning of the whole ranking: no row that it lacks is more similar than its last one, and of equal cosines
the lower row comes first. Lists are longer than promised, so that those from which a removed game disappears need not
be searched for again. Empty places hold the row -1 and the cosine -1.

What asks for the nearest neighbour of every game would otherwise touch each page of the whole lists: 190 MB for 184,000
games, where the third file has 3 MB. Snapshots of earlier versions lack it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike, NDArray

from steamdino.errors import UsageError

ROWS, COSINES = "neighbours.npy", "neighbour_cosines.npy"
FILES = (ROWS, COSINES)
NEAREST = "nearest_neighbours.npy"

LEADING = 2
"""Neighbours of each game in `NEAREST`: the nearest, and another one in case that it is hidden."""

DEFAULT = 100
"""Neighbours of each game that a build stores unless told otherwise."""

MOST = 1_000
"""Most neighbours of each game that a build stores."""

BLOCK = 4_096
"""Lists that are changed or compared at a time."""


_NEAREST = np.dtype([("row", np.int32), ("cosine", np.float32)])


@dataclass(frozen=True, slots=True)
class NeighbourLists:
    """Lists of neighbours. Threads may share them.

    Attributes:
        rows: int32, shape (n, width); -1 where there is none.
        cosines: float32, shape (n, width); -1 where there is no row.
        promised: a list has at least so many neighbours, or all other rows.
        nearest: the first places of all lists again, with the fields "row" and "cosine", shape (n, `LEADING`); None if
            no file has them.
    """

    rows: NDArray[np.int32]
    cosines: NDArray[np.float32]
    promised: int
    nearest: NDArray[np.void] | None = None

    @classmethod
    def create(cls, folder: Path, games: int, promised: int) -> Self:
        """Create the files for so many games, with lists to be filled in. They are mapped."""
        shape = games, width(promised)
        if not games:
            np.save(folder / ROWS, np.empty(shape, np.int32))
            np.save(folder / COSINES, np.empty(shape, np.float32))
            return cls.open(folder, games, promised)
        create = np.lib.format.open_memmap
        rows = create(folder / ROWS, "w+", np.int32, shape).view(np.ndarray)
        return cls(rows, create(folder / COSINES, "w+", np.float32, shape).view(np.ndarray), promised)

    @classmethod
    def open(cls, folder: Path, games: int, promised: int) -> Self:
        """Map the files of a snapshot.

        Raises:
            FileNotFoundError: a file is missing.
            ValueError: a file is damaged, or is not of so many games.
        """
        shape = games, width(promised)
        rows, cosines = (
            _mapped(folder / ROWS, shape, np.int32),
            _mapped(folder / COSINES, shape, np.float32),
        )
        nearest = None
        if (folder / NEAREST).exists():
            nearest = _mapped(folder / NEAREST, (games, LEADING), _NEAREST)
        return cls(rows, cosines, promised, nearest)

    def __len__(self) -> int:
        return len(self.rows)

    def leading(self, k: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """The first k places of all lists: rows and cosines, shape (n, k), from the file with the fewest bytes."""
        if self.nearest is not None and k <= LEADING:
            return self.nearest["row"][:, :k], self.nearest["cosine"][:, :k]
        return self.rows[:, :k], self.cosines[:, :k]

    def flush(self) -> None:
        """Write what changed to the files."""
        for array in (self.rows, self.cosines):
            if isinstance(array.base, np.memmap):
                array.base.flush()

    def write_nearest(self, folder: Path) -> str:
        """Write the first places of all lists into a file of their own; return its name."""
        nearest = np.empty((len(self), LEADING), _NEAREST)
        nearest["row"], nearest["cosine"] = self.rows[:, :LEADING], self.cosines[:, :LEADING]
        np.save(folder / NEAREST, nearest)
        return NEAREST

    @property
    def width(self) -> int:
        """Most neighbours that a list can hold."""
        return int(self.rows.shape[1])


def _mapped(path: Path, shape: tuple[int, int], dtype: DTypeLike) -> NDArray[Any]:
    array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False).view(np.ndarray)
    if (array.shape, array.dtype) != (shape, dtype):
        raise ValueError(
            f"{path.name} has the shape {array.shape} and type {array.dtype}, expected {shape} and {np.dtype(dtype)}"
        )
    return array


def check_promised(number: int) -> None:
    """Check how many neighbours of each game shall be stored.

    Raises:
        UsageError: the number is out of range.
    """
    if not 0 <= number <= MOST:
        raise UsageError(f"the number of neighbours is {number}; it must be from 0 to {MOST:,}")


def width(promised: int) -> int:
    """The places of a list that promises so many neighbours."""
    return promised + promised // 4 + 3
