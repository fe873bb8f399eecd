"""Finds frames and letterboxes: bands of one colour along opposite sides of a picture that end in a straight line.

A plain ground behind a logo is no frame, and neither is art that ends in a dark edge: they do not end in a line.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

TOLERANCE = 12
"""Levels of grey by which the pixels of a band may differ, as JPEG makes one colour uneven."""

UNEVEN = 0.02
"""Share of a line's pixels that may differ by more."""

THINNEST = 2
"""Pixels of the thinnest band: scans often leave a line of one pixel."""

FRAME, BARS = 0.2, 0.4
"""Share of the height or width that each band of a frame on four sides, or of two bars, takes up at most."""

UNEQUAL = 2.0
"""How many times as deep as the opposite band a bar may be."""

BEHIND = 0.04
"""Share of the lines, next to a band, that show whether it ends in a line: a line of text is not as high."""

BLEED = 3
"""Lines on which the edge of a band may be soft, from JPEG or scaling."""

ABRUPT, STEP = 0.45, 20
"""How far lines next to a band differ from it at least: compared with the lines behind them, or in levels. Art may fade
into an edge."""

EDGE, WEAKEST = 0.4, 0.15
"""Share of the pixels next to a band that differ from it: at least, on average over the sides and at each one."""

Levels = NDArray[np.uint8]


class Box(NamedTuple):
    """A part of a picture, in pixels."""

    left: int
    top: int
    width: int
    height: int


class Band(NamedTuple):
    """The lines at one side of a picture that have one level of grey."""

    depth: int
    level: int


def inside_frame(levels: Levels) -> Box:
    """Find the part of a picture that a frame on four sides, or bars on two opposite sides, leave.

    Args:
        levels: of grey, shape (height, width).

    Returns:
        the whole picture if there is no frame.
    """
    height, width = levels.shape
    rows, columns = _bands(levels), _bands(levels.T)
    if rows and columns and _frames(levels, rows, columns):
        (top, bottom), (left, right) = rows, columns
        return Box(left.depth, top.depth, width - left.depth - right.depth, height - top.depth - bottom.depth)
    if rows and _are_bars(levels, *rows):
        return Box(0, rows[0].depth, width, height - rows[0].depth - rows[1].depth)
    if columns and _are_bars(levels.T, *columns):
        return Box(columns[0].depth, 0, width - columns[0].depth - columns[1].depth, height)
    return Box(0, 0, width, height)


def _frames(levels: Levels, rows: tuple[Band, Band], columns: tuple[Band, Band]) -> bool:
    height, width = levels.shape
    (top, bottom), (left, right) = rows, columns
    if (
        abs(top.level - left.level) > TOLERANCE
        or max(top.depth, bottom.depth) > FRAME * height
        or max(left.depth, right.depth) > FRAME * width
    ):
        return False
    upright = levels[:, left.depth : width - right.depth]
    flat = levels[top.depth : height - bottom.depth].T
    shares = sorted((*_edges(upright, *rows), *_edges(flat, *columns)))
    # One side may be hidden by art of the same colour.
    return shares[1] >= WEAKEST and sum(shares) >= EDGE * len(shares)


def _are_bars(levels: Levels, first: Band, last: Band) -> bool:
    low, high = sorted((first.depth, last.depth))
    if high > BARS * len(levels) or high > UNEQUAL * low + 1:  # one line more or less is rounding
        return False
    # A logo on a plain ground does not reach the ends of the lines; art does.
    end = max(levels.shape[1] // 10, 1)
    ends = np.hstack((levels[:, :end], levels[:, -end:]))
    shares = _edges(levels, first, last), _edges(ends, first, last)
    return all(min(both) >= WEAKEST and sum(both) >= EDGE * len(both) for both in shares)


def _bands(levels: Levels) -> tuple[Band, Band] | None:
    """The bands at the first and the last rows, if both have the same level."""
    first = _band(levels)
    last = _band(levels[::-1]) if first else None
    return (first, last) if first and last and abs(first.level - last.level) <= TOLERANCE else None


def _band(levels: Levels) -> Band | None:
    level = int(np.sort(levels[0])[levels.shape[1] // 2])
    # Most pictures have no band, which the first lines show.
    if _differ(levels[:THINNEST], level).mean(axis=1).max() > UNEVEN:
        return None
    uneven = np.flatnonzero(_differ(levels, level).mean(axis=1) > UNEVEN)
    return Band(int(uneven[0]), level) if len(uneven) else None


def _differ(levels: Levels, level: int) -> NDArray[np.bool_]:
    return (levels < max(level - TOLERANCE, 0)) | (levels > min(level + TOLERANCE, 255))


def _edges(levels: Levels, first: Band, last: Band) -> tuple[float, float]:
    """How much of what is next to each of two bands differs from it, 0 to 1."""
    behind = max(round(BEHIND * len(levels)), 2)
    before, after = first.depth, len(levels) - last.depth
    return (
        _edge(levels[before : before + behind], first.level),
        _edge(levels[max(after - behind, 0) : after][::-1], last.level),
    )


def _edge(lines: Levels, level: int) -> float:
    """How much of the lines next to a band differs from it, the nearest line first; 0 if the band fades into them."""
    differences = np.abs(lines.astype(np.int16) - level)
    if differences[1 : 1 + BLEED].mean() < min(ABRUPT * differences[-BLEED:].mean(), STEP):
        return 0.0
    return float((differences > TOLERANCE).mean())
