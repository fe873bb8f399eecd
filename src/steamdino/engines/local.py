"""The local engine: decodes in threads and encodes in this process."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from itertools import islice

import numpy as np

from steamdino.engines.cores import cores
from steamdino.engines.decoding import Decoded, ahead, decoded
from steamdino.engines.engine import Batch, EngineSettings, Failure
from steamdino.features.encoder import Encoder
from steamdino.gallery.vectors import Pending

GPU_BATCH = 64
"""Pictures at a time on a GPU, which is idle between small batches."""


class LocalEngine:
    """Keeps all cores busy, or a GPU.

    Attributes:
        inference_precision: the precision in use.
        concurrency: how many pictures are in the model at the same time.
    """

    def __init__(self, settings: EngineSettings) -> None:
        """Load the recipe's model.

        Raises:
            RecipeError, ModelError, MissingExtraError, UsageError: as `Encoder` does.
        """
        recipe, precision = settings.recipe, settings.inference_precision
        if settings.device == "cpu":
            streams = settings.cores or cores()
            self._encoder = Encoder(recipe, precision=precision, streams=streams, cores=settings.cores)
        else:
            self._encoder = Encoder(recipe, device=settings.device, precision=precision, batch_size=GPU_BATCH)
        self._threads = settings.threads or settings.cores or cores()
        self.inference_precision = self._encoder.precision
        self.concurrency = self._encoder.streams * self._encoder.batch_size

    def encode(self, banners: Iterable[Pending]) -> Generator[Batch, None, None]:
        """Encode banners, as many batches at a time as the encoder has streams, with pictures decoded ahead.

        Yields:
            the results in the banners' order.
        """
        streams, size = self._encoder.streams, self._encoder.batch_size
        pictures = decoded(banners, self._encoder.recipe.transform, self._threads)
        batches = iter(lambda: list(islice(pictures, size)), [])
        try:
            yield from ahead(self._encode, batches, threads=streams, waiting=2 * streams)
        finally:
            pictures.close()

    def _encode(self, results: Sequence[Decoded | Failure]) -> Batch:
        good = [one for one in results if isinstance(one, Decoded)]
        failures = tuple(one for one in results if isinstance(one, Failure))
        if not good:
            return Batch((), np.empty((0, self._encoder.recipe.dim), np.float32), failures)
        vectors = self._encoder([one.pixels for one in good])
        return Batch(tuple(one.banner.sha256 for one in good), vectors, failures)
