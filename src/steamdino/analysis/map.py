"""A gallery on a plane: what looks alike lies together.

Two steps. *Layout*: t-SNE (van der Maaten, Hinton, "Visualizing Data using t-SNE", JMLR 9, 2008) on each game's exact
neighbours, by openTSNE, begun at the two main axes, so that it is the same each time. *Grid*: the plane is halved again
and again, across its longer side and at the point that leaves each half as many games as it has cells; so each game
gets a cell of its own, close to where the layout has it, and no banner covers another.
"""

from __future__ import annotations

from importlib.util import find_spec
from math import ceil, sqrt

import numpy as np
from numpy.typing import NDArray

from steamdino.errors import MissingExtraError
from steamdino.index.vector_index import Index
from steamdino.records import Progress

PERPLEXITY = 30
"""Neighbours that count for each game, about."""

FEWEST = 16
"""Games from which on t-SNE has something to arrange; fewer are laid out on their two main axes."""

EARLY, LATE, STEP = 250, 500, 50
"""Iterations of openTSNE, and how many between two reports."""

ASPECT = 1.5
"""A cell's height in its widths: of a vertical banner."""

Points = NDArray[np.float64]
Cells = NDArray[np.intp]


def check() -> None:
    """Finds out before the work whether a map can be made.

    Raises:
        MissingExtraError: openTSNE is not installed.
    """
    if find_spec("openTSNE") is None:
        raise MissingExtraError("a map", "map")


def layout(index: Index, progress: Progress | None = None) -> Points:
    """Places games on a plane.

    Args:
        index: of the games to place.
        progress: called with (done, total) iterations.

    Returns:
        float64, shape (n, 2); the same for the same vectors.

    Raises:
        MissingExtraError: openTSNE is not installed.
    """
    check()
    if len(index) < FEWEST:
        return _main_axes(index.vectors)
    from openTSNE import TSNE, affinity, initialization
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    rows, cosines = index.neighbours(min(3 * PERPLEXITY, len(index) - 1))
    near = affinity.PerplexityBasedNN(
        perplexity=min(PERPLEXITY, rows.shape[1] / 3),
        knn_index=PrecomputedNeighbors(rows, 1 - cosines.astype(np.float64)),
        n_jobs=-1,
    )
    done = 0

    def report(*_: object) -> bool:
        nonlocal done
        done += STEP
        if progress:
            progress(done, EARLY + LATE)
        return False  # going on

    made = TSNE(
        n_jobs=-1,
        random_state=0,
        early_exaggeration_iter=EARLY,
        n_iter=LATE,
        callbacks=report,
        callbacks_every_iters=STEP,
    ).fit(affinities=near, initialization=initialization.pca(index.vectors, random_state=0))
    return np.asarray(made, np.float64)


def grid(points: Points) -> tuple[Cells, tuple[int, int]]:
    """Gives each point a cell of its own, close to its place.

    Args:
        points: shape (n, 2): x and y.

    Returns:
        (row, column) of each, shape (n, 2), and how many rows and columns there are: so many that the whole is about
        as wide as high, with cells `ASPECT` times as high as wide.
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
        # In proportion, as far as both halves hold them.
        first = min(max(round(len(own) * room / (room + other)), len(own) - other), room)
        waiting += [(order[:first], *parts[0]), (order[first:], *parts[1])]
    return cells, (rows, columns)


def _main_axes(vectors: NDArray[np.float32]) -> Points:
    """Projections onto the two directions in which vectors differ most; zeros where there are none."""
    places = np.zeros((len(vectors), 2))
    if len(vectors) > 1:
        centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
        left, lengths, _ = np.linalg.svd(centred, full_matrices=False)
        found = (left * lengths)[:, :2]
        # An axis has no direction of its own: its largest value shall be positive.
        found *= np.sign(found[np.abs(found).argmax(axis=0), np.arange(found.shape[1])])
        places[:, : found.shape[1]] = found
    return places
