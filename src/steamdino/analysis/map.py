"""Arranges a gallery on a plane, so that banners that look alike lie together.

There are two steps. *Layout*: t-SNE (van der Maaten, Hinton, "Visualizing Data using t-SNE", JMLR 9, 2008) on each
game's nearest neighbours, with openTSNE. It starts from the two principal components, so the result is reproducible.
*Grid*: the plane is halved repeatedly across its longer side, so that each half has as many games as cells. Each game
gets its own cell, close to its place in the layout, and no banner covers another.
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
"""Roughly the number of neighbours that matter for each game."""

FEWEST = 16
"""Lowest number of games for t-SNE; fewer are laid out on their two principal components."""

EARLY, LATE, STEP = 250, 500, 50
"""Iterations of openTSNE with and without early exaggeration, and between two progress reports."""

ASPECT = 1.5
"""Height of a cell divided by its width, as of a vertical banner."""

Points = NDArray[np.float64]
Cells = NDArray[np.intp]


def check() -> None:
    """Check that a map can be made, before any work is done.

    Raises:
        MissingExtraError: openTSNE is not installed.
    """
    if find_spec("openTSNE") is None:
        raise MissingExtraError("a map", "map")


def layout(index: Index, progress: Progress | None = None) -> Points:
    """Place games on a plane.

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
        return False  # do not stop

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


def _main_axes(vectors: NDArray[np.float32]) -> Points:
    """Project vectors onto their first two principal components; zeros where there are none."""
    places = np.zeros((len(vectors), 2))
    if len(vectors) > 1:
        centred = vectors.astype(np.float64) - vectors.mean(axis=0, dtype=np.float64)
        left, lengths, _ = np.linalg.svd(centred, full_matrices=False)
        found = (left * lengths)[:, :2]
        # The sign of an axis is arbitrary, so its largest value is made positive.
        found *= np.sign(found[np.abs(found).argmax(axis=0), np.arange(found.shape[1])])
        places[:, : found.shape[1]] = found
    return places
