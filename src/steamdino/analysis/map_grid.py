"""Moves points of a plane into the cells of a grid, so that nothing covers anything else.

The plane is halved repeatedly across its longer side, so that each half has as many points as cells. Each point gets
its own cell, close to its place.
"""

from __future__ import annotations

from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray

ASPECT = 1.5
"""Height of a cell divided by its width, as of a vertical banner."""

Points = NDArray[np.float64]
Cells = NDArray[np.intp]


def grid(points: Points) -> tuple[Cells, tuple[int, int]]:
    """Assign each point its own cell of a grid, close to its place.

    Args:
        points: shape (n, 2): x and y.

    Returns:
        (row, column) of each, intp, shape (n, 2); and the numbers of rows and columns. The whole is about as wide as
        it is high, with cells that are `ASPECT` times as high as they are wide.
    """
    count = len(points)
    columns = max(1, ceil(sqrt(count * ASPECT)))
    rows = max(1, ceil(count / columns))
    cells = np.zeros((count, 2), np.intp)
    waiting = [(np.arange(count), 0, rows, 0, columns)]
    while waiting:
        own, top, bottom, left, right = waiting.pop()
        if not len(own):
            continue
        if (bottom - top) * (right - left) == 1:
            cells[own[0]] = top, left
            continue
        upright = (bottom - top) * ASPECT > right - left
        order = own[np.lexsort((own, points[own, 1 if upright else 0]))]
        if upright:
            middle = (top + bottom) // 2
            parts = [(top, middle, left, right), (middle, bottom, left, right)]
        else:
            middle = (left + right) // 2
            parts = [(top, bottom, left, middle), (top, bottom, middle, right)]
        room, other = ((b - t) * (r - e) for t, b, e, r in parts)
        # In proportion to the cells, but no more games than each half has cells.
        first = min(max(round(len(own) * room / (room + other)), len(own) - other), room)
        waiting += [(order[:first], *parts[0]), (order[first:], *parts[1])]
    return cells, (rows, columns)
