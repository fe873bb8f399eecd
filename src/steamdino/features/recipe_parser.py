"""Parse the text form of recipes.

``NAME[/POOLING][/MODE][/WIDTHxHEIGHT][/whiten[DIM]|/raw]``: a model's name, or a short name from `models.toml` that
stands for such a text; then, in any order, everything that differs from the model's own settings. For example
``bundled/fit``, ``SimpleB8``, ``dino-vits16/gem/squash/320x320``. ``whiten`` learns a whitening on the gallery, ``raw``
skips the model's own whitening.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from steamdino.errors import RecipeError
from steamdino.features import model_files, pooling
from steamdino.features.model_registry import Model, model, models, records
from steamdino.features.runtimes.runtime import scaled_size
from steamdino.recipe import POOLING_KINDS, TRANSFORM_MODES, Pooling, Recipe, Transform

DEFAULT_GEM_POWER = {"vit": 4.0, "conv": 3.0}
"""The power of `gem` by family: 4 on the patches of a transformer, as in DINO's eval_copy_detection; 3 on the map of a
convolutional model, where Radenović et al. (see `features.pooling`) start to learn it."""
WHITEN, RAW = "whiten", "raw"


@dataclass(frozen=True, slots=True)
class Spec:
    """A parsed recipe, before its weights are known.

    Attributes:
        name: the model's name or the short name, as typed.
        model: the model.
        transform, pooling: the model's own, with the changes in the text.
        whiten: maximum number of dimensions of a whitening to learn on the gallery; 0 for as many as the vectors have,
            None for no such whitening.
        raw: skip the model's own whitening.
    """

    name: str
    model: Model
    transform: Transform
    pooling: Pooling
    whiten: int | None = None
    raw: bool = False

    @property
    def shipped(self) -> bool:
        """Whether the model's own whitening applies: it was learned for the model's own pooling."""
        fits = self.model.whitening is not None and self.pooling == self.model.pooling
        return fits and self.whiten is None and not self.raw

    @property
    def base(self) -> Spec:
        """The same without a whitening learned on the gallery: the vectors that the whitening is learned from."""
        own = self.model.whitening is not None and self.pooling == self.model.pooling
        return self if self.whiten is None else replace(self, whiten=None, raw=own)

    @property
    def label(self) -> str:
        """The shortest text with the same meaning."""
        base = parse(self.name)
        parts = [self.name]
        if self.pooling != base.pooling:
            parts.append(self.pooling.kind)
        if self.transform.mode != base.transform.mode:
            parts.append(self.transform.mode)
        if (self.transform.width, self.transform.height) != (base.transform.width, base.transform.height):
            parts.append(f"{self.transform.width}x{self.transform.height}")
        if self.raw:
            parts.append(RAW)
        if self.whiten is not None:
            parts.append(f"{WHITEN}{self.whiten or ''}")
        return "/".join(parts)


def short_names() -> dict[str, str]:
    """Return the short names, and the recipe that each stands for."""
    names: dict[str, str] = records()["recipes"]
    return names


def parse(
    text: str, *, mode: str | None = None, size: tuple[int, int] | None = None, pooling: str | None = None
) -> Spec:
    """Parse a recipe's text; the arguments take precedence over the text.

    Args:
        text: see the module's docstring.
        mode: "crop", "squash" or "fit".
        size: (width, height) of the model's input.
        pooling: "simple", "complex", "gem", "multiscale" or "patches".

    Raises:
        RecipeError: there is no such recipe, or the model does not support it.
    """
    name, *parts = text.split("/")
    if name in short_names():
        known, *own = short_names()[name].split("/")
    elif name in models():
        known, own = name, []
    else:
        raise RecipeError(
            f"there is no recipe {name!r}; choose from: {', '.join(short_names())},"
            " or a model of: steam-dino models list"
        )
    for what, value, known_values in (
        ("transform", mode, TRANSFORM_MODES),
        ("pooling", pooling, POOLING_KINDS),
    ):
        if value is not None and value not in known_values:
            raise RecipeError(f"the {what} is {value!r}; it must be one of: {', '.join(known_values)}")
    spec = Spec(name, model(known), model(known).transform, model(known).pooling)
    given = [pooling, mode, f"{size[0]}x{size[1]}" if size else None]
    for part in [*own, *parts, *(part for part in given if part is not None)]:
        spec = _changed(spec, part)
    _check_size(spec)
    _check_pooling(spec.model, spec.pooling.kind)
    spec = replace(spec, transform=replace(spec.transform, positions=_positions(spec)))
    return replace(spec, raw=replace(spec, raw=False).shipped and spec.raw)


def named(
    text: str, *, mode: str | None = None, size: tuple[int, int] | None = None, pooling: str | None = None
) -> Recipe:
    """Return a recipe by its text (see `parse`), with the weights that are on this machine.

    A model's own whitening belongs to its own pooling: with another pooling there is none.

    Raises:
        RecipeError: there is no such recipe, the model does not support it, or a whitening must be learned first.
        ModelError: the model's files are not on this machine.
    """
    spec = parse(text, mode=mode, size=size, pooling=pooling)
    if spec.whiten is not None:
        raise RecipeError(
            f"{spec.label} learns its whitening on a gallery; run: steam-dino build --recipe {text}"
        )
    return of(spec)


def of(spec: Spec) -> Recipe:
    """Return the recipe of a spec that learns no whitening on a gallery, with the weights that are on this machine.

    Raises:
        ModelError: the model's files are not on this machine.
    """
    chosen, files = spec.model, model_files.needed(spec.model)
    dim = pooling_dim(chosen, spec.pooling)
    return Recipe(
        model=chosen.name,
        weights=files.weights,
        transform=spec.transform,
        pooling=spec.pooling,
        projection=files.files[chosen.whitening or ""] if spec.shipped else None,
        vector_class=chosen.vector_class,
        dim=(chosen.whitened_dim or dim) if spec.shipped else dim,
        name=spec.label,
    )


def pooling_dim(chosen: Model, pooled: Pooling) -> int:
    """Return the length of a vector with a model's pooling, before any whitening."""
    if chosen.family != "vit":
        return chosen.dim
    if pooled.kind == "complex":
        return chosen.dim * (4 if chosen.complex == "last4" else 2)
    return chosen.dim * (2 if pooled.kind == "gem" else 1)


BUILD_ANEW = (
    "searches by id and name work. Build its gallery again with: steam-dino build --upgrade. If you have a packed"
    " snapshot only, get one that was packed after that"
)
"""What to do about a snapshot that a picture cannot be compared with. Who has only a pack of it cannot build it."""


def files_of(recipe: Recipe) -> model_files.ModelFiles:
    """Return the model files that can encode by a recipe.

    Raises:
        RecipeError: no known model has that name, it makes vectors of another class, or this machine has only other
            weights or another whitening.
        ModelError: the model's files are not on this machine.
    """
    known = models().get(recipe.model)
    if known is None:
        raise RecipeError(
            f"the recipe {recipe.name!r} needs the model {recipe.model!r}, which this steam-dino does not know"
            f" (it knows {', '.join(models())}); install the version that built the snapshot, or build again"
        )
    if known.vector_class != recipe.vector_class:
        raise RecipeError(
            f"the recipe {recipe.name or recipe.model!r} holds vectors of class {recipe.vector_class}, and"
            f" {recipe.model} makes vectors of class {known.vector_class}, which are not compared with each other;"
            f" {BUILD_ANEW}"
        )
    files = model_files.find(known, recipe.weights)
    if files is None:
        here = model_files.needed(known).weights
        raise RecipeError(
            f"the snapshot was built with other weights of {recipe.model} ({recipe.weights[:12]}, here {here[:12]}),"
            f" so a picture cannot be compared with it; {BUILD_ANEW}"
        )
    return files


def _changed(spec: Spec, part: str) -> Spec:
    if part in POOLING_KINDS:
        if part == spec.model.pooling.kind:
            return replace(spec, pooling=spec.model.pooling)
        power = (
            DEFAULT_GEM_POWER[spec.model.family] if part == "gem" and spec.model.family != "clip" else None
        )
        _check_pooling(spec.model, part)
        return replace(spec, pooling=Pooling(part, power))
    if part in TRANSFORM_MODES:
        return replace(spec, transform=replace(spec.transform, mode=part))
    if whiten := re.fullmatch(WHITEN + r"([1-9]\d{0,4})?", part):
        return replace(spec, whiten=int(whiten[1] or 0))
    if part == RAW:
        return replace(spec, raw=True)
    if size := re.fullmatch(r"(\d{1,4})x(\d{1,4})", part):
        return replace(spec, transform=replace(spec.transform, width=int(size[1]), height=int(size[2])))
    raise RecipeError(
        f"{part!r} in a recipe is not one of: {', '.join([*POOLING_KINDS, *TRANSFORM_MODES, WHITEN, RAW])},"
        " or a size as in 224x336"
    )


def _positions(spec: Spec) -> str | None:
    """How the model's position embeddings are resampled; None if they are not, at any scale that the pooling needs."""
    known, size = spec.model, spec.transform
    if known.positions is None:
        return None
    sizes = [scaled_size(size.height, size.width, one, 1) for one in pooling.scales(spec.pooling)]
    grids = {tuple(side // known.stride for side in one) for one in sizes}
    return None if grids == {(known.grid, known.grid)} else known.positions


def _check_pooling(chosen: Model, kind: str) -> None:
    can = pooling.KINDS[chosen.family]
    if kind == "complex" and chosen.complex is None and chosen.family == "vit":
        can = tuple(one for one in can if one != "complex")
    if kind not in can:
        lack = {"conv": "it is convolutional: no CLS token", "clip": "its only output is the embedding"}
        why = lack.get(chosen.family, "its file outputs the last block only")
        raise RecipeError(f"{chosen.name} does not support {kind!r} ({why}); it supports: {', '.join(can)}")


def _check_size(spec: Spec) -> None:
    width, height = spec.transform.width, spec.transform.height
    stride = spec.model.stride
    if spec.model.family == "conv":  # pads at its borders, so any size works that leaves one cell of its map
        fits, rule = min(width, height) >= stride, f"at least {stride}"
    elif spec.model.family == "clip":
        own = spec.model.transform
        fits, rule = (width, height) == (own.width, own.height), f"{own.width}: it is made for one size"
    else:
        fits, rule = width % stride == height % stride == 0, f"a multiple of {stride}"
    if not fits:
        raise RecipeError(f"{width}x{height} does not fit {spec.model.name}: each side must be {rule}")
