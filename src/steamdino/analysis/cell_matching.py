"""Compares two pictures cell by cell: which cells are alike, and what each adds to the pictures' similarity."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from steamdino.features.cells import Cells
from steamdino.features.transform import Pixels

COVERED = (6, 4)
"""Rows and columns of the grid of parts that occlusion covers in turn."""

Map = NDArray[np.float64]


def likeness(first: Cells, second: Cells) -> Map:
    """Compare each cell of one picture with each cell of another, with their surroundings.

    Args:
        first, second: cells of grids of the same size.

    Returns:
        float64, shape (cells, cells): cosines of centred descriptors, averaged over the cells around both.
    """
    middle = (first.descriptors.mean(axis=0) + second.descriptors.mean(axis=0)) / 2
    one, two = (_unit(cells.descriptors - middle) for cells in (first, second))
    rows, columns = first.grid
    table = (one @ two.T).reshape(rows, columns, rows, columns)
    total, count = np.zeros_like(table), np.zeros_like(table)
    for down in (-1, 0, 1):
        for across in (-1, 0, 1):
            to_y, from_y = _shifted(rows, down)
            to_x, from_x = _shifted(columns, across)
            total[to_y, to_x, to_y, to_x] += table[from_y, from_x, from_y, from_x]
            count[to_y, to_x, to_y, to_x] += 1
    return (total / count).reshape(rows * columns, rows * columns)


def exact_shares(first: Cells, second: Cells) -> tuple[float, float, list[Map]] | None:
    """Compute what each cell adds to the cosine of two pictures.

    Returns:
        the cosine; the part of it that belongs to no cell of the first picture; and each picture's shares, shape (rows,
        columns). None if the vectors are not sums over cells.
    """
    if first.parts is None or first.rest is None or second.parts is None or second.rest is None:
        return None
    one, two = (
        parts.sum(axis=0) + rest for parts, rest in ((first.parts, first.rest), (second.parts, second.rest))
    )
    shares = [(first.parts @ two).reshape(first.grid), (second.parts @ one).reshape(second.grid)]
    return float(np.clip(one @ two, -1, 1)), float(first.rest @ two), shares


def covered(pixels: Pixels) -> list[Pixels]:
    """Make copies of a picture in which each part of the `COVERED` grid in turn, row by row, has the mean colour."""
    height, width = pixels.shape[:2]
    colour = pixels.reshape(-1, 3).mean(axis=0).round().astype(np.uint8)
    made = []
    for top, bottom in pairwise(np.linspace(0, height, COVERED[0] + 1).round().astype(int)):
        for left, right in pairwise(np.linspace(0, width, COVERED[1] + 1).round().astype(int)):
            one = pixels.copy()
            one[top:bottom, left:right] = colour
            made.append(one)
    return made


def regions(values: Map, rows: int = 3, columns: int = 3) -> Map:
    """Sum a map over parts of equal size: shape (rows, columns), same total. Cells on a border are split."""
    down, across = (_overlaps(of, into) for of, into in zip(values.shape, (rows, columns), strict=True))
    summed: Map = down @ values @ across.T
    return summed


def _overlaps(count: int, parts: int) -> Map:
    """Compute how much of each of `count` cells in a row lies in each of `parts` equal parts: (parts, count)."""
    edges = np.arange(count + 1) / count * parts
    starts = np.arange(parts)[:, np.newaxis]
    inside = np.minimum(edges[1:], starts + 1) - np.maximum(edges[:-1], starts)
    clipped: Map = np.maximum(inside, 0) * count / parts
    return clipped


def _unit(rows: Map) -> Map:
    scaled: Map = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return scaled


def _shifted(count: int, by: int) -> tuple[slice, slice]:
    """Along one axis, the slice to add to and the slice to add from."""
    return slice(max(0, -by), count - max(0, by)), slice(max(0, by), count + min(0, by))
