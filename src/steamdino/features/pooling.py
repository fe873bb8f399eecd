"""From a model's tokens to one vector per picture.

Tokens are float32 of shape (batch, 1 + cells, dim): the first is the CLS token of a vision transformer (a convolutional
model puts a pooled map in its place), the others are patches, or cells of the map, row by row.

=============  ==============================================  ===============================
kind           a vision transformer                            a convolutional model
=============  ==============================================  ===============================
``simple``     CLS (DINO's eval_knn)                           the average of the map
``gem``        CLS, then the patches' generalised mean         the map's generalised mean
               (DINO's eval_copy_detection)
``patches``    the average of the patches                      the average of the map
=============  ==============================================  ===============================

The generalised mean of power p is ``mean(max(x, 1e-6)**p)**(1/p)`` (Radenović, Tolias, Chum, "Fine-tuning CNN Image
Retrieval with No Human Annotation", arXiv 1711.02512, equation 3, with one p for all channels).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from steamdino.recipe import Pooling

FLOOR = np.float32(1e-6)

Floats = NDArray[np.float32]


def pool(tokens: Floats, pooling: Pooling, *, family: str) -> Floats:
    """Pools a batch of tokens.

    Args:
        tokens: float32, shape (batch, 1 + cells, dim).
        pooling: of the recipe.
        family: "vit" or "conv".

    Returns:
        float32, shape (batch, dim), or (batch, 2 * dim) for "gem" of a "vit"; not normalised.
    """
    first, cells = tokens[:, 0], tokens[:, 1:]
    if pooling.kind == "gem":
        assert pooling.power is not None  # noqa: S101 (Pooling has checked it)
        pooled = generalised_mean(cells, pooling.power)
        return np.concatenate([first, pooled], axis=1) if family == "vit" else pooled
    if pooling.kind == "simple" and family == "vit":
        return first
    average: Floats = cells.mean(axis=1)
    return average


def generalised_mean(cells: Floats, power: float) -> Floats:
    """Pools (batch, cells, dim) to (batch, dim) by the generalised mean of a power of at least 1."""
    raised = np.maximum(cells, FLOOR) ** np.float32(power)
    pooled: Floats = raised.mean(axis=1) ** np.float32(1 / power)
    return pooled


def unit(vectors: Floats) -> Floats:
    """Scales each row to length 1; a row of zeros stays one."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Floats = vectors / np.maximum(lengths, np.finfo(np.float32).tiny)
    return scaled


def whiten(vectors: Floats, mean: Floats, projection: Floats) -> Floats:
    """Centres unit rows of shape (batch, d), projects them by (d, e), and scales the result to length 1.

    Fastest with a projection in Fortran order.
    """
    # Not a BLAS product: its idle threads keep spinning and would take half of the cores from the inference.
    projected = np.einsum("nd,ed->ne", vectors - mean, np.ascontiguousarray(projection.T))
    return unit(projected)
