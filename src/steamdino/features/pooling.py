"""Pooling: from a model's tokens to one vector per picture.

Tokens are float32 of shape (batch, 1 + registers + cells, dim): the first is the CLS token of a vision transformer (for
a convolutional model, a pooled map), the last are patches, or cells of the map, row by row. A transformer's final norm
has been applied to its blocks' outputs.

==============  ====================================================  =====================================
kind            a vision transformer ("vit")                          a convolutional model ("conv")
==============  ====================================================  =====================================
``simple``      CLS (DINO's eval_knn)                                 the average of the map
``complex``     small models: CLS of the last four blocks, oldest     refused: no CLS
                first; others: CLS, then the average of the patches
                (DINO's eval_linear)
``gem``         CLS, then the patches' generalised mean               the map's generalised mean
                (DINO's eval_copy_detection)
``multiscale``  the average of CLS at 1, 1/sqrt(2) and 1/2 of the     the average of ``simple`` at the same
                size (DINO's eval_image_retrieval)                    scales
``patches``     the average of the patches                            the average of the map
==============  ====================================================  =====================================

CLIP's image tower ("clip") gives one embedding, which is its ``simple``.

The generalised mean of power p is ``mean(max(x, 1e-6)**p)**(1/p)`` (Radenović, Tolias, Chum, "Fine-tuning CNN Image
Retrieval with No Human Annotation", arXiv 1711.02512, equation 3, with one p for all channels).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from steamdino.features.model_registry import Model
from steamdino.recipe import Pooling

FLOOR = np.float32(1e-6)
SCALES = (1.0, 0.5**0.5, 0.5)
"""Scales of ``multiscale``, as in DINO's eval_image_retrieval."""

KINDS = {
    "vit": ("simple", "complex", "gem", "multiscale", "patches"),
    "conv": ("simple", "gem", "multiscale", "patches"),
    "clip": ("simple",),
}
"""The poolings that each family of models supports."""

Floats = NDArray[np.float32]


def outputs(pooling: Pooling, model: Model) -> tuple[str, ...]:
    """Return the model outputs that a pooling needs, in the order in which `pool` takes them (see `runtimes`)."""
    if model.family == "clip":
        return ("embedding",)
    if _pooled_inside(pooling, model):
        return ("pooled",)
    if pooling.kind == "complex" and model.complex == "last4":
        return ("tokens_4", "tokens_3", "tokens_2", "tokens")
    return ("tokens",)


def _pooled_inside(pooling: Pooling, model: Model) -> bool:
    """Whether the first token is this pooling: a convolutional model pools its map by its own pooling."""
    return model.family == "conv" and pooling == model.pooling


def scales(pooling: Pooling) -> tuple[float, ...]:
    """Return the scales of the input that a pooling needs."""
    return SCALES if pooling.kind == "multiscale" else (1.0,)


def pool(taken: Sequence[Floats], pooling: Pooling, model: Model) -> Floats:
    """Pool a batch of outputs, all at one scale.

    Args:
        taken: the outputs that `outputs` names, each float32 of shape (batch, 1 + registers + cells, dim); (batch, dim)
            for "embedding" and "pooled".
        pooling: the recipe's pooling.
        model: the model that the outputs come from.

    Returns:
        float32, shape (batch, `features.recipe_parser.pooling_dim`); not normalised.
    """
    tokens = taken[-1]
    if tokens.ndim == 2:
        return tokens
    first, cells = tokens[:, 0], tokens[:, 1 + model.registers :]
    transformer = model.family == "vit"
    if pooling.kind == "gem":
        assert pooling.power is not None  # noqa: S101 (Pooling has checked it)
        pooled = generalised_mean(cells, pooling.power)
        return np.concatenate([first, pooled], axis=1) if transformer else pooled
    if pooling.kind == "complex":
        if model.complex == "last4":
            return np.concatenate([layer[:, 0] for layer in taken], axis=1)
        return np.concatenate([first, cells.mean(axis=1)], axis=1)
    if pooling.kind in ("simple", "multiscale") and transformer:
        return first
    average: Floats = cells.mean(axis=1)
    return average


def generalised_mean(cells: Floats, power: float) -> Floats:
    """Pool (batch, cells, dim) to (batch, dim) by the generalised mean with a power of at least 1."""
    raised = np.maximum(cells, FLOOR) ** np.float32(power)
    pooled: Floats = raised.mean(axis=1) ** np.float32(1 / power)
    return pooled


def unit(vectors: Floats) -> Floats:
    """Scale each row to length 1; a row of zeros stays zero."""
    # In double precision: the squares of very small numbers would underflow in single.
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    scaled: Floats = (vectors / np.maximum(lengths, np.finfo(np.float32).tiny)).astype(np.float32)
    return scaled
