"""From prepared pictures to vectors, under a recipe."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from steamdino.errors import UsageError
from steamdino.features.pooling import Floats, pool, unit, whiten
from steamdino.features.registry import Model, model_of
from steamdino.features.runtimes.openvino import OpenVinoModel, computes_bf16
from steamdino.features.transform import Pixels
from steamdino.recipe import Recipe

BATCH = 4
"""Pictures at a time in each stream. Measured by `benchmarks/encode.py`: small enough for a core's own cache."""


class Encoder:
    """Computes vectors under one recipe. Several threads may call it at the same time.

    Attributes:
        recipe: whose space the vectors live in.
        precision: the one in use.
        batch_size: the most pictures that one call takes.
        streams: how many calls run side by side.
    """

    def __init__(
        self, recipe: Recipe, *, precision: str = "f32", batch_size: int = BATCH, streams: int = 1
    ) -> None:
        """Loads the recipe's model.

        Args:
            recipe: what to encode under.
            precision: "f32", "bf16", or "auto": bf16 where the model stands it and the CPU has it, else f32.
            batch_size: the most pictures at a time.
            streams: how many calls may run side by side. One uses all cores for each call, which answers soonest;
                one for each core, called by as many threads, encodes the most.

        Raises:
            RecipeError: no known model can encode under it.
            GalleryError: a file of the model is missing or altered.
            UsageError: the model loses too much in that precision, or the CPU does not compute in it.
        """
        model = model_of(recipe)
        self.recipe = recipe
        self._family = model.family
        self._whitening = _whitening(model) if recipe.projection else None
        self.precision = _precision(model, precision)
        self._model = OpenVinoModel(
            model.file(model.weights),
            recipe.transform,
            batch_size=batch_size,
            precision=self.precision,
            streams=streams,
        )
        self.batch_size = batch_size
        self.streams = streams

    def __call__(self, pictures: Sequence[Pixels]) -> Floats:
        """Encodes pictures.

        Args:
            pictures: at most `batch_size` of them, each as `features.transform.prepare` makes it.

        Returns:
            float32, shape (len(pictures), dim), rows of length 1.
        """
        tokens = self._model(np.stack(pictures))
        vectors = unit(pool(tokens, self.recipe.pooling, family=self._family))
        if self._whitening is not None:
            vectors = whiten(vectors, *self._whitening)
        return vectors[: len(pictures)]


def _precision(model: Model, wanted: str) -> str:
    if wanted == "auto":
        return "bf16" if "bf16" in model.precisions and computes_bf16() else "f32"
    if wanted not in model.precisions:
        raise UsageError(
            f"{model.name} loses too much in {wanted}; use one of: {', '.join(model.precisions)}, auto"
        )
    return wanted


def _whitening(model: Model) -> tuple[Floats, Floats]:
    assert model.whitening is not None  # noqa: S101 (a recipe has a projection only from its model)
    with np.load(model.file(model.whitening), allow_pickle=False) as arrays:
        return arrays["mean"].astype(np.float32), np.asfortranarray(arrays["projection"], np.float32)
