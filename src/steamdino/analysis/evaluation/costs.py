"""What a descriptor costs: time for each picture, bytes for each vector, and the model's file."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from steamdino.analysis.evaluation.descriptors import Describe, Descriptor
from steamdino.analysis.picture_loading import each, picture
from steamdino.records import Game

ROUNDS = 2
"""Over the same pictures: the first time, files are cold and the model has not settled."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a descriptor costs.

    Attributes:
        descriptor: its name.
        pictures_per_second: from files to vectors, measured now on some of the gallery's pictures.
        dim: length of a vector.
        vector_bytes: that one takes.
        model_bytes: of the model's file; 0 without one.
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
    """Measures what a descriptor costs.

    Args:
        descriptor: whose cost.
        describe: what it has loaded for as many threads.
        games: whose pictures to time it on, `ROUNDS` times.
        threads: batches at the same time.
        described: called with the number of pictures after each batch.

    Raises:
        PictureError: a picture changed meanwhile.
    """

    def encode(batch: Sequence[Game]) -> int:
        return len(describe([picture(game, descriptor.decoded) for game in batch]))

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
