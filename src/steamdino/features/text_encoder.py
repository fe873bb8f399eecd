"""Encodes sentences as vectors in the space of pictures, with CLIP's text tower."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from steamdino.errors import MissingExtraError, ModelError, RecipeError
from steamdino.features.model_files import TEXT, TOKENIZER, ModelFiles, pull_command
from steamdino.features.model_registry import model, models
from steamdino.features.pooling import Floats, unit
from steamdino.features.recipe_parser import files_of
from steamdino.features.runtimes.openvino import OpenVinoTextModel
from steamdino.recipe import Recipe

CONTEXT = 77
"""Tokens that CLIP's text tower takes; a longer sentence is truncated and keeps its end token."""

END = "<|endoftext|>"
"""CLIP's end token, which also serves as padding."""


def has_words(recipe: Recipe) -> bool:
    """Return whether sentences can be compared with a recipe's vectors."""
    known = models().get(recipe.model)
    return known is not None and "words" in known.outputs and recipe.projection is None


def check_words(recipe: Recipe) -> None:
    """Raise an error for a recipe whose vectors cannot be compared with sentences.

    Raises:
        RecipeError: they cannot.
    """
    if not has_words(recipe):
        raise RecipeError(
            f"the recipe {recipe.name!r} has no text model; use one that has:"
            f" {pull_command('clip-vitb32')}, then steam-dino build --recipe clip"
        )


class TextEncoder:
    """Computes the vectors of sentences under one recipe. Threads may share it; it serves one call at a time."""

    def __init__(self, recipe: Recipe) -> None:
        """Load the recipe's text tower and its tokenizer.

        Raises:
            RecipeError: the recipe supports no sentences.
            ModelError: a file of the model is missing, altered, or not usable.
        """
        check_words(recipe)
        files = files_of(recipe)
        self._tokenize = Tokenizer(files)
        self._tower = OpenVinoTextModel(
            files.path(TEXT),
            model=files.model,
            context=CONTEXT,
            dim=model(recipe.model).dim,
            identity=files.files[TEXT],
        )

    def __call__(self, sentence: str) -> Floats:
        """Compute the vector of a sentence: float32, shape (dim,), length 1."""
        vector: Floats = unit(self._tower(self._tokenize(sentence)))[0]
        return vector


class Tokenizer:
    """CLIP's byte-pair encoding, truncated or padded to `CONTEXT` tokens."""

    def __init__(self, files: ModelFiles) -> None:
        """Read the model's ``tokenizer.json``.

        Raises:
            ModelError: it is missing, altered, or not a tokenizer of CLIP's kind.
            MissingExtraError: tokenizers is not installed.
        """
        try:
            from tokenizers import Tokenizer as Reader
        except ImportError:
            raise MissingExtraError("searching with a sentence", "hub") from None
        path = files.path(TOKENIZER)
        try:
            self._tokenizer = Reader.from_file(str(path))
        except Exception as error:  # the only type that the library raises
            raise ModelError(f"{path} is not a tokenizer: {error}") from None
        end = self._tokenizer.token_to_id(END)
        if end is None:
            raise ModelError(f"{path} has no token {END!r}, which CLIP needs")
        self._tokenizer.enable_truncation(CONTEXT)
        self._tokenizer.enable_padding(length=CONTEXT, pad_id=end, pad_token=END)

    def __call__(self, sentence: str) -> NDArray[np.int64]:
        """Return the tokens of a sentence: int64, shape (1, CONTEXT)."""
        return np.array([self._tokenizer.encode(sentence).ids], np.int64)
