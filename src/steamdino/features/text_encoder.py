"""Sentences as vectors in the space of pictures: CLIP's text tower."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from steamdino.errors import MissingExtraError, ModelError, RecipeError
from steamdino.features.model_files import TEXT, TOKENIZER, ModelFiles, pull_command
from steamdino.features.model_registry import model, models
from steamdino.features.pooling import Floats, unit
from steamdino.features.recipe_parser import files_of
from steamdino.recipe import Recipe

CONTEXT = 77
"""Tokens that CLIP's text tower takes; a longer sentence is truncated, with its end token kept."""

END = "<|endoftext|>"
"""CLIP's end token, also used as padding."""


def has_words(recipe: Recipe) -> bool:
    """Return whether sentences can be compared with a recipe's vectors."""
    known = models().get(recipe.model)
    return known is not None and "words" in known.outputs and recipe.projection is None


def check_words(recipe: Recipe) -> None:
    """Check that a recipe's vectors can be compared with sentences.

    Raises:
        RecipeError: they cannot.
    """
    if not has_words(recipe):
        raise RecipeError(
            f"the recipe {recipe.name!r} knows no words; one that does:"
            f" {pull_command('clip-vitb32')} and then steam-dino build --recipe clip"
        )


class TextEncoder:
    """An encoder of sentences for one recipe. Threads may share it; one at a time runs it."""

    def __init__(self, recipe: Recipe) -> None:
        """Load the recipe's text tower and its tokenizer.

        Raises:
            RecipeError: the recipe does not support words.
            ModelError: a file of the model is missing, altered or unusable.
        """
        check_words(recipe)
        files = files_of(recipe)
        self._tokenize = Tokenizer(files)
        self._tower = _Tower(files, model(recipe.model).dim)

    def __call__(self, sentence: str) -> Floats:
        """Return the vector of a sentence: float32, shape (dim,), length 1."""
        vector: Floats = unit(self._tower(self._tokenize(sentence)))[0]
        return vector


class Tokenizer:
    """CLIP's byte-pair encoding, truncated or padded to `CONTEXT`."""

    def __init__(self, files: ModelFiles) -> None:
        """Read the model's ``tokenizer.json``.

        Raises:
            ModelError: it is missing, altered, or no tokenizer of CLIP's kind.
            MissingExtraError: tokenizers is not installed.
        """
        try:
            from tokenizers import Tokenizer as Reader
        except ImportError:
            raise MissingExtraError("searching with a sentence", "hub") from None
        path = files.path(TOKENIZER)
        try:
            self._tokenizer = Reader.from_file(str(path))
        except Exception as error:  # the library raises plain Exception
            raise ModelError(f"{path} is not a tokenizer: {error}") from None
        end = self._tokenizer.token_to_id(END)
        if end is None:
            raise ModelError(f"{path} has no token {END!r}, which CLIP needs")
        self._tokenizer.enable_truncation(CONTEXT)
        self._tokenizer.enable_padding(length=CONTEXT, pad_id=end, pad_token=END)

    def __call__(self, sentence: str) -> NDArray[np.int64]:
        """Return the tokens of a sentence: int64, shape (1, CONTEXT)."""
        return np.array([self._tokenizer.encode(sentence).ids], np.int64)


class _Tower:
    def __init__(self, files: ModelFiles, dim: int) -> None:
        from steamdino.features.runtimes.openvino import LOADING

        self._running = threading.Lock()
        with LOADING:
            self._load(files, dim)

    def _load(self, files: ModelFiles, dim: int) -> None:
        from steamdino.features.runtimes.openvino import without_telemetry

        with without_telemetry():
            import openvino as ov
        path = files.path(TEXT)
        core = ov.Core()
        try:
            network = core.read_model(path)
            network.reshape({port: [1, CONTEXT] for port in network.inputs})
            self._compiled = core.compile_model(network, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
        except RuntimeError as error:  # OpenVINO raises only this
            raise ModelError(f"{path} cannot be used: {str(error).strip().splitlines()[-1]}") from None
        fitting = [port for port in self._compiled.outputs if list(port.shape) == [1, dim]]
        if not fitting:
            raise ModelError(
                f"{path} does not output a vector of {dim} numbers, so it is not the text tower of {files.model}"
            )
        named = [port for port in fitting if port.get_names() & {"text_embeds", "embedding"}]
        self._output = (named or fitting)[0]
        self(np.zeros((1, CONTEXT), np.int64))

    def __call__(self, tokens: NDArray[np.int64]) -> Floats:
        # If the file needs an attention mask, attend to all tokens: the tower's own causal mask hides what follows
        # the end token.
        given = {
            port: tokens if "input_ids" in port.get_names() else np.ones_like(tokens)
            for port in self._compiled.inputs
        }
        with self._running:  # a compiled model has one request, which refuses a second call while it runs
            vectors: Floats = self._compiled(given)[self._output].astype(np.float32)
        return vectors
