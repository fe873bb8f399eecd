"""Computes the vectors of prepared pictures under a recipe."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from steamdino.errors import ModelError, RecipeError, UsageError
from steamdino.features import pooling
from steamdino.features.model_files import CHECKPOINT, ModelFiles, pull_command, sha256
from steamdino.features.model_registry import Model, check_precision, model
from steamdino.features.pooling import Floats, unit
from steamdino.features.recipe_parser import BUILD_ANEW, files_of, pooling_dim
from steamdino.features.runtimes.openvino import OpenVinoModel
from steamdino.features.runtimes.openvino_cpu import computes_bf16
from steamdino.features.runtimes.openvino_whitening import OpenVinoWhitening
from steamdino.features.runtimes.runtime import Runtime
from steamdino.features.transform import Pixels
from steamdino.features.whitening import Whitening
from steamdino.recipe import Recipe

BATCH = 4
"""Pictures at a time in each stream. Measured by `benchmarks/encode.py`: small enough for a core's own cache."""


class Encoder:
    """Computes vectors under one recipe. Threads may share it; `streams` of their calls run side by side.

    Attributes:
        recipe: whose space the vectors live in.
        precision: the inference precision in use.
        batch_size: the most pictures that one call takes.
        streams: how many calls run side by side.
    """

    def __init__(
        self,
        recipe: Recipe,
        *,
        whitening: Path | None = None,
        device: str = "cpu",
        precision: str = "f32",
        batch_size: int = BATCH,
        streams: int = 1,
        cores: int = 0,
    ) -> None:
        """Load the recipe's model.

        Args:
            recipe: what to encode under.
            whitening: the file of the whitening that was learned on a gallery, if the recipe names one.
            device: "cpu" (OpenVINO), or, through PyTorch, "cuda" or "mps".
            precision: inference precision: "f32", "bf16", or "auto" (bf16 if the model and the CPU support it).
            batch_size: the most pictures at a time.
            streams: how many calls may run side by side. One uses all cores for each call, which gives the lowest
                latency; one for each core, called by as many threads, gives the highest throughput.
            cores: how many cores to compute with on the CPU; 0 for all.

        Raises:
            RecipeError: no known model can encode under it.
            ModelError: a file of the model is missing or altered.
            MissingExtraError: the device needs PyTorch, which is not installed.
            UsageError: this machine has no such device, or the model or the CPU does not support that precision.
        """
        files = files_of(recipe)
        self.recipe = recipe
        self._model = model(recipe.model)
        found = whitening_of(recipe, files, whitening)
        self._whitening: Whitening | OpenVinoWhitening | None = found
        if found is not None and device == "cpu":
            self._whitening = OpenVinoWhitening(found, rows=batch_size, streams=streams, cores=cores)
        self.precision = _precision(self._model, precision)
        self._runtimes: list[Runtime] = [
            _runtime(files, recipe, self._model, scale, device, self.precision, batch_size, streams, cores)
            for scale in pooling.scales(recipe.pooling)
        ]
        self.batch_size = batch_size
        self.streams = streams

    def __call__(self, pictures: Sequence[Pixels]) -> Floats:
        """Encode pictures.

        Args:
            pictures: at most `batch_size` of them, each as `features.transform.prepare` makes it.

        Returns:
            float32, shape (len(pictures), dim), rows of length 1.
        """
        pixels = np.stack(pictures)
        pooled = [pooling.pool(run(pixels), self.recipe.pooling, self._model) for run in self._runtimes]
        vectors = unit(pooled[0] if len(pooled) == 1 else np.mean(pooled, axis=0))
        if self._whitening is not None:
            vectors = self._whitening(vectors)
        return vectors[: len(pictures)]


def _runtime(
    files: ModelFiles,
    recipe: Recipe,
    known: Model,
    scale: float,
    device: str,
    precision: str,
    batch_size: int,
    streams: int,
    cores: int,
) -> Runtime:
    outputs = pooling.outputs(recipe.pooling, known)
    if device == "cpu":
        return OpenVinoModel(
            files.path(known.graph),
            known,
            recipe.transform,
            outputs=outputs,
            scale=scale,
            batch_size=batch_size,
            precision=precision,
            streams=streams,
            cores=cores,
            identity=files.weights,
        )
    from steamdino.features.runtimes.torch import TorchModel, check_device

    check_device(device)
    if known.quantised:
        raise UsageError(
            f"{known.name} is quantised to 8 bits, which runs on the CPU; for {device} use the model that it was made"
            f" from: {known.quantised['model']}"
        )
    checkpoint = files.folder / CHECKPOINT
    if not checkpoint.is_dir():
        raise ModelError(
            f"{known.name} is here as ONNX only, which runs on the CPU; for {device} get its PyTorch weights with:"
            f" {pull_command(known.name)} --torch"
        )
    for name in files.files:
        if name.startswith(f"{CHECKPOINT}/"):
            files.path(name)  # checked against its sha256
    return TorchModel(
        checkpoint,
        known,
        recipe.transform,
        outputs=outputs,
        scale=scale,
        device=device,
        precision=precision,
    )


def _precision(model: Model, wanted: str) -> str:
    if wanted == "auto":
        return "bf16" if "bf16" in model.inference_precisions and computes_bf16() else "f32"
    check_precision(model.name, wanted)
    return wanted


def whitening_of(recipe: Recipe, files: ModelFiles, learned: Path | None) -> Whitening | None:
    """Read the whitening that a recipe names; None if it names none.

    Args:
        recipe: that names it by its sha256.
        files: of the recipe's model.
        learned: the file of a whitening that was learned on a gallery.

    Raises:
        RecipeError: it is missing.
        ModelError: it is damaged, or has another shape.
    """
    if recipe.projection is None:
        return None
    shipped = model(recipe.model).whitening
    if shipped and files.files[shipped] == recipe.projection:
        path = files.path(shipped)
    elif learned is None:
        raise RecipeError(
            f"the snapshot lacks the whitening that its recipe {recipe.name!r} needs ({recipe.projection[:12]}), so a"
            f" picture cannot be compared with it; {BUILD_ANEW}"
        )
    elif learned.is_file() and sha256(learned) == recipe.projection:
        path = learned
    else:
        raise RecipeError(
            f"{learned.name} of the snapshot is not the whitening that its recipe {recipe.name!r} needs, so a picture"
            " cannot be compared with it; write the snapshot again with: steam-dino build --rebuild"
        )
    whitening = Whitening.read(path)
    expected = (pooling_dim(model(recipe.model), recipe.pooling), recipe.dim)
    if whitening.projection.shape != expected:
        # Without the path: this may be shown to others, and the file may lie in the folder of an opened pack.
        raise ModelError(
            f"{path.name} projects {whitening.projection.shape}, and its recipe says {expected}; build again"
        )
    return whitening
