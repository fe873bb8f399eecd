"""Batch norm's statistics, taken anew from a gallery's own banners.

A network carries the averages and variances of what it was trained on. Banners are not photographs: with statistics of
their own, the same weights tell them apart better (Li et al., "Revisiting Batch Normalization", arXiv 1603.04779), and
weights that were averaged need new ones in any case (Izmailov et al., arXiv 1803.05407).
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

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
    device = next(backbone.parameters()).device
    mean, std = (torch.tensor(one, device=device).view(1, 3, 1, 1) for one in (MEAN, STD))
    drawn = np.random.default_rng([seed, 2]).permutation(rows)[:MOST]
    before = [(module, module.training) for module in backbone.modules()]
    momenta = [norm.momentum for norm in norms]
    backbone.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain average over batches
        norm.train()
    for start in range(0, len(drawn), BATCH):
        batch = np.ascontiguousarray(pixels[np.sort(drawn[start : start + BATCH])])
        planes = torch.from_numpy(batch).to(device).permute(0, 3, 1, 2).float() / 255
        backbone((planes - mean) / std)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    for module, training in before:
        module.training = training
