"""From prepared pictures to vectors, under a recipe."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from steamdino.errors import ModelError, RecipeError, UsageError
from steamdino.features import pooling
from steamdino.features.cache import WEIGHTS, ModelFiles, sha256
from steamdino.features.pooling import Floats, unit
from steamdino.features.recipes import files_of, pooling_dim
from steamdino.features.registry import Model, model
from steamdino.features.runtimes.openvino import OpenVinoModel, computes_bf16
from steamdino.features.transform import Pixels
from steamdino.features.whitening import Whitening
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
        self,
        recipe: Recipe,
        *,
        whitening: Path | None = None,
        precision: str = "f32",
        batch_size: int = BATCH,
        streams: int = 1,
    ) -> None:
        """Loads the recipe's model.

        Args:
            recipe: what to encode under.
            whitening: the file of one that was learned on a gallery, where the recipe names one.
            precision: "f32", "bf16", or "auto": bf16 where the model stands it and the CPU has it, else f32.
            batch_size: the most pictures at a time.
            streams: how many calls may run side by side. One uses all cores for each call, which answers soonest;
                one for each core, called by as many threads, encodes the most.

        Raises:
            RecipeError: no known model can encode under it.
            ModelError: a file of the model is missing or altered.
            UsageError: the model loses too much in that precision, or the CPU does not compute in it.
        """
        files = files_of(recipe)
        self.recipe = recipe
        self._model = model(recipe.model)
        self._whitening = _whitening(recipe, files, whitening)
        self.precision = _precision(self._model, precision)
        self._runs = [
            OpenVinoModel(
                files.path(self._model.weights or WEIGHTS),
                self._model,
                recipe.transform,
                outputs=pooling.outputs(recipe.pooling, self._model),
                scale=scale,
                batch_size=batch_size,
                precision=self.precision,
                streams=streams,
            )
            for scale in pooling.scales(recipe.pooling)
        ]
        self.batch_size = batch_size
        self.streams = streams

    def __call__(self, pictures: Sequence[Pixels]) -> Floats:
        """Encodes pictures.

        Args:
            pictures: at most `batch_size` of them, each as `features.transform.prepare` makes it.

        Returns:
            float32, shape (len(pictures), dim), rows of length 1.
        """
        pixels = np.stack(pictures)
        pooled = [pooling.pool(run(pixels), self.recipe.pooling, self._model) for run in self._runs]
        vectors = unit(pooled[0] if len(pooled) == 1 else np.mean(pooled, axis=0))
        if self._whitening is not None:
            vectors = self._whitening(vectors)
        return vectors[: len(pictures)]


def _precision(model: Model, wanted: str) -> str:
    if wanted == "auto":
        return "bf16" if "bf16" in model.precisions and computes_bf16() else "f32"
    if wanted not in model.precisions:
        raise UsageError(
            f"{model.name} loses too much in {wanted}; use one of: {', '.join(model.precisions)}, auto"
        )
    return wanted


def _whitening(recipe: Recipe, files: ModelFiles, learned: Path | None) -> Whitening | None:
    if recipe.projection is None:
        return None
    shipped = model(recipe.model).whitening
    if shipped and files.files[shipped] == recipe.projection:
        path = files.path(shipped)
    elif learned is not None and learned.is_file() and sha256(learned) == recipe.projection:
        path = learned
    else:
        raise RecipeError(
            f"the snapshot was built under another projection of {recipe.model} ({recipe.projection[:12]}), which is"
            " not here, so a picture cannot be compared with it; build again with: steam-dino build --upgrade"
        )
    whitening = Whitening.read(path)
    expected = (pooling_dim(model(recipe.model), recipe.pooling), recipe.dim)
    if whitening.projection.shape != expected:
        raise ModelError(f"{path} projects {whitening.projection.shape}, and its recipe says {expected}")
    return whitening
