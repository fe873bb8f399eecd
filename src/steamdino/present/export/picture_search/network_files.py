"""The network of a recipe and its whitening, as a site ships them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from steamdino.errors import UsageError
from steamdino.features.encoder import whitening_of
from steamdino.features.model_registry import model
from steamdino.features.recipe_parser import files_of
from steamdino.features.whitening import Whitening
from steamdino.present.export.picture_search.coded_vectors import packed
from steamdino.search import Snapshot

LEVELS = 2047
"""Largest number in a row of the projection: 12 bits. With 8 bits the least cosine to the exact vector is 0.9996, with
12 it is 0.999998, for a third more bytes; float16 would take a fifth more than that."""

HOW = "build one with: steam-dino build --recipe bundled"


@dataclass(frozen=True, slots=True)
class NetworkFiles:
    """What turns a picture into a vector.

    Attributes:
        network: the ONNX file, the same that the command line runs, as gzip.
        whitening: as gzip: the mean, the scale of each row, both float32, and the rows of the projection as int16.
        facts: what a script must know besides.
    """

    network: bytes
    whitening: bytes
    facts: dict[str, Any]


def network_files(snapshot: Snapshot) -> NetworkFiles:
    """Return the files for a snapshot's recipe.

    Raises:
        UsageError: browsers cannot compute this recipe; see `check_recipe`.
        ModelError: a file of the model is missing or altered.
    """
    check_recipe(snapshot)
    recipe = snapshot.recipe
    known, files = model(recipe.model), files_of(recipe)
    whitening = whitening_of(recipe, files, snapshot.whitening)
    if whitening is None or known.weights is None:
        raise AssertionError  # `check_recipe` has refused it
    transform = recipe.transform
    return NetworkFiles(
        packed(files.path(known.weights).read_bytes()),
        packed(_whitening(whitening), huffman=True),
        {
            "transform": {
                "width": transform.width,
                "height": transform.height,
                "mean": transform.mean,
                "std": transform.std,
                "colours": transform.colours,
            },
            "power": recipe.pooling.power,
            "dim": len(whitening.mean),
            "projected": whitening.dim,
        },
    )


def check_recipe(snapshot: Snapshot) -> None:
    """Check that browsers can compute a snapshot's recipe: the network in this package, its pooling, a whitening.

    Raises:
        UsageError: they cannot.
    """
    recipe = snapshot.recipe
    known = model(recipe.model)
    fits = known.packaged and recipe.pooling.kind == "gem" and recipe.transform.mode == "squash"
    if not (fits and recipe.projection):
        raise UsageError(
            f"--picture-search needs the network in this package, and the recipe is {recipe.name!r}; {HOW}"
        )


def _whitening(whitening: Whitening) -> bytes:
    rows = whitening.projection.T
    scales = np.maximum(np.abs(rows).max(axis=1), np.finfo(np.float32).tiny) / LEVELS
    levels = np.rint(rows / scales[:, None]).astype("<i2")
    return b"".join(
        (whitening.mean.astype("<f4").tobytes(), scales.astype("<f4").tobytes(), levels.tobytes())
    )
