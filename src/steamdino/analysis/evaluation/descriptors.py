"""Descriptors to compare: the recipes of a gallery and the baselines, behind one interface."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from PIL import Image

from steamdino.analysis.evaluation.baselines import BASELINES
from steamdino.analysis.evaluation.metrics import Floats, Rows
from steamdino.index.exact import ExactIndex
from steamdino.index.snapshot_reader import SnapshotReader
from steamdino.index.vector_index import Index
from steamdino.recipe import SRGB

Describe = Callable[[Sequence[Image.Image]], Floats]
"""Encodes at most a batch of pictures: float32, shape (pictures, dim), unit rows. Threads may share it."""


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A way to describe pictures, with its index over a gallery.

    Attributes:
        name: of the recipe or the baseline.
        baseline: whether it is a baseline, which needs no model.
        index: of the games' vectors.
        load: loads what describes further pictures, given a number of threads.
        batch: maximum number of pictures at a time.
        decoded: sufficient (width, height) of a decoded picture; None for the full size.
        colours: how pictures must be decoded, as in `recipe.Transform`.
        vector_bytes: size of a vector in a snapshot.
        model_bytes: size of the model's file; 0 without a model.
    """

    name: str
    baseline: bool
    index: Index
    load: Callable[[int], Describe]
    batch: int
    decoded: tuple[int, int] | None
    colours: str
    vector_bytes: int
    model_bytes: int


def of_recipe(reader: SnapshotReader, rows: Rows, *, precision: str = "f32") -> Descriptor:
    """Make a descriptor of a recipe.

    Args:
        reader: a snapshot that was built under the recipe.
        rows: the rows to use, rising, each once.
        precision: inference precision for further pictures: "f32", "bf16" or "auto".

    Raises:
        RecipeError: no known model can encode under the recipe.
        ModelError: a file of the model is missing or altered.
    """
    from steamdino.features.encoder import BATCH, Encoder
    from steamdino.features.model_registry import model
    from steamdino.features.recipe_parser import files_of
    from steamdino.features.transform import prepare, sufficient_size

    recipe = reader.manifest.recipe
    weights = files_of(recipe).path(model(recipe.model).graph)

    def load(threads: int) -> Describe:
        encoder = Encoder(recipe, whitening=reader.whitening, precision=precision, streams=threads)

        def describe(images: Sequence[Image.Image]) -> Floats:
            return encoder([prepare(image, recipe.transform) for image in images])

        return describe

    return Descriptor(
        name=recipe.name,
        baseline=False,
        index=reader.index.subset(rows),
        load=load,
        batch=BATCH,
        decoded=sufficient_size(recipe.transform),
        colours=recipe.transform.colours,
        vector_bytes=recipe.dim * reader.vectors.itemsize,
        model_bytes=sum(file.stat().st_size for file in weights.parent.glob(f"{weights.stem}.*")),
    )


def of_baseline(name: str, vectors: Floats) -> Descriptor:
    """Make a descriptor of a baseline, given the vectors that it computed for the gallery's pictures."""
    make, size = BASELINES[name]
    return Descriptor(
        name=name,
        baseline=True,
        index=ExactIndex(vectors),
        load=lambda _: partial(_described, make),
        batch=1,
        decoded=None,
        colours=SRGB,
        vector_bytes=size,
        model_bytes=0,
    )


def _described(make: Callable[[Image.Image], Floats], images: Sequence[Image.Image]) -> Floats:
    return np.stack([make(image) for image in images])
