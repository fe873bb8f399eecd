"""A backbone's features of whole banners, and its batch norm statistics.

A network's batch norm holds the averages and variances of its training data. Banners are not photographs: with
statistics of banners, the same weights tell them apart better (Li et al., "Revisiting Batch Normalization", arXiv
1603.04779), and averaged weights need new statistics in any case (Izmailov et al., arXiv 1803.05407). If inner maps are
joined, channels that hardly vary between banners would be swamped by those that do, so each channel is divided by its
standard deviation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from steamdino.features.pooling import Floats, unit
from steamdino.training.backbones import Backbone
from steamdino.training.dino import MEAN, STD

Change = Callable[[torch.Tensor], torch.Tensor]

BATCH = 32
QUIETEST = 1e-3
"""Floor of a channel's standard deviation, relative to the largest one."""

MOST = 2048
"""Maximum number of banners for the statistics; more do not change them."""


@torch.no_grad()
def settle(backbone: Backbone, pixels: NDArray[np.uint8], rows: NDArray[np.intp], seed: int) -> None:
    """Recompute the statistics of all batch norms, and then the scale of joined channels; modifies `backbone`.

    The statistics are averages over batches of whole banners.

    Args:
        backbone: on any device; its mode is kept.
        pixels: all banners, uint8, shape (n, height, width, 3).
        rows: the banners to use; a random sample if there are many.
        seed: random seed of the sample.
    """
    norms = [module for module in backbone.modules() if isinstance(module, nn.BatchNorm2d)]
    drawn = np.random.default_rng([seed, 2]).permutation(rows)[:MOST]
    before = [(module, module.training) for module in backbone.modules()]
    momenta = [norm.momentum for norm in norms]
    backbone.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain average over batches
        norm.train()
    for _ in _outputs(backbone, pixels, drawn) if norms else ():
        pass
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    backbone.eval()
    _settle_scale(backbone, pixels, drawn)
    for module, training in before:
        module.training = training


def _settle_scale(backbone: Backbone, pixels: NDArray[np.uint8], drawn: NDArray[np.intp]) -> None:
    """Set the scale to 1 / standard deviation of each channel of unit features, with an average of 1."""
    scale = getattr(backbone, "channel_scale", None)
    if scale is None:
        return
    scale.fill_(1.0)
    deviation = features_of(backbone, pixels, drawn).std(axis=0, dtype=np.float64)
    wanted = 1 / np.maximum(deviation, QUIETEST * deviation.max())
    scale.copy_(torch.from_numpy(wanted / wanted.mean()))


@torch.no_grad()
def features_of(
    backbone: Backbone, pixels: NDArray[np.uint8], rows: NDArray[np.intp], change: Change | None = None
) -> Floats:
    """Return the features of whole banners, in the order of `rows`: float32, shape (len(rows), dim), unit rows.

    Args:
        backbone: on any device, in evaluation mode.
        pixels: all banners, uint8, shape (n, height, width, 3).
        rows: the banners to use.
        change: applied to each batch first: float32, (B, 3, height, width) -> the same shape.
    """
    parts = [one.float().cpu().numpy() for one in _outputs(backbone, pixels, rows, change)]
    return unit(np.concatenate(parts))


def _outputs(
    backbone: Backbone, pixels: NDArray[np.uint8], rows: NDArray[np.intp], change: Change | None = None
) -> Iterator[torch.Tensor]:
    device = next(backbone.parameters()).device
    mean, std = (torch.tensor(one, device=device).view(1, 3, 1, 1) for one in (MEAN, STD))
    for start in range(0, len(rows), BATCH):
        batch = np.ascontiguousarray(pixels[rows[start : start + BATCH]])
        planes = torch.from_numpy(batch).to(device).permute(0, 3, 1, 2).float() / 255
        yield backbone(((change(planes) if change else planes) - mean) / std)
