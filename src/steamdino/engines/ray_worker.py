"""What encodes on the nodes of a Ray cluster: a local engine with one core or one GPU, in a process of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from steamdino.engines.engine import Batch, EngineSettings
from steamdino.engines.local import LocalEngine
from steamdino.errors import SteamDinoError
from steamdino.gallery.vectors import Pending
from steamdino.storage.picture_limits import set_picture_limits
from steamdino.version import __version__


@dataclass(frozen=True, slots=True)
class Started:
    """How a worker started.

    Attributes:
        version: of steam-dino on the worker's node.
        precision: the inference precision in use; empty if the worker could not start.
        concurrency: how many pictures are in its model at the same time.
        refusal: why it could not start; empty if it did.
    """

    version: str
    precision: str = ""
    concurrency: int = 0
    refusal: str = ""


class RayWorker:
    """The class of the actors. Its methods are called through Ray, one after another."""

    def __init__(self, settings: EngineSettings) -> None:
        """Take the settings. `start` loads the model, so that an error there is an answer rather than a lost actor."""
        self._settings = settings
        set_picture_limits(settings.limits)
        self._engine: LocalEngine | None = None

    def start(self) -> Started:
        """Load the model."""
        try:
            self._engine = LocalEngine(self._settings)
        except SteamDinoError as error:
            return Started(__version__, refusal=str(error))
        return Started(__version__, self._engine.inference_precision, self._engine.concurrency)

    def encode(self, banners: Sequence[Pending]) -> Batch:
        """Read, decode and encode a few banners; each is in the result, as a vector or as a failure."""
        if self._engine is None:
            raise RuntimeError("the worker was not started")
        batches = list(self._engine.encode(banners))
        return Batch(
            tuple(sha256 for batch in batches for sha256 in batch.sha256s),
            np.concatenate([batch.vectors for batch in batches]),
            tuple(failure for batch in batches for failure in batch.failures),
        )
