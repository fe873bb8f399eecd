"""The registry of known models.

The fields of a model's record in ``models.toml`` (a family's common fields are in ``[families.<family>]``):

===============================  ====================================================================
``summary``                      one line for people
``family``                       "vit", "conv" or "clip": what its outputs mean (see `features.pooling`)
``licence``                      of the weights, an SPDX name
``accept``                       address of a licence that must be accepted before a download
``stride``                       size of a patch or a cell, in pixels: sides of the input must be multiples of it
                                 ("vit", "clip"), or at least as large ("conv", which pads at its borders)
``outputs``                      its outputs: "cls", "patches", "map", "embedding", "words"
``dim``                          length of a token or an embedding
``blocks``, ``heads``            of a transformer; ``registers``: tokens between the CLS token and the patches
``positions``                    how the authors' code resamples its position embeddings, of `position_resampling`, and
                                 ``grid``, the side of the trained grid in patches; absent if they never are
``complex``                      what that strategy takes: "last4" (CLS of four blocks) or "mean" (CLS, mean patch)
``width``, ``height``, ``mode``  its own preprocessing, with ``interpolation``, ``mean`` and ``std``
``pooling``, ``power``           its own pooling
``precision``                    the class its vectors belong to: "float" or "int8"
``precisions``                   those in which its vectors keep a cosine of 0.999 to f32: "f32", "bf16"
``verified``                     whether it was run and the figures on its card were measured
``hub``                          ready-made ONNX on the model hub: ``repo``, ``weights``; ``sha256`` of the weights if
                                 known; ``data``, ``text``, ``tokenizer``: further files
``torch``                        PyTorch weights: ``repo`` on the model hub, ``original``: address of the authors' file
``weights``                      the file in this package that the runtime reads
``whitening``, ``whitened_dim``  a .npz with ``mean`` and ``projection``, learned for the model's own pooling
``network``                      what `training` builds to continue from it: ``arch``, and ``taps`` if it has some
``files``                        sha256 of each file in this package
``graph``                        the file that the runtime reads, if it is not ``model.onnx``
``quantised``                    of a model that was quantised here: ``model``, what it was made from; ``weights``,
                                 the sha256 of that; ``in_floats``, the number of products that stayed in floats
===============================  ====================================================================
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from functools import cache
from importlib import resources
from typing import Any

from steamdino.errors import RecipeError, SteamDinoError, UsageError
from steamdino.features.model_directory import kept
from steamdino.recipe import SRGB, WIDTH_FIRST, Pooling, Transform


@dataclass(frozen=True, slots=True)
class Model:
    """A record of `models.toml`; the module's docstring explains the fields.

    Two of them have names of their own here: ``precision`` is `vector_class`, ``precisions`` `inference_precisions`.
    """

    name: str
    summary: str
    family: str
    licence: str
    stride: int
    outputs: tuple[str, ...]
    dim: int
    transform: Transform
    pooling: Pooling
    inference_precisions: tuple[str, ...]
    verified: bool
    blocks: int = 0
    heads: int = 0
    registers: int = 0
    complex: str | None = None
    positions: str | None = None
    grid: int = 0
    accept: str | None = None
    vector_class: str = "float"
    hub: Mapping[str, str] = field(default_factory=dict)
    torch: Mapping[str, str] = field(default_factory=dict)
    weights: str | None = None
    whitening: str | None = None
    whitened_dim: int | None = None
    network: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    graph: str = "model.onnx"
    quantised: Mapping[str, Any] = field(default_factory=dict)

    @property
    def packaged(self) -> bool:
        """Whether its files are in this package."""
        return self.weights is not None


RECORD = "record.json"
"""The record in the folder of a user's own model, with the same fields as in `models.toml`."""


@cache
def models() -> dict[str, Model]:
    """Return all known models by name: those of `models.toml`, and the user's own on this machine."""
    official = {name: _model(name, record) for name, record in records()["models"].items()}
    own: dict[str, Model] = {}
    for path in kept(f"*/{RECORD}"):
        # A record that is unreadable, or was written by a newer steam-dino, is ignored.
        with suppress(OSError, ValueError, TypeError, KeyError, SteamDinoError):
            own[path.parent.name] = own_model(path.parent.name, json.loads(path.read_text("utf-8")))
    return official | own


def own_model(name: str, record: Mapping[str, Any]) -> Model:
    """Return a model of the user's own.

    Raises:
        RecipeError: the name is not allowed.
    """
    taken = name in records()["models"] or name in records()["recipes"]
    if taken or not re.fullmatch(r"[a-z0-9][a-z0-9.-]{0,63}", name):
        raise RecipeError(
            f"a model cannot be called {name!r}; choose a name of lower-case letters, digits, dots and dashes that no"
            " other model has"
        )
    return _model(name, record)


OF_TRANSFORM = ("mode", "width", "height", "interpolation", "mean", "std")
"""The fields of a record that say how a picture becomes the model's input."""


def record_of(model: Model) -> dict[str, Any]:
    """Return a record, as in `models.toml`, of which `own_model` makes a model like this one."""
    record = {each.name: getattr(model, each.name) for each in fields(model)}
    for name in ("name", "transform", "pooling", "inference_precisions", "vector_class", "weights", "files"):
        del record[name]
    record |= {name: getattr(model.transform, name) for name in OF_TRANSFORM}
    record |= {"pooling": model.pooling.kind, "precision": model.vector_class}
    if model.pooling.power is not None:
        record["power"] = model.pooling.power
    record["precisions"] = model.inference_precisions
    return record


def model(name: str) -> Model:
    """Return a model by name.

    Raises:
        RecipeError: there is no such model.
    """
    try:
        return models()[name]
    except KeyError:
        raise RecipeError(f"there is no model {name!r}; see: steam-dino models list") from None


def check_precision(name: str, wanted: str) -> None:
    """Check that a model supports an inference precision: "f32", "bf16" or "auto".

    A model that is not known here passes, since it cannot encode anything.

    Raises:
        UsageError: it does not.
    """
    known = models().get(name)
    if known and wanted != "auto" and wanted not in known.inference_precisions:
        raise UsageError(
            f"{name} loses too much in {wanted}; use one of: {', '.join(known.inference_precisions)}, auto"
        )


@cache
def records() -> dict[str, Any]:
    """Return the contents of `models.toml`."""
    return tomllib.loads((resources.files(__package__) / "models.toml").read_text("utf-8"))


def _model(name: str, own: Mapping[str, Any]) -> Model:
    record = {**records()["families"][own["family"]], **own}
    transform = Transform(
        mode=record.pop("mode"),
        width=record.pop("width"),
        height=record.pop("height"),
        interpolation=record.pop("interpolation"),
        mean=tuple(record.pop("mean")),
        std=tuple(record.pop("std")),
        colours=SRGB,
        passes=WIDTH_FIRST,
    )
    return Model(
        name=name,
        transform=transform,
        pooling=Pooling(record.pop("pooling"), record.pop("power", None)),
        outputs=tuple(record.pop("outputs")),
        inference_precisions=tuple(record.pop("precisions")),
        vector_class=record.pop("precision", "float"),
        **record,
    )
