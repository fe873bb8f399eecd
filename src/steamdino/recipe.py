"""The Recipe, which identifies how a vector was made. Vectors may be compared only if their recipes are equal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from typing import Any

from steamdino.errors import RecipeError
from steamdino.wellformed import is_sha256, shown

TRANSFORM_MODES = ("crop", "squash", "fit")
POOLING_KINDS = ("simple", "complex", "gem", "multiscale", "patches")
VECTOR_CLASSES = ("float", "int8")
INTERPOLATIONS = ("bicubic",)
SRGB, STORED = COLOURS = ("srgb", "stored")
OFFSET, ANTIALIAS = POSITIONS = ("offset", "antialias")
WIDTH_FIRST, PILLOW = PASSES = ("width-first", "pillow")

LARGEST_SIDE = 4096
"""Maximum width and height of a model's input in pixels."""

LARGEST_LEVEL = 1e6
"""Maximum of a transform's mean and standard deviation. Typical values are near 0.5; much larger ones overflow."""

LARGEST_DIM = 1 << 16
"""Maximum length of a vector: far longer than any model's, and short enough for a row to fit in memory."""


@dataclass(frozen=True, slots=True)
class Transform:
    """How a picture becomes the model's input; `features.transform` describes each mode.

    Attributes:
        mode: "crop", "squash" or "fit".
        width, height: size of the input in pixels.
        interpolation: "bicubic".
        mean, std: per channel (red, green, blue), on a scale of 0 to 1.
        colours: "srgb" if the picture's colour profile is applied; "stored" if it is ignored, as older versions did.
            The canonical JSON names it only if it is "srgb".
        passes: "width-first" if the width is resized before the height; "pillow" if the installed Pillow chooses, as
            older versions let it. The canonical JSON names it only if it is "width-first".
        positions: how the model's position embeddings are resampled to this size: "offset" or "antialias", of
            `features.position_resampling`. None if they are not, or as transformers does it, as older versions did; the
            canonical JSON does not name it then.
    """

    mode: str
    width: int
    height: int
    interpolation: str
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    colours: str = STORED
    passes: str = PILLOW
    positions: str | None = None

    def __post_init__(self) -> None:
        _member("transform.colours", self.colours, COLOURS)
        _member("transform.passes", self.passes, PASSES)
        if self.positions is not None:
            _member("transform.positions", self.positions, POSITIONS)
        _member("transform.mode", self.mode, TRANSFORM_MODES)
        _member("transform.interpolation", self.interpolation, INTERPOLATIONS)
        for side in ("width", "height"):
            value = getattr(self, side)
            if not _is_whole(value, LARGEST_SIDE):
                raise RecipeError(
                    f"transform.{side} is {shown(value)}; it must be a whole number from 1 to {LARGEST_SIDE}"
                )
        for name in ("mean", "std"):
            values = getattr(self, name)
            least = -LARGEST_LEVEL if name == "mean" else 1 / LARGEST_LEVEL
            if len(values) != 3 or not all(
                isinstance(v, float) and least <= v <= LARGEST_LEVEL for v in values
            ):
                raise RecipeError(
                    f"transform.{name} is {shown(values)}; it must be three numbers from {least:g} to {LARGEST_LEVEL:g}"
                )


@dataclass(frozen=True, slots=True)
class Pooling:
    """How a model's tokens become one vector; `features.pooling` defines each kind.

    Attributes:
        kind: "simple", "complex", "gem", "multiscale" or "patches".
        power: the exponent of generalised-mean pooling; None for the other kinds.
    """

    kind: str
    power: float | None = None

    def __post_init__(self) -> None:
        _member("pooling.kind", self.kind, POOLING_KINDS)
        if (self.power is None) != (self.kind != "gem"):
            raise RecipeError(
                f"pooling.power is {shown(self.power)}; 'gem' needs one and {self.kind!r} takes none"
            )
        if self.power is not None and not (isinstance(self.power, float) and 1 <= self.power <= 100):
            raise RecipeError(f"pooling.power is {shown(self.power)}; it must be a number from 1 to 100")


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that determines what a vector means.

    Attributes:
        model: the model's name in `models.toml`.
        weights: sha256 of its weights file, lower-case hex.
        transform: how a picture becomes the model's input.
        pooling: how the model's tokens become one vector.
        projection: sha256 of the whitening's file (the model's own, or learned on a gallery); None without one.
        vector_class: "float" (vectors made in f32, bf16 and f16 may be compared with each other) or "int8". Its key
            in the canonical JSON is "precision".
        dim: length of the vector, at most `LARGEST_DIM`.
        name: a label for people, not part of the identity: neither compared nor hashed.
    """

    model: str
    weights: str
    transform: Transform
    pooling: Pooling
    projection: str | None
    vector_class: str
    dim: int
    name: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        _member("precision", self.vector_class, VECTOR_CLASSES)
        if not isinstance(self.model, str) or not self.model:
            raise RecipeError(f"model is {shown(self.model)}; a recipe must name its model")
        if not isinstance(self.name, str):
            raise RecipeError(f"name is {shown(self.name)}; it must be a string")
        for key in ("weights", "projection"):
            value = getattr(self, key)
            if not (is_sha256(value) or (key == "projection" and value is None)):
                raise RecipeError(f"{key} is {shown(value)}; it must be a sha256 in lower-case hex")
        if not _is_whole(self.dim, LARGEST_DIM):
            raise RecipeError(
                f"dim is {shown(self.dim)}; it must be a whole number from 1 to {LARGEST_DIM:,}"
            )

    def _record(self) -> dict[str, Any]:
        """The identity with the keys of the canonical JSON."""
        record = asdict(self)
        del record["name"]
        if self.transform.colours == STORED:
            del record["transform"]["colours"]
        if self.transform.passes == PILLOW:
            del record["transform"]["passes"]
        if self.transform.positions is None:
            del record["transform"]["positions"]
        return {"precision" if key == "vector_class" else key: value for key, value in record.items()}

    @property
    def json(self) -> str:
        """The canonical JSON of the identity: keys sorted, no white space, ASCII only, without the name."""
        return json.dumps(self._record(), sort_keys=True, separators=(",", ":"), allow_nan=False)

    @property
    def hash(self) -> str:
        """The first 12 hex digits of the canonical JSON's sha256, which name the folder of its snapshots."""
        return hashlib.sha256(self.json.encode()).hexdigest()[:12]

    @classmethod
    def from_json(cls, text: str, name: str = "") -> Recipe:
        """Return the recipe that canonical JSON describes.

        Raises:
            RecipeError: the text is not JSON, or not a recipe.
        """
        try:
            record = json.loads(text)
            if "vector_class" in record:
                raise KeyError("vector_class")
            record["vector_class"] = record.pop("precision")
            transform = dict(record.pop("transform"))
            for key in ("mean", "std"):
                transform[key] = tuple(transform[key])
            return cls(
                transform=Transform(**transform),
                pooling=Pooling(**record.pop("pooling")),
                name=name,
                **record,
            )
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
            raise RecipeError(f"this is not a recipe: {text[:80]!r} ({reason})") from None

    def earlier(self) -> list[Recipe]:
        """Return this recipe as earlier versions made it, latest first: what they left open has its default."""
        resampled = replace(self.transform, positions=None)
        ordered = replace(resampled, passes=PILLOW)
        steps = (self.transform, resampled, ordered, replace(ordered, colours=STORED))
        return [replace(self, transform=older) for newer, older in pairwise(steps) if older != newer]

    def differences(self, other: Recipe) -> list[str]:
        """Name each field in which the two differ, with both values: ``transform.mode: crop != fit``."""
        ours, theirs = (dict(_leaves(one._record())) for one in (self, other))
        return [
            f"{key}: {ours.get(key)} != {theirs.get(key)}"
            for key in ours | theirs
            if ours.get(key) != theirs.get(key)
        ]


def _leaves(record: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in record.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _member(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise RecipeError(f"{name} is {shown(value)}; it must be one of: {', '.join(allowed)}")


def _is_whole(value: object, largest: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= largest
