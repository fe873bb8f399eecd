"""Measures what a descriptor costs: time for a picture, bytes for a vector, and the size of the model."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from steamdino.analysis.evaluation.descriptors import Describe, Descriptor
from steamdino.analysis.picture_loading import each, picture
from steamdino.records import Game

ROUNDS = 2
"""Rounds over the same pictures. In the first one files are not cached and the model is not warmed up."""


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a descriptor.

    Attributes:
        descriptor: its name.
        pictures_per_second: from files to vectors, measured on some of the gallery's pictures.
        dim: length of a vector.
        vector_bytes: size of a vector.
        model_bytes: size of the model's file; 0 without a model.
    """

    descriptor: str
    pictures_per_second: float
    dim: int
    vector_bytes: int
    model_bytes: int


def cost(
    descriptor: Descriptor,
    describe: Describe,
    games: Sequence[Game],
    threads: int,
    described: Callable[[int], None],
) -> Cost:
    """Measure the cost of a descriptor.

    Args:
        descriptor: the descriptor.
        describe: what its `load` returned for this number of threads.
        games: games whose pictures are described `ROUNDS` times.
        threads: number of batches at the same time.
        described: called after each batch with its number of pictures.

    Raises:
        PictureError: a picture changed meanwhile.
    """

    def encode(batch: Sequence[Game]) -> int:
        return len(
            describe([picture(game, descriptor.decoded, colours=descriptor.colours) for game in batch])
        )

    batches = [games[start : start + descriptor.batch] for start in range(0, len(games), descriptor.batch)]
    seconds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for done in each(encode, batches, threads):
            described(done)
        seconds.append(time.perf_counter() - started)
    return Cost(
        descriptor.name,
        len(games) / min(seconds),
        descriptor.index.vectors.shape[1],
        descriptor.vector_bytes,
        descriptor.model_bytes,
    )
