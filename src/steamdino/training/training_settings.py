"""The settings of a training run, as one record that is stored beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from steamdino.errors import UsageError

ARCHITECTURES = (
    "efficientnet-lite0",
    "efficientnet-lite1",
    "efficientnet-lite2",
    "vit-tiny16",
    "vit-small16",
)
CENTRINGS = ("mean", "sinkhorn")
PRECISIONS = ("f32", "bf16")
FEWEST = 64
"""Minimum number of banners for training."""


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """All settings of a run. Rates are per step; sizes are (height, width) in pixels.

    Attributes:
        arch: one of `ARCHITECTURES`.
        taps: for an EfficientNet-Lite, the blocks whose maps are joined; empty for its last map.
        init: the origin of the initial weights; see `initial_weights.load`.
        epochs: number of times that each banner is used.
        batch_size: banners per pass.
        accumulate: passes whose gradients make one step.
        lr, lr_end: maximum and final learning rate of the backbone.
        head_lr: maximum learning rate of the projection head; it falls in the same shape.
        layer_decay: ratio of a group of layers' rate to the next group's; 1 for one rate.
        frozen: number of groups of layers, from the input on, that are frozen.
        frozen_norm: batch norm keeps its statistics while the network learns.
        settle_norm: recompute batch norm's statistics from whole banners before the first step and after the last one.
        weight_decay, weight_decay_end: weight decay at the start and at the end.
        warmup: fraction of the steps in which the rate rises.
        clip: maximum norm of the gradient.
        picture: size of the stored banners.
        global_size, local_size: sizes of the crops; the teacher sees only the global ones.
        local_crops: number of local crops; there are two global ones.
        global_scale, local_scale: minimum and maximum fraction of the picture's area that a crop shows.
        out_dim, hidden_dim, bottleneck_dim: dimensions of the head.
        head_norm: batch norm between the head's layers.
        student_temp: temperature of the student's softmax.
        teacher_temp_start, teacher_temp: temperature of the teacher's, at first and after `teacher_temp_epochs`.
        teacher_temp_epochs: epochs in which it rises.
        momentum: momentum of the teacher at the start; it rises to 1.
        centring: how outputs are kept from collapsing, "mean" (DINO's centre) or "sinkhorn" (Sinkhorn-Knopp).
        centre_momentum: momentum of DINO's centre.
        koleo: weight of the KoLeo regulariser, which spreads features evenly; 0 for none.
        anchor: weight of a loss that keeps features near those of the initial weights; 0 for none.
        last_layer_frozen: epochs in which the head's last layer is frozen.
        mirror, grey, blur: fraction of the crops that are mirrored, turned grey, blurred.
        jitter: fraction of the crops whose colours change.
        brightness, contrast, saturation: maximum change, as a fraction.
        hue: maximum change, in turns.
        corner: fraction of the pictures that get the upper right corner of another: where stores put ribbons.
        positives: a column of the gallery: the second global crop is of another banner with the same label, if there is
            one. Empty for none: then only the pictures are used.
        whiten: dimensions of the whitening that is learned on the banners at the end; 0 for none.
        whiten_strength: 1 gives all dimensions equal weight, 0 leaves their weights as they are.
        views_weight: how much the whitening reduces directions in which changed copies of one banner differ (cropped,
            recoloured, blurred ones); 0 for not at all.
        alike: a column of the gallery: the same for differences of banners with the same label. Empty for none.
        alike_weight: how much it reduces those.
        hold_out: fraction of the banners that are kept for validation and not trained on.
        precision: "f32" or "bf16" (mixed).
        checkpoint_steps: steps between two checkpoints within an epoch; 0 for none.
        seed: random seed of the run.
    """

    arch: str = "efficientnet-lite0"
    taps: tuple[int, ...] = ()
    init: str = "imagenet"
    epochs: int = 10
    batch_size: int = 32
    accumulate: int = 1
    lr: float = 1e-5
    lr_end: float = 1e-6
    head_lr: float = 5e-4
    layer_decay: float = 1.0
    frozen: int = 0
    frozen_norm: bool = True
    settle_norm: bool = True
    weight_decay: float = 0.04
    weight_decay_end: float = 0.4
    warmup: float = 0.1
    clip: float = 3.0
    picture: tuple[int, int] = (240, 160)
    global_size: tuple[int, int] = (160, 112)
    local_size: tuple[int, int] = (96, 64)
    local_crops: int = 2
    global_scale: tuple[float, float] = (0.4, 1.0)
    local_scale: tuple[float, float] = (0.15, 0.4)
    out_dim: int = 1024
    hidden_dim: int = 1024
    bottleneck_dim: int = 256
    head_norm: bool = False
    student_temp: float = 0.1
    teacher_temp_start: float = 0.04
    teacher_temp: float = 0.04
    teacher_temp_epochs: int = 0
    momentum: float = 0.996
    centring: str = "mean"
    centre_momentum: float = 0.9
    koleo: float = 0.0
    anchor: float = 0.0
    last_layer_frozen: int = 1
    mirror: float = 0.1
    grey: float = 0.05
    blur: float = 0.2
    jitter: float = 0.8
    brightness: float = 0.3
    contrast: float = 0.3
    saturation: float = 0.2
    hue: float = 0.03
    corner: float = 0.0
    positives: str = ""
    whiten: int = 512
    whiten_strength: float = 0.85
    views_weight: float = 2.0
    alike: str = ""
    alike_weight: float = 5.0
    hold_out: float = 0.1
    precision: str = "f32"
    checkpoint_steps: int = 0
    seed: int = 0

    def __post_init__(self) -> None:
        for key, allowed in (
            ("arch", ARCHITECTURES),
            ("centring", CENTRINGS),
            ("precision", PRECISIONS),
        ):
            if getattr(self, key) not in allowed:
                raise UsageError(f"{key} is {getattr(self, key)!r}; it must be one of: {', '.join(allowed)}")
        for key, (least, most) in _RANGES.items():
            value = getattr(self, key)
            values = value if isinstance(value, tuple) else (value,)
            if not all(math.isfinite(one) and least <= one <= most for one in values):
                raise UsageError(f"{key} is {value}; it must be from {least:g} to {most:g}")
        for key in ("global_scale", "local_scale"):
            low, high = getattr(self, key)
            if low > high:
                raise UsageError(f"{key} is {low},{high}; the first must not be above the second")
        if self.arch.startswith("vit"):
            for key in ("global_size", "local_size"):
                if any(side % 16 for side in getattr(self, key)):
                    raise UsageError(
                        f"{key} is {getattr(self, key)}; sides must be multiples of 16 for {self.arch}"
                    )

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> TrainSettings:
        """Return the settings that `record` describes.

        Raises:
            UsageError: a field is unknown or invalid.
        """
        return cls().changed(record)

    @property
    def record(self) -> dict[str, Any]:
        """Return the fields for JSON."""
        return {
            key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()
        }

    def changed(self, values: Mapping[str, Any]) -> TrainSettings:
        """Return a copy with other values: typed, as lists, or as text, ``{"lr": "3e-5", "local_size": "96,64"}``.

        Raises:
            UsageError: a field is unknown or invalid.
        """
        known = {field.name for field in fields(self)}
        for key in values:
            if key not in known:
                raise UsageError(f"there is no setting {key!r}; choose from: {', '.join(sorted(known))}")
        try:
            return replace(self, **{key: _like(getattr(self, key), value) for key, value in values.items()})
        except (ValueError, TypeError) as error:
            raise UsageError(f"a setting cannot be read: {error}") from None


_RANGES: dict[str, tuple[float, float]] = {
    **dict.fromkeys(("epochs", "batch_size", "accumulate"), (1, 100_000)),
    **dict.fromkeys(("lr", "head_lr"), (0, 1)),
    **dict.fromkeys(
        ("lr_end", "weight_decay", "weight_decay_end", "warmup", "momentum", "centre_momentum"), (0, 1)
    ),
    **dict.fromkeys(("mirror", "grey", "blur", "jitter", "corner"), (0, 1)),
    **dict.fromkeys(("brightness", "contrast", "saturation"), (0, 0.9)),
    **dict.fromkeys(("koleo", "anchor", "views_weight", "alike_weight"), (0, 1000)),
    **dict.fromkeys(("picture", "global_size", "local_size"), (16, 1024)),
    **dict.fromkeys(("global_scale", "local_scale"), (0.01, 1)),
    **dict.fromkeys(("student_temp", "teacher_temp_start", "teacher_temp"), (1e-3, 10)),
    **dict.fromkeys(("frozen", "local_crops", "teacher_temp_epochs", "last_layer_frozen"), (0, 1000)),
    "layer_decay": (0.01, 1),
    "clip": (1e-3, 1e6),
    "out_dim": (2, 1_000_000),
    "hidden_dim": (1, 65_536),
    "bottleneck_dim": (1, 65_536),
    "hue": (0, 0.5),
    "whiten": (0, 65_536),
    "whiten_strength": (0, 1),
    "hold_out": (0, 0.5),
    "checkpoint_steps": (0, 10**9),
    "seed": (0, 2**31),
}


def _like(default: Any, value: Any) -> Any:
    """Convert a value to the type of the default."""
    if isinstance(default, tuple):
        parts = value.split(",") if isinstance(value, str) else list(value)
        parts = [part for part in parts if part != ""]
        if not default:  # the one field of any length
            return tuple(_like(0, part) for part in parts)
        if len(parts) != len(default):
            raise ValueError(f"{value!r} is not {len(default)} values separated by commas")
        return tuple(_like(one, part) for one, part in zip(default, parts, strict=True))
    if isinstance(default, bool):
        words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
        if str(value).lower() not in words:
            raise ValueError(f"{value!r} is neither true nor false")
        return words[str(value).lower()]
    if isinstance(default, int) and not (isinstance(value, str) and value.strip().lstrip("-").isdecimal()):
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        raise ValueError(f"{value!r} is not a whole number")
    return type(default)(value)
