"""DINO's projection head."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Head(nn.Module):
    """Three layers with GELU, scaled to length 1, then a layer of unit rows ("weight-normalised", its gain fixed at 1).

    As in section 3.1 and appendix C of the paper (arXiv 2104.14294). Batch norm removes what all pictures have in
    common after each layer: the maps of a convolutional network are never negative, so their pooled vectors all point
    in nearly the same direction, and a head without batch norm gives the same output for all pictures.
    """

    def __init__(
        self, dim: int, out_dim: int, hidden_dim: int, bottleneck_dim: int, *, norm: bool = False
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs in (dim, hidden_dim):
            layers += [
                nn.Linear(inputs, hidden_dim),
                *([nn.BatchNorm1d(hidden_dim)] if norm else []),
                nn.GELU(),
            ]
        self.mlp = nn.Sequential(*layers, nn.Linear(hidden_dim, bottleneck_dim))
        for module in self.mlp:
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)
        self.last = nn.Parameter(torch.empty(out_dim, bottleneck_dim))
        nn.init.normal_(self.last)  # only the directions matter

    def forward(self, features: Tensor) -> Tensor:
        """Map (B, dim) to (B, out_dim): cosines, -1 to 1."""
        inner = functional.normalize(self.mlp(features), dim=-1, eps=1e-6)
        return functional.linear(inner, functional.normalize(self.last, dim=-1))
