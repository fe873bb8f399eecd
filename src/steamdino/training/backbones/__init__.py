"""The networks that can be trained, by name."""

from __future__ import annotations

from collections.abc import Sequence

from steamdino.errors import UsageError
from steamdino.training.backbones import efficientnet, vit
from steamdino.training.backbones.efficientnet import EfficientNetLite
from steamdino.training.backbones.vit import VisionTransformer

Backbone = EfficientNetLite | VisionTransformer


def build(name: str, taps: Sequence[int] = ()) -> Backbone:
    """Build a network of `training_settings.ARCHITECTURES`, with random weights from PyTorch's global generator.

    Args:
        name: the network's name.
        taps: for an EfficientNet-Lite, the blocks whose maps are joined; empty for its last map.

    Raises:
        UsageError: the network has no such blocks.
    """
    if name in efficientnet.SIZES:
        return efficientnet.build(name, taps)
    if taps:
        raise UsageError(f"taps is {list(taps)}, but {name} has no maps to join; remove it")
    return vit.build(name)
