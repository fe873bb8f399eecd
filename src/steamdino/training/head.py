"""DINO's projection head."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Head(nn.Module):
    """Three layers with GELU, scaled to length 1, then a layer of unit rows ("weight-normalised", its gain fixed at 1).

    As in section 3.1 and appendix C of the paper (arXiv 2104.14294).
    """

    def __init__(self, dim: int, out_dim: int, hidden_dim: int, bottleneck_dim: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Linear(dim, hidden_dim),
            nn.GELU(),
            nn.Linear(hidden_dim, hidden_dim),
            nn.GELU(),
            nn.Linear(hidden_dim, bottleneck_dim),
        )
        for module in self.mlp:
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)
        self.last = nn.Parameter(torch.empty(out_dim, bottleneck_dim))
        nn.init.normal_(self.last)  # only the directions count

    def forward(self, features: Tensor) -> Tensor:
        """(B, dim) -> (B, out_dim): cosines, -1 to 1."""
        inner = functional.normalize(self.mlp(features), dim=-1, eps=1e-6)
        return functional.linear(inner, functional.normalize(self.last, dim=-1))
