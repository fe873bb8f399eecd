"""What an engine is: pending banners in, batches of vectors and failures out."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from steamdino.gallery.vectors import Pending
from steamdino.recipe import Recipe
from steamdino.storage.picture_limits import PictureLimits, picture_limits


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What an engine computes, and with what.

    Attributes:
        recipe: to encode under; a whitening that is learned on a gallery is not part of it.
        device: "cpu", "cuda" or "mps".
        inference_precision: "f32", "bf16" or "auto" (the fastest that the model and the device support).
        threads: pictures decoded at the same time; 0 means one per core.
        cores: cores of this machine to compute with; 0 means all.
        address: of the cluster, for an engine that has one; empty for one that is started on this machine.
        actors: processes of the cluster that encode; 0 means as many as it has cores or GPUs for.
        limits: on pictures; those of this process, unless others are given.
    """

    recipe: Recipe
    device: str = "cpu"
    inference_precision: str = "f32"
    threads: int = 0
    cores: int = 0
    address: str = ""
    actors: int = 0
    limits: PictureLimits = field(default_factory=picture_limits)


@dataclass(frozen=True, slots=True)
class Failure:
    """A banner that could not be encoded.

    Attributes:
        banner: which one.
        reason: why. It names no path, because reasons go into snapshots, which are served and given away.
        final: whether the content itself is at fault, so that trying again is useless.
    """

    banner: Pending
    reason: str
    final: bool = False


@dataclass(frozen=True, slots=True)
class Batch:
    """Some results of an engine.

    Attributes:
        sha256s: of the encoded pictures.
        vectors: float32, shape (len(sha256s), dim), rows of length 1.
        failures: banners that could not be encoded.
    """

    sha256s: tuple[str, ...]
    vectors: NDArray[np.float32]
    failures: tuple[Failure, ...] = ()

    def __len__(self) -> int:
        """The number of banners that are done."""
        return len(self.sha256s) + len(self.failures)


class Engine(Protocol):
    """Encodes banners under one recipe. It reads pictures and never writes to a gallery.

    A picture's vector does not depend on what else is encoded: a build that was killed and continued gives the same
    bytes as one that was not.
    """

    @property
    def inference_precision(self) -> str:
        """The precision in use: "f32" or "bf16"."""

    @property
    def concurrency(self) -> int:
        """How many pictures are in the model at the same time; a few times as many give a reliable rate."""

    def encode(self, banners: Iterable[Pending]) -> Generator[Batch, None, None]:
        """Encode banners, each of them once.

        There may be a million of them: they are taken in the thread that takes the results, few at a time.

        Closing the generator stops the work and frees what it holds.

        Yields:
            the results in any order; each banner is in one batch, as a vector or as a failure.
        """
