"""The models that this program knows, and the recipes that people name.

A model's record in ``models.toml``:

===============================  ====================================================================
``summary``                      one line for people
``family``                       "vit" or "conv": what its tokens mean (see `features.pooling`)
``source``, ``revision``         where its files come from ("package": they lie in this package), and which state
``licence``                      of the weights, an SPDX name
``stride``                       of a patch or a cell, in pixels: sides of the input must be multiples of it
                                 ("vit"), or at least as large ("conv", which pads at its borders)
``outputs``                      what it gives: "cls", "patches", "map"
``dim``                          of a token
``width``, ``height``, ``mode``  its own preprocessing, with ``interpolation``, ``mean`` and ``std``
``pooling``, ``power``           its own pooling
``weights``                      the file that the runtime reads: input (B, 3, H, W), output tokens
``whitening``, ``whitened_dim``  a .npz with ``mean`` and ``projection`` that was learned for all of the above
``precisions``                   those in which its vectors keep a cosine of 0.999 to f32: "f32", "bf16"
``verified``                     somebody ran it and the figures on its card are measured
``files``                        sha256 of each file
===============================  ====================================================================
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from steamdino.errors import GalleryError, RecipeError
from steamdino.recipe import Pooling, Recipe, Transform

DEFAULT_GEM_POWER = {"vit": 4.0, "conv": 3.0}


@dataclass(frozen=True, slots=True)
class Model:
    """A record of `models.toml`; the module's docstring explains the fields."""

    name: str
    summary: str
    family: str
    source: str
    revision: str
    licence: str
    stride: int
    outputs: tuple[str, ...]
    dim: int
    transform: Transform
    pooling: Pooling
    weights: str
    whitening: str | None
    whitened_dim: int | None
    precisions: tuple[str, ...]
    verified: bool
    files: dict[str, str]

    def file(self, name: str) -> Path:
        """Where one of its files lies, checked against its sha256.

        Raises:
            GalleryError: the file is missing or altered.
        """
        path = Path(str(resources.files(__package__) / "weights" / self.name / name))
        try:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise GalleryError(
                f"{path} cannot be read ({error.strerror}); install steam-dino again"
            ) from None
        if digest != self.files[name]:
            raise GalleryError(f"{path} was altered: its sha256 is {digest}; install steam-dino again")
        return path


@cache
def models() -> dict[str, Model]:
    """All known models by name."""
    return {name: _model(name, record) for name, record in _toml()["models"].items()}


def model_of(recipe: Recipe) -> Model:
    """The model that can encode under a recipe.

    Raises:
        RecipeError: no known model has that name, or its weights or whitening are others; says which field differs.
    """
    model = models().get(recipe.model)
    if model is None:
        raise RecipeError(
            f"the recipe {recipe.name!r} needs the model {recipe.model!r}, which this steam-dino does not know"
            f" (it knows {', '.join(models())}); install the version that built the snapshot, or build again"
        )
    ours = {"weights": model.files[model.weights]}
    if recipe.projection is not None:
        ours["projection"] = model.files.get(model.whitening or "", "none")
    for field, value in ours.items():
        if value != getattr(recipe, field):
            raise RecipeError(
                f"the snapshot was built under other {field} of {recipe.model}"
                f" ({getattr(recipe, field)[:12]}, here {value[:12]}), so a picture cannot be compared with it;"
                " build again with: steam-dino build --upgrade"
            )
    return model


def recipe_names() -> list[str]:
    """What may be given as a recipe's name."""
    return list(_toml()["recipes"])


def named(
    name: str, *, mode: str | None = None, size: tuple[int, int] | None = None, pooling: str | None = None
) -> Recipe:
    """A recipe by name, with its model's own settings where no other is given.

    The whitening belongs to the model's own pooling: under another pooling there is none.

    Args:
        name: one of `recipe_names`.
        mode: "crop", "squash" or "fit".
        size: (width, height) of the model's input.
        pooling: "simple", "gem" or "patches".

    Raises:
        RecipeError: there is no such recipe, or the model cannot do that.
    """
    try:
        model = models()[_toml()["recipes"][name]]
    except KeyError:
        raise RecipeError(f"there is no recipe {name!r}; known are: {', '.join(recipe_names())}") from None
    own = model.transform
    width, height = size or (own.width, own.height)
    _check_size(model, width, height)
    transform = Transform(mode or own.mode, width, height, own.interpolation, own.mean, own.std)
    pooled = model.pooling
    if pooling is not None and pooling != pooled.kind:
        pooled = Pooling(pooling, DEFAULT_GEM_POWER[model.family] if pooling == "gem" else None)
    whitened = model.whitening is not None and pooled == model.pooling
    dim = model.dim * 2 if (model.family, pooled.kind) == ("vit", "gem") else model.dim
    return Recipe(
        model=model.name,
        weights=model.files[model.weights],
        transform=transform,
        pooling=pooled,
        projection=model.files[model.whitening or ""] if whitened else None,
        precision="float",
        dim=(model.whitened_dim or dim) if whitened else dim,
        name=_label(name, transform, own, pooled, model.pooling),
    )


def _check_size(model: Model, width: int, height: int) -> None:
    if model.family == "conv":  # pads at its borders, so that any size will do that gives one cell of its map
        fits, rule = min(width, height) >= model.stride, f"at least {model.stride}"
    else:
        fits, rule = width % model.stride == height % model.stride == 0, f"a multiple of {model.stride}"
    if not fits:
        raise RecipeError(f"{width}x{height} does not fit {model.name}: each side must be {rule}")


def _label(name: str, transform: Transform, own: Transform, pooling: Pooling, own_pooling: Pooling) -> str:
    parts = [name]
    if transform.mode != own.mode:
        parts.append(transform.mode)
    if (transform.width, transform.height) != (own.width, own.height):
        parts.append(f"{transform.width}x{transform.height}")
    if pooling != own_pooling:
        parts.append(pooling.kind)
    return "-".join(parts)


@cache
def _toml() -> dict[str, Any]:
    return tomllib.loads((resources.files(__package__) / "models.toml").read_text("utf-8"))


def _model(name: str, record: dict[str, Any]) -> Model:
    record = dict(record)
    transform = Transform(
        mode=record.pop("mode"),
        width=record.pop("width"),
        height=record.pop("height"),
        interpolation=record.pop("interpolation"),
        mean=tuple(record.pop("mean")),
        std=tuple(record.pop("std")),
    )
    return Model(
        name=name,
        transform=transform,
        pooling=Pooling(record.pop("pooling"), record.pop("power", None)),
        outputs=tuple(record.pop("outputs")),
        precisions=tuple(record.pop("precisions")),
        whitening=record.pop("whitening", None),
        whitened_dim=record.pop("whitened_dim", None),
        **record,
    )
