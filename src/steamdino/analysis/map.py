"""Arranges a gallery on a plane, so that banners that look alike lie together.

The layout is t-SNE (van der Maaten, Hinton, "Visualizing Data using t-SNE", JMLR 9, 2008) on each game's nearest
neighbours, with openTSNE. It starts from the two principal components, so the result is reproducible. Above `LARGE`
games, the 15 nearest neighbours count alike instead of 90 by their distance: this gives almost the same layout (Böhm,
Berens, Kobak, "Attraction-Repulsion Spectrum in Neighbor Embeddings", JMLR 23, 2022) from a sixth of the memory.

`map_grid` then moves the games into the cells of a grid.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from steamdino.analysis.map_axes import main_axes
from steamdino.analysis.map_grid import Points
from steamdino.analysis.map_state import LayoutState, NeighbourFile
from steamdino.analysis.progress_stages import Stage, unseen
from steamdino.errors import MissingExtraError
from steamdino.index.vector_index import Index, Neighbours
from steamdino.records import Progress

if TYPE_CHECKING:
    from openTSNE.affinity import Affinities

PERPLEXITY = 30
"""Roughly the number of neighbours that matter for each game."""

LARGE, FEW_NEIGHBOURS = 20_000, 15
"""Above so many games, each has so many neighbours, all of the same weight."""

FEWEST = 16
"""Lowest number of games for t-SNE; fewer are laid out on their two principal components."""

EARLY, LATE = 250, 500
"""Iterations of openTSNE with and without early exaggeration."""

EXAGGERATION = 12
"""Factor of the attraction in the early iterations, openTSNE's default."""

STEP, REPORT = 50, 10
"""Iterations after which the state is kept, and after which progress is reported."""

ALONE = 5000
"""Below so many games one thread computes the layout: several would wait for each other longer than they work."""

BLOCK = 8192
"""Games whose neighbours are found at a time, and kept."""

START = 1e-4
"""Standard deviation of the first places, as openTSNE recommends."""


def check() -> None:
    """Check that a map can be made, before any work is done.

    Raises:
        MissingExtraError: openTSNE is not installed.
    """
    if find_spec("openTSNE") is None:
        raise MissingExtraError("a map", "map")


def version() -> str:
    """The version of openTSNE, on which a layout depends.

    Raises:
        MissingExtraError: it is not installed.
    """
    check()
    from importlib.metadata import version

    return version("openTSNE")


def layout(
    index: Index,
    rows: NDArray[np.intp] | None = None,
    *,
    kept: Path | None = None,
    stage: Stage = unseen,
) -> Points:
    """Place games on a plane.

    Args:
        index: of the games to place, and of others.
        rows: which of its rows to place, rising; None for all.
        kept: a folder for the state of the work. If the process is killed, the next call with it continues, and ends
            with the same result. None keeps nothing.
        stage: shows what is done.

    Returns:
        float64, shape (len(rows), 2); the same for the same vectors.

    Raises:
        MissingExtraError: openTSNE is not installed.
        OSError: `kept` cannot be written.
    """
    check()
    wanted = np.arange(len(index)) if rows is None else rows
    if len(wanted) < FEWEST:
        return main_axes(index.vectors, wanted)
    with stage("Comparing", "games") as progress:
        near = _affinities(_neighbours(index, wanted, kept, progress))
    with stage("Arranging", "steps") as progress:
        return _arranged(near, index, wanted, kept, progress)


def _neighbours(index: Index, rows: NDArray[np.intp], kept: Path | None, progress: Progress) -> Neighbours:
    """The nearest of some rows among these, as positions in `rows`, int32."""
    k = min(FEW_NEIGHBOURS if len(rows) > LARGE else 3 * PERPLEXITY, len(rows) - 1)
    positions, among, asked = np.arange(len(index), dtype=np.int32), None, rows
    if 2 * len(rows) <= len(index):
        index, asked = index.subset(rows), np.arange(len(rows))
    elif len(rows) < len(index):  # a subset would be a copy, searched without what makes the index fast
        among = np.zeros(len(index), np.bool_)
        among[rows] = True
        positions = np.cumsum(among, dtype=np.int32) - np.int32(1)
    with NeighbourFile(kept, len(rows), k) as found:
        for start in range(found.done, len(rows), BLOCK):
            block = index.neighbours(k, rows=asked[start : start + BLOCK], among=among)
            found.add(positions[block.rows], block.cosines)
            progress(found.done, len(rows))
        return found.all()


def _affinities(near: Neighbours) -> Affinities:
    from openTSNE import affinity
    from openTSNE.nearest_neighbors import PrecomputedNeighbors

    if len(near.rows) > LARGE:
        return affinity.Uniform(knn_index=PrecomputedNeighbors(near.rows, near.cosines))
    return affinity.PerplexityBasedNN(
        perplexity=min(PERPLEXITY, near.rows.shape[1] / 3),
        knn_index=PrecomputedNeighbors(near.rows, 1 - near.cosines.astype(np.float64)),
        n_jobs=_threads(len(near.rows)),
    )


def _threads(games: int) -> int:
    return 1 if games < ALONE else -1


def _arranged(
    near: Affinities, index: Index, rows: NDArray[np.intp], kept: Path | None, progress: Progress
) -> Points:
    from openTSNE import TSNE

    state = LayoutState.read(kept, len(rows)) or LayoutState.first(_first_places(index, rows))
    # Places in the middle of the work are set afterwards, since openTSNE warns of first places so far apart.
    embedding = TSNE(n_jobs=_threads(len(rows)), random_state=0).prepare_initial(
        affinities=near, initialization=np.zeros_like(state.places)
    )
    embedding[:] = state.places
    embedding.optimizer.update, embedding.optimizer.gains = state.update, state.gains
    base = state.done

    def report(done: int, *_: Any) -> bool:
        progress(base + done, EARLY + LATE)
        return False  # do not stop

    # openTSNE would multiply and divide in each call, so that a layout that was continued would differ in the last bit.
    near.P.data *= EXAGGERATION
    early = True
    for base in range(state.done, EARLY + LATE, STEP):
        if early and base >= EARLY:
            near.P.data /= EXAGGERATION
            early = False
        embedding.optimize(
            STEP,
            inplace=True,
            learning_rate=len(rows) / (EXAGGERATION if early else 1),
            momentum=0.8,
            callbacks=report,
            callbacks_every_iters=REPORT,
        )
        optimizer = embedding.optimizer
        state = LayoutState(base + STEP, np.asarray(embedding), optimizer.update, optimizer.gains)
        state.write(kept)
    return np.array(embedding, np.float64)


def _first_places(index: Index, rows: NDArray[np.intp]) -> Points:
    """The principal components, small, and with a little noise so that equal games can part."""
    places = main_axes(index.vectors, rows)
    spread = float(places[:, 0].std())
    noise = np.random.default_rng(0).standard_normal(places.shape)
    return places * (START / spread if spread else 0.0) + noise * START / 100
