"""A vision transformer as in facebookresearch/dino, which the original Steam DINO notebook runs, with made-up weights.

Pre-norm blocks, queries, keys and values from one product, attention written out, LayerNorm's eps 1e-6, GELU, a learned
CLS token and position embedding: "Emerging Properties in Self-Supervised Vision Transformers" (arXiv 2104.14294), after
"An Image is Worth 16x16 Words" (arXiv 2010.11929). Parameters are named as in the authors' checkpoints.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

EPS = 1e-6


class Attention(nn.Module):
    """Multi-head self-attention: (batch, tokens, dim) to the same shape."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """Apply attention."""
        batch, tokens, dim = x.shape
        split = self.qkv(x).reshape(batch, tokens, 3, self.heads, dim // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4).unbind(0)
        weights = (query @ key.transpose(-2, -1) * (dim // self.heads) ** -0.5).softmax(dim=-1)
        return self.proj((weights @ value).transpose(1, 2).reshape(batch, tokens, dim))


class Block(nn.Module):
    """Attention and a two-layer perceptron, each with a pre-norm and a residual connection."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(dim, eps=EPS), nn.LayerNorm(dim, eps=EPS)
        self.attn = Attention(dim, heads)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(dim, 4 * dim), "fc2": nn.Linear(4 * dim, dim)})

    def forward(self, x: Tensor) -> Tensor:
        """Transform the tokens."""
        x = x + self.attn(self.norm1(x))
        return x + self.mlp["fc2"](nn.functional.gelu(self.mlp["fc1"](self.norm2(x))))


class VisionTransformer(nn.Module):
    """Pixels (batch, 3, height, width) to tokens (batch, 1 + patches, dim), CLS first."""

    def __init__(
        self, dim: int = 384, heads: int = 6, blocks: int = 12, patch: int = 16, size: int = 224
    ) -> None:
        super().__init__()
        self.patch_embed = nn.Conv2d(3, dim, patch, patch)
        self.cls_token = nn.Parameter(torch.randn(1, 1, dim) * 0.02)
        self.pos_embed = nn.Parameter(torch.randn(1, 1 + (size // patch) ** 2, dim) * 0.02)
        self.blocks = nn.ModuleList(Block(dim, heads) for _ in range(blocks))
        self.norm = nn.LayerNorm(dim, eps=EPS)

    def forward(self, pixel_values: Tensor) -> Tensor:
        """Compute the tokens after the last norm."""
        patches = self.patch_embed(pixel_values).flatten(2).transpose(1, 2)
        x = torch.cat([self.cls_token.expand(patches.shape[0], -1, -1), patches], dim=1) + self.pos_embed
        for block in self.blocks:
            x = block(x)
        return self.norm(x)


def vit_s16() -> VisionTransformer:
    """Return a ViT-S/16 with made-up weights, always the same."""
    torch.manual_seed(0)
    model = VisionTransformer()
    model.eval()
    for name, parameter in model.named_parameters():
        parameter.requires_grad = False
        if parameter.ndim > 1 and "embed" not in name:
            nn.init.trunc_normal_(
                parameter, std=0.05
            )  # large enough that pictures differ, as with trained weights
    return model


def export(model: VisionTransformer, path: Path) -> None:
    """Write the model as ONNX with a free batch size."""
    torch.onnx.export(
        model,
        (torch.zeros(2, 3, 224, 224),),
        path,
        input_names=["pixel_values"],
        output_names=["tokens"],
        dynamic_shapes={"pixel_values": {0: torch.export.Dim("batch")}},
        dynamo=True,
        verbose=False,
    )
