"""Copies of banners, changed on purpose, that a good descriptor traces back to the original.

They need no labels: the truth is known, since the copies are made here: in memory, for one banner at
a time.
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
    """Looks for the originals of copies.

    Args:
        collection: where to look.
        descriptor: by which.
        describe: what it has loaded for as many threads.
        rows: the games whose banners are copied in each of the ways of `PERTURBATIONS`.
        seed: of what is left to chance in a copy.
        threads: banners at the same time.
        described: called with the number of banners whose copies were described.

    Returns:
        for each way its answers, in the order of `rows`.

    Raises:
        PictureError: a picture changed meanwhile.
    """

    def encode(row: int) -> Floats:
        game = collection.games[row]
        images = perturbed(picture(game), game.sha256, seed)
        step = descriptor.batch
        return np.concatenate([describe(images[n : n + step]) for n in range(0, len(images), step)])

    made = []
    for vectors in each(encode, rows.tolist(), threads):
        made.append(vectors)
        described(1)
    relevant, left_out = originals(rows, [game.sha256 for game in collection.games], collection.hashes)
    return [retrieve(queries, descriptor.index, relevant, left_out) for queries in np.stack(made, axis=1)]


def originals(rows: Rows, sha256s: Sequence[str], hashes: Hashes) -> tuple[list[Rows], list[Rows]]:
    """What the copies of rows must find, and what is neither right nor wrong.

    Args:
        rows: whose copies are asked about.
        sha256s: of all rows' banners.
        hashes: uint8, shape (all rows, 32): their difference hashes.

    Returns:
        for each of `rows` the rows with the very same file; and those whose difference hash says that they show the
        same art in another file: a copy may as well have been made of them.
    """
    kept = np.array(sha256s)
    relevant, left_out = [], []
    for row in rows:
        same = kept == kept[row]
        relevant.append(np.flatnonzero(same))
        left_out.append(np.flatnonzero((hamming(hashes[row], hashes) <= NEAR) & ~same))
    return relevant, left_out


def summaries(names: Sequence[str], traced: Sequence[Sequence[Judged]], seed: int) -> list[Result]:
    """All copies as one task, then each way to make them as one. The copies of one banner are a cluster.

    Args:
        names: the descriptors'.
        traced: what `trace` returned for each of them.
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
