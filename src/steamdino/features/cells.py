"""Decomposition of a picture's vector into the parts that its patches, or the cells of its map, contribute.

If a pooling is a sum over cells, the vector is exactly a sum of parts, and so is any cosine: a cell's part in the
similarity of two pictures is the dot product of the cell's part with the other picture's vector. (After
Stylianou, Souvenir, Pless, "Visualizing Deep Similarity Networks", arXiv 1901.00536: averages and maxima.)

* An average is a sum of ``x_i / n``.
* The generalised mean of power p is a sum of ``x_i**p / (n * g**(p - 1))``, g being the mean itself.
* Whitening is linear except for its centring, which is divided evenly among the cells.
* What comes from the CLS token belongs to no place; it is kept separately as ``rest``.

A pooling of CLS tokens alone, or over several scales, is not such a sum.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from steamdino.errors import RecipeError
from steamdino.features.encoder import whitening_of
from steamdino.features.model_registry import Model, model
from steamdino.features.pooling import FLOOR
from steamdino.features.recipe_parser import files_of
from steamdino.features.runtimes.openvino import OpenVinoModel
from steamdino.features.transform import Pixels
from steamdino.features.whitening import Whitening
from steamdino.recipe import Pooling, Recipe

Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of one picture, row by row.

    Attributes:
        grid: (rows, columns) of the cells.
        descriptors: float64, shape (cells, d): the content of each cell, to compare with other cells; rows of length 1.
        parts: float64, shape (cells, dim): each cell's part of the vector; None if the pooling is not a sum over cells.
        rest: float64, shape (dim,): what belongs to no cell. ``parts.sum(0) + rest`` is the vector, of length 1.
    """

    grid: tuple[int, int]
    descriptors: Doubles
    parts: Doubles | None
    rest: Doubles | None


class CellEncoder:
    """An encoder that decomposes pictures into cells by one recipe. Threads may share it."""

    def __init__(self, recipe: Recipe, *, whitening: Path | None = None) -> None:
        """Load the recipe's model.

        Args:
            recipe: under which.
            whitening: the file of the whitening that was learned on a gallery, if the recipe names one.

        Raises:
            RecipeError: no known model can encode by this recipe, or the model outputs no cells.
            ModelError: a file of the model is missing or altered.
        """
        self._recipe = recipe
        self._model = model(recipe.model)
        if not has_cells(self._model):
            raise RecipeError(
                f"{recipe.model} outputs one embedding per picture, so nothing is known of its parts"
            )
        files = files_of(recipe)
        self._whitening = whitening_of(recipe, files, whitening)
        self._run = OpenVinoModel(
            files.path(self._model.graph),
            self._model,
            recipe.transform,
            outputs=("tokens",),
            batch_size=1,
            precision="f32",
            identity=files.weights,
        )
        stride = self._model.stride
        self._grid = (-(-recipe.transform.height // stride), -(-recipe.transform.width // stride))

    def __call__(self, pixels: Pixels) -> Cells:
        """Decompose a picture into cells.

        Args:
            pixels: uint8, shape (height, width, 3), as returned by `features.transform.prepare`.
        """
        tokens = self._run(pixels[np.newaxis])[0][0].astype(np.float64)
        first, cells = tokens[0], tokens[1 + self._model.registers :]
        taken = _sum(first, cells, self._recipe.pooling, self._model)
        # Not whitened: what distinguishes banners does not distinguish a cell from its neighbours.
        descriptors = cells / np.maximum(
            np.linalg.norm(cells, axis=1, keepdims=True), np.finfo(np.float64).tiny
        )
        if taken is None:
            return Cells(self._grid, descriptors, None, None)
        parts, rest = taken if self._whitening is None else _whitened(*taken, self._whitening)
        length = np.linalg.norm(parts.sum(axis=0) + rest)
        return Cells(self._grid, descriptors, parts / length, rest / length)


def has_cells(known: Model) -> bool:
    """Return whether a model outputs its cells, and not only one embedding."""
    return known.family != "clip"


def _sum(first: Doubles, cells: Doubles, pooled: Pooling, known: Model) -> tuple[Doubles, Doubles] | None:
    """Return the pooled vector, unscaled, as parts of cells and a rest; None if it is not a sum over cells."""
    transformer, count = known.family == "vit", len(cells)
    if pooled.kind == "gem":
        assert pooled.power is not None  # noqa: S101 (Pooling has checked it)
        raised = np.maximum(cells, float(FLOOR)) ** pooled.power
        mean = raised.mean(axis=0) ** (1 / pooled.power)
        parts = raised / count / mean ** (pooled.power - 1)
    elif pooled.kind == "patches" or (pooled.kind == "simple" and not transformer):
        parts = cells / count
        transformer = False  # the CLS token does not contribute
    elif pooled.kind == "complex" and known.complex == "mean":
        parts = cells / count
    else:
        return None
    if not transformer:
        return parts, np.zeros(parts.shape[1])
    # The CLS token's dimensions come first, and cells contribute nothing to them.
    return np.hstack([np.zeros((count, len(first))), parts]), np.concatenate(
        [first, np.zeros(parts.shape[1])]
    )


def _whitened(parts: Doubles, rest: Doubles, whitening: Whitening) -> tuple[Doubles, Doubles]:
    length = np.linalg.norm(parts.sum(axis=0) + rest)
    of_cells = parts.any(axis=0)
    centre = whitening.mean.astype(np.float64)
    parts = parts / length - np.where(of_cells, centre, 0) / len(parts)
    rest = rest / length - np.where(of_cells, 0, centre)
    projection = whitening.projection.astype(np.float64)
    return parts @ projection, rest @ projection
