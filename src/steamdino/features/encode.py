"""From prepared pictures to vectors, under a recipe."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from steamdino.features.pooling import Floats, pool, unit, whiten
from steamdino.features.registry import Model, model_of
from steamdino.features.runtimes.openvino import OpenVinoModel
from steamdino.features.transform import Pixels
from steamdino.recipe import Recipe

BATCH = 8
"""Pictures at a time. Measured by `benchmarks/encode.py`: with 16 and more the activations fall out of the cache."""


class Encoder:
    """Computes vectors under one recipe.

    Attributes:
        recipe: whose space the vectors live in.
        precision: the one in use.
        batch_size: the most pictures that one call takes.
    """

    def __init__(self, recipe: Recipe, *, precision: str = "f32", batch_size: int = BATCH) -> None:
        """Loads the recipe's model.

        Args:
            recipe: what to encode under.
            precision: "f32", "bf16" or "auto".
            batch_size: the most pictures at a time.

        Raises:
            RecipeError: no known model can encode under it.
            GalleryError: a file of the model is missing or altered.
            UsageError: the CPU does not compute in that precision.
        """
        model = model_of(recipe)
        self.recipe = recipe
        self._family = model.family
        self._whitening = _whitening(model) if recipe.projection else None
        self._model = OpenVinoModel(
            model.file(model.weights), recipe.transform, batch_size=batch_size, precision=precision
        )
        self.precision = self._model.precision
        self.batch_size = batch_size

    def __call__(self, pictures: Sequence[Pixels]) -> Floats:
        """Encodes pictures.

        Args:
            pictures: at most `batch_size` of them, each as `features.transform.prepare` makes it.

        Returns:
            float32, shape (len(pictures), dim), rows of length 1.
        """
        tokens = self._model(np.stack(pictures))
        vectors = unit(pool(tokens, self.recipe.pooling, family=self._family))
        return vectors if self._whitening is None else whiten(vectors, *self._whitening)


def _whitening(model: Model) -> tuple[Floats, Floats]:
    assert model.whitening is not None  # noqa: S101 (a recipe has a projection only from its model)
    with np.load(model.file(model.whitening), allow_pickle=False) as arrays:
        return arrays["mean"].astype(np.float32), arrays["projection"].astype(np.float32)
