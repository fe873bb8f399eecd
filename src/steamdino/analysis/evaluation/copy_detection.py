"""Measures copy detection: whether a descriptor finds the original of a perturbed copy.

This needs no labels, since the copies are made here, in memory, for one banner at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from steamdino.analysis.evaluation.collection import Collection
from steamdino.analysis.evaluation.descriptors import Describe, Descriptor
from steamdino.analysis.evaluation.metrics import Floats, Judged, Rows
from steamdino.analysis.evaluation.perturbations import PERTURBATIONS, perturbed
from steamdino.analysis.evaluation.retrieval import retrieve
from steamdino.analysis.evaluation.task_results import Result, summarise
from steamdino.analysis.evaluation.tasks import NEAR, Hashes, hamming
from steamdino.analysis.picture_loading import each, picture


def trace(
    collection: Collection,
    descriptor: Descriptor,
    describe: Describe,
    rows: Rows,
    *,
    seed: int,
    threads: int,
    described: Callable[[int], None],
) -> list[Judged]:
    """Search for the originals of perturbed copies.

    Args:
        collection: the games to search.
        descriptor: the descriptor to search with.
        describe: what its `load` returned for this number of threads.
        rows: the games whose banners are copied, in each way of `PERTURBATIONS`.
        seed: of the random parts of a perturbation.
        threads: number of banners at the same time.
        described: called with the number of further banners whose copies were described.

    Returns:
        for each perturbation its judged rankings, in the order of `rows`.

    Raises:
        PictureError: a picture changed meanwhile.
    """

    def encode(row: int) -> Floats:
        game = collection.games[row]
        images = perturbed(picture(game, colours=descriptor.colours), game.sha256, seed)
        step = descriptor.batch
        return np.concatenate([describe(images[n : n + step]) for n in range(0, len(images), step)])

    made = []
    for vectors in each(encode, rows.tolist(), threads):
        made.append(vectors)
        described(1)
    relevant, left_out = originals(rows, [game.sha256 for game in collection.games], collection.hashes)
    return [retrieve(queries, descriptor.index, relevant, left_out) for queries in np.stack(made, axis=1)]


def originals(rows: Rows, sha256s: Sequence[str], hashes: Hashes) -> tuple[list[Rows], list[Rows]]:
    """Find what copies must retrieve, and what counts as neither right nor wrong.

    Args:
        rows: the rows that were copied.
        sha256s: of the banners of all rows.
        hashes: uint8, shape (all rows, 32): their difference hashes.

    Returns:
        for each of `rows`, the rows with the very same file; and the rows whose difference hashes show the same art in
        another file, of which the copy might as well have been made.
    """
    kept = np.array(sha256s)
    relevant, left_out = [], []
    for row in rows:
        same = kept == kept[row]
        relevant.append(np.flatnonzero(same))
        left_out.append(np.flatnonzero((hamming(hashes[row], hashes) <= NEAR) & ~same))
    return relevant, left_out


def summaries(names: Sequence[str], traced: Sequence[Sequence[Judged]], seed: int) -> list[Result]:
    """Summarise all copies as one task, then each perturbation as a task. The copies of one banner are a cluster.

    Args:
        names: of the descriptors.
        traced: what `trace` returned for each descriptor.
        seed: of the bootstrap.
    """
    banners = np.arange(len(traced[0][0]))
    everything = [
        Judged(np.concatenate([way.first for way in ways]), np.concatenate([way.precision for way in ways]))
        for ways in traced
    ]
    clusters = np.tile(banners, len(PERTURBATIONS))
    return [
        summarise("copies", "copies", names, everything, clusters, seed),
        *(
            summarise("copy", way.name, names, [ways[n] for ways in traced], banners, seed)
            for n, way in enumerate(PERTURBATIONS)
        ),
    ]
