"""Suggests games by the beginnings of their names, under a filter."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from steamdino.index.snapshot_reader import SnapshotReader

MANY_NAMES = 200
"""Names that are looked up if a filter may remove some of them."""


def suggest(reader: SnapshotReader, mask: NDArray[np.bool_] | None, text: str, limit: int) -> list[int]:
    """Find the rows whose names match what is being typed, best first.

    Args:
        reader: of the snapshot.
        mask: bool, shape (games,): the rows that may be found; None for all.
        text: what was typed.
        limit: maximum number of rows.
    """
    found = reader.suggested(text, limit if mask is None else MANY_NAMES)
    return [row for row in found if mask is None or mask[row]][:limit]
