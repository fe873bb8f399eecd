"""What a backbone makes of whole banners: their features, and batch norm's statistics of them.

A network carries the averages and variances of what it was trained on. Banners are not photographs: with statistics of
their own, the same weights tell them apart better (Li et al., "Revisiting Batch Normalization", arXiv 1603.04779), and
weights that were averaged need new ones in any case (Izmailov et al., arXiv 1803.05407).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from steamdino.features.pooling import Floats, unit
from steamdino.training.backbones import Backbone
from steamdino.training.dino import MEAN, STD

BATCH = 32
MOST = 2048
"""Banners that are looked at; more move nothing."""


@torch.no_grad()
def settle(backbone: Backbone, pixels: NDArray[np.uint8], rows: NDArray[np.intp], seed: int) -> None:
    """Takes the statistics of all batch norms anew, as averages over batches of whole banners; changes `backbone`.

    Args:
        backbone: on any device; stays in the mode that it is in.
        pixels: of all banners, uint8, shape (n, height, width, 3).
        rows: of those to look at; of many, some are drawn.
        seed: of the drawing.
    """
    norms = [module for module in backbone.modules() if isinstance(module, nn.BatchNorm2d)]
    if not norms:
        return
    drawn = np.random.default_rng([seed, 2]).permutation(rows)[:MOST]
    before = [(module, module.training) for module in backbone.modules()]
    momenta = [norm.momentum for norm in norms]
    backbone.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain average over batches
        norm.train()
    for _ in _outputs(backbone, pixels, drawn):
        pass
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    for module, training in before:
        module.training = training


@torch.no_grad()
def features_of(backbone: Backbone, pixels: NDArray[np.uint8], rows: NDArray[np.intp]) -> Floats:
    """Of whole banners, in the order of `rows`: float32, shape (len(rows), dim), rows of length 1."""
    parts = [one.float().cpu().numpy() for one in _outputs(backbone, pixels, rows)]
    return unit(np.concatenate(parts))


def _outputs(backbone: Backbone, pixels: NDArray[np.uint8], rows: NDArray[np.intp]) -> Iterator[torch.Tensor]:
    device = next(backbone.parameters()).device
    mean, std = (torch.tensor(one, device=device).view(1, 3, 1, 1) for one in (MEAN, STD))
    for start in range(0, len(rows), BATCH):
        batch = np.ascontiguousarray(pixels[rows[start : start + BATCH]])
        planes = torch.from_numpy(batch).to(device).permute(0, 3, 1, 2).float() / 255
        yield backbone((planes - mean) / std)
