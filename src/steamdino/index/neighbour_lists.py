"""The nearest neighbours of all rows of a snapshot, in two files that are mapped.

::

    neighbours.npy         int32, (games, width): the rows of each game's neighbours, the most similar first
    neighbour_cosines.npy  float32, (games, width)

A list is a beginning of the whole ranking: no row that it lacks is more similar than its last one, and of equal cosines
the lower row comes first. Lists are longer than promised, so that those from which a removed game disappears need not
be searched for again. Empty places hold the row -1 and the cosine -1.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from steamdino.errors import UsageError

ROWS, COSINES = "neighbours.npy", "neighbour_cosines.npy"
FILES = (ROWS, COSINES)

DEFAULT = 100
"""Neighbours of each game that a build stores unless told otherwise."""

MOST = 1_000
"""Most neighbours of each game that a build stores."""

BLOCK = 4_096
"""Lists that are changed or compared at a time."""


@dataclass(frozen=True, slots=True)
class NeighbourLists:
    """Lists of neighbours. Threads may share them.

    Attributes:
        rows: int32, shape (n, width); -1 where there is none.
        cosines: float32, shape (n, width); -1 where there is no row.
        promised: a list has at least so many neighbours, or all other rows.
    """

    rows: NDArray[np.int32]
    cosines: NDArray[np.float32]
    promised: int

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
        rows, cosines = (
            np.load(folder / name, mmap_mode="r", allow_pickle=False).view(np.ndarray) for name in FILES
        )
        shape = games, width(promised)
        for name, array, dtype in ((ROWS, rows, np.int32), (COSINES, cosines, np.float32)):
            if (array.shape, array.dtype) != (shape, dtype):
                raise ValueError(
                    f"{name} has the shape {array.shape} and type {array.dtype}, expected {shape} and"
                    f" {np.dtype(dtype)}"
                )
        return cls(rows, cosines, promised)

    def __len__(self) -> int:
        return len(self.rows)

    def flush(self) -> None:
        """Write what changed to the files."""
        for array in (self.rows, self.cosines):
            if isinstance(array.base, np.memmap):
                array.base.flush()

    @property
    def width(self) -> int:
        """Most neighbours that a list can hold."""
        return int(self.rows.shape[1])


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
