"""The protocol of a file format for vectors with their games."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from steamdino.records import Progress

if TYPE_CHECKING:
    from steamdino.search import Snapshot

PART_BYTES = 32 << 20
"""Bytes of vectors in a file, unless a number of games is given."""


class VectorFormat(Protocol):
    """Writes games with their vectors into an empty folder.

    Attributes:
        name: of the format, as people write it.
    """

    name: str

    def check(self) -> None:
        """Check in advance whether the format can be written.

        Raises:
            MissingExtraError: a library is not installed.
        """

    def write(
        self, folder: Path, snapshot: Snapshot, rows: NDArray[np.intp], part: int, progress: Progress
    ) -> None:
        """Write the table of `game_table`. It takes memory for one file at a time.

        Args:
            folder: an empty folder.
            snapshot: whose games to write.
            rows: which games, at least one.
            part: maximum number of games in each file.
            progress: called with the number of games that are written, and of all.

        Raises:
            SnapshotError: a vector does not have length 1.
            OSError: a file cannot be written.
        """


def default_part(dim: int) -> int:
    """Return how many games of `dim` numbers each a file has by default."""
    return max(1, PART_BYTES // (4 * dim))
