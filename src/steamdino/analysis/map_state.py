"""The state of a layout that is being computed, in files, so that a killed process can continue."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from steamdino.index.vector_index import Neighbours
from steamdino.storage.atomic import replacing

NEIGHBOURS, STATE = "neighbours.bin", "layout.npz"


class NeighbourFile:
    """The neighbours of games, found block by block. A block that was written halfway is searched again."""

    def __init__(self, folder: Path | None, games: int, k: int) -> None:
        """Open what an earlier process found.

        Args:
            folder: where the file lies; None keeps them in memory.
            games: of which there are neighbours.
            k: of each game.

        Raises:
            OSError: it cannot be written.
        """
        self._games = games
        self._record = np.dtype([("rows", np.int32, k), ("cosines", np.float32, k)])
        self._found = np.empty(games, self._record)
        self._file: IO[bytes] | None = None
        self._stack = ExitStack()
        self.done = 0
        if folder is not None:
            path = folder / NEIGHBOURS
            path.touch()
            self._file = self._stack.enter_context(path.open("r+b", buffering=0))
            read = np.fromfile(path, self._record, games)
            # After a power cut, blocks may be missing: a file of zeros says that all are neighbours of the first game.
            sound = (read["rows"] != 0).sum(axis=1) >= k - 1
            self.done = len(read) if sound.all() else int(np.argmin(sound))
            self._found[: self.done] = read[: self.done]
            self._file.truncate(self.done * self._record.itemsize)
            self._file.seek(0, 2)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def add(self, rows: NDArray[np.int32], cosines: NDArray[np.float32]) -> None:
        """Add the neighbours of the next games."""
        block = self._found[self.done : self.done + len(rows)]
        block["rows"], block["cosines"] = rows, cosines
        if self._file:
            self._file.write(block.tobytes())
        self.done += len(rows)

    def all(self) -> Neighbours:
        """The neighbours of all games: int32 and float32, shape (games, k)."""
        return Neighbours(
            np.ascontiguousarray(self._found["rows"]), np.ascontiguousarray(self._found["cosines"])
        )


@dataclass(frozen=True, slots=True)
class LayoutState:
    """What gradient descent with momentum needs to continue exactly.

    Attributes:
        done: iterations.
        places: of the games, float64, shape (n, 2).
        update: the last movement of each.
        gains: factors of the step size.
    """

    done: int
    places: NDArray[np.float64]
    update: NDArray[np.float64]
    gains: NDArray[np.float64]

    @classmethod
    def first(cls, places: NDArray[np.float64]) -> Self:
        """The state before the first iteration."""
        return cls(0, places, np.zeros_like(places), np.ones_like(places))

    @classmethod
    def read(cls, folder: Path | None, games: int) -> Self | None:
        """The state that an earlier process kept; None if there is none, or it is damaged."""
        if folder is None:
            return None
        try:
            # Opened here, since NumPy leaves a damaged file open.
            with (folder / STATE).open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                state = cls(int(file["done"]), file["places"], file["update"], file["gains"])
        except (OSError, ValueError, KeyError, EOFError, BadZipFile):
            return None
        return state if state.places.shape == (games, 2) else None

    def write(self, folder: Path | None) -> None:
        """Keep the state; it replaces the one before when it is whole.

        Raises:
            OSError: it cannot be written.
        """
        if folder is not None:
            with replacing(folder / STATE) as file:
                np.savez(file, done=self.done, places=self.places, update=self.update, gains=self.gains)
