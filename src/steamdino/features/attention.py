"""Attention maps of a vision transformer: from the CLS token to the patches in its last block."""

from __future__ import annotations

import numpy as np

from steamdino.errors import RecipeError
from steamdino.features.model_registry import model
from steamdino.features.pooling import Floats
from steamdino.features.recipe_parser import files_of
from steamdino.features.runtimes.openvino import OpenVinoModel
from steamdino.features.transform import Pixels
from steamdino.recipe import Recipe


def attention(recipe: Recipe, pixels: Pixels) -> Floats:
    """Return the attention maps of all heads for one picture.

    Args:
        recipe: the recipe of a vision transformer.
        pixels: uint8, shape (height, width, 3), as returned by `features.transform.prepare`.

    Returns:
        float32, shape (heads, height / stride, width / stride). Attention to the CLS token itself and to registers is
        omitted, so that a map may add up to less than 1.

    Raises:
        RecipeError: the model has no heads, or its file does not output their attention.
    """
    chosen = model(recipe.model)
    if chosen.family != "vit":
        raise RecipeError(
            f"{chosen.name} has no attention: it is not a vision transformer of the DINO family"
        )
    files = files_of(recipe)
    run = OpenVinoModel(
        files.path(chosen.graph),
        chosen,
        recipe.transform,
        outputs=("attention",),
        batch_size=1,
        precision="f32",
        identity=files.weights,
    )
    (maps,) = run(pixels[np.newaxis])
    rows, columns = recipe.transform.height // chosen.stride, recipe.transform.width // chosen.stride
    patches: Floats = maps[0, :, 1 + chosen.registers :].reshape(-1, rows, columns)
    return patches
