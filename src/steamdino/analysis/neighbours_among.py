"""Finds nearest neighbours among some of a snapshot's games, in the way that costs least."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from steamdino.errors import NotComputedError
from steamdino.index.neighbour_lists import LEADING
from steamdino.index.pair_cosines import ROUNDING
from steamdino.index.vector_index import Index, Neighbours
from steamdino.records import Progress

ENOUGH = 5
"""How many times as many neighbours as are wanted a game should have at hand among the selected games, on average.
Then the wanted ones are missing for one game in some hundred, and only these are searched."""

BLOCK = 16_384
"""Games whose lists are read at a time."""


def neighbours_among(
    index: Index,
    k: int,
    rows: NDArray[np.intp],
    *,
    of: NDArray[np.intp] | None = None,
    progress: Progress | None = None,
) -> Neighbours:
    """Find the k nearest neighbours of selected rows among the selected rows.

    Few rows are compared with each other. Most rows are left to the index, since the copy of their vectors would be
    large, and would lack what makes the index fast.

    Args:
        index: of n rows.
        k: number of neighbours, at least 1.
        rows: intp, rising, each once: the selected rows.
        of: intp: the selected rows whose neighbours to find; None for all of them.
        progress: called with (done, total).

    Returns:
        rows of the index and cosines, of shape (m, min(k, len(rows) - 1)).
    """
    k = min(k, len(rows) - 1)
    asked = rows if of is None else of
    if k < 1:
        return Neighbours(np.empty((len(asked), 0), np.intp), np.empty((len(asked), 0), np.float32))
    if len(rows) == len(index):
        return index.neighbours(k, rows=of, progress=progress)
    # The copy pays for few queries only if it is small.
    share = 2 if of is None else 16
    if share * len(rows) > len(index) or index.listed * len(rows) >= ENOUGH * k * len(index):
        return index.neighbours(k, rows=asked, among=mask_of(index, rows), progress=progress)
    places = None if of is None else np.searchsorted(rows, of)
    found, cosines = index.subset(rows).neighbours(k, rows=places, progress=progress)
    return Neighbours(rows[found], cosines)


def nearest_at_hand(index: Index, rows: NDArray[np.intp], pairs: int) -> Neighbours:
    """Find the nearest neighbour of selected rows among the selected rows, at a limited cost.

    Args:
        index: of n rows, at least 2 of them selected.
        rows: intp, rising, each once: the selected rows.
        pairs: the maximum number of pairs of rows to compare. What is listed costs none.

    Returns:
        rows of the index and cosines, of shape (len(rows), 1).

    Raises:
        NotComputedError: too many rows would have to be compared.
    """
    among = mask_of(index, rows)
    found = np.full(len(rows), -1, np.intp)
    cosines = np.full(len(rows), -1, np.float32)
    # The leading neighbours are all hidden for few games, and only these games' whole lists are read.
    for k in sorted({min(LEADING, index.listed), index.listed} - {0}):
        for left in _blocks(np.flatnonzero(found < 0)):
            listed = index.neighbours(k, rows=rows[left])
            allowed = listed.rows >= 0
            if among is not None:
                allowed &= among[listed.rows]
            first, places = allowed.argmax(axis=1), np.arange(len(left))
            has = allowed[places, first]
            found[left[has]] = listed.rows[places, first][has]
            cosines[left[has]] = listed.cosines[places, first][has]
    left = np.flatnonzero(found < 0)
    if len(left) * len(index) > pairs:
        raise NotComputedError(
            f"all neighbours that are listed for {len(left):,} games are hidden, and to search for others takes long;"
            " run: steam-dino unique"
            if index.listed
            else f"the neighbours of {len(left):,} games are not listed yet, and to search for them takes long; run:"
            " steam-dino build"
        )
    if len(left):
        searched = index.neighbours(1, rows=rows[left], among=among)
        found[left], cosines[left] = searched.rows[:, 0], searched.cosines[:, 0]
    return Neighbours(found[:, None], cosines[:, None])


def check_listed(index: Index, least: float, pairs: int) -> None:
    """Check that all pairs of rows with a high cosine can be found at a limited cost.

    Args:
        index: of n rows.
        least: the lowest cosine of such a pair.
        pairs: the maximum number of pairs of rows to compare. What is listed costs none.

    Raises:
        NotComputedError: too many rows would have to be compared.
    """
    unlisted, listed = len(index), min(index.listed, len(index) - 1)
    if listed > 0:
        unlisted = 0
        for rows in _blocks(np.arange(len(index))):
            last = index.neighbours(listed, rows=rows).cosines[:, -1]
            # If all listed rows are the very same vector, so are their pictures, and one of them is compared.
            unlisted += int(((last >= least) & (last < 1 - ROUNDING)).sum())
    if listed < len(index) - 1 and unlisted * len(index) > pairs:
        raise NotComputedError(
            f"{unlisted:,} games look like more games than are listed, and to search for these takes long; run:"
            " steam-dino duplicates"
            if index.listed
            else f"the neighbours of {unlisted:,} games are not listed yet, and to search for them takes long; run:"
            " steam-dino build"
        )


def mask_of(index: Index, rows: NDArray[np.intp]) -> NDArray[np.bool_] | None:
    """A mask of rows: bool, shape (n,); None if it lets all rows through."""
    if len(rows) == len(index):
        return None
    among = np.zeros(len(index), np.bool_)
    among[rows] = True
    return among


def _blocks(rows: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    return [rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK)]
