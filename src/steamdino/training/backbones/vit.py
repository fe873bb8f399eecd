"""Vision transformers, Tiny and Small with patches of 16 pixels, as trained by DINO.

Parameters have the names of facebookresearch/dino's checkpoints, so that the official weights load as they are.
Positions are interpolated as in transformers: bicubic from grid to grid, without antialiasing.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

PATCH = 16
GRID = 14  # cells per side of the learned positions: 224 pixels
NORM_EPS = 1e-6
EARLIER = 3  # blocks before the last one whose tokens are also returned

SIZES = {"vit-tiny16": (192, 12, 3), "vit-small16": (384, 12, 6)}
"""Dimension, blocks and heads of each size."""


class Attention(nn.Module):
    """Multi-head self-attention; one matrix for queries, keys and values."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """Apply attention: (B, T, D) -> (B, T, D)."""
        query, key, value = self._parts(tokens)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        out: Tensor = self.proj(mixed.transpose(1, 2).flatten(2))
        return out

    def of_cls(self, tokens: Tensor) -> Tensor:
        """Return the attention of the CLS token: (B, T, D) -> (B, heads, T), rows of sum 1."""
        query, key, _ = self._parts(tokens)
        scores = query[:, :, :1] @ key.transpose(-2, -1) / query.shape[-1] ** 0.5
        return scores.softmax(dim=-1).squeeze(2)

    def _parts(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        batch, count, dim = tokens.shape
        parts = self.qkv(tokens).view(batch, count, 3, self.heads, dim // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)
        return query, key, value


class Mlp(nn.Module):
    """Two layers with GELU, with a hidden layer four times as wide."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, 4 * dim)
        self.fc2 = nn.Linear(4 * dim, dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """Apply the layers: (B, T, D) -> (B, T, D)."""
        out: Tensor = self.fc2(functional.gelu(self.fc1(tokens)))
        return out


class Block(nn.Module):
    """Attention and MLP, each after a norm and added to its input."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=NORM_EPS)
        self.attn = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=NORM_EPS)
        self.mlp = Mlp(dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """Apply the block: (B, T, D) -> (B, T, D)."""
        tokens = tokens + self.attn(self.norm1(tokens))
        out: Tensor = tokens + self.mlp(self.norm2(tokens))
        return out


class PatchEmbed(nn.Module):
    """The patch embedding: split a picture into patches and project each."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, dim, PATCH, stride=PATCH)

    def forward(self, pixels: Tensor) -> Tensor:
        """Embed the patches: (B, 3, H, W) -> (B, dim, H / 16, W / 16)."""
        out: Tensor = self.proj(pixels)
        return out


class VisionTransformer(nn.Module):
    """The transformer without a classifier.

    Attributes:
        dim: length of a token.
        stride: pixels per patch.
        depth: number of groups of layers: embedding, blocks, final norm.
    """

    family = "vit"
    stride = PATCH

    def __init__(self, dim: int, blocks: int, heads: int) -> None:
        super().__init__()
        self.dim, self.heads, self.depth = dim, heads, blocks + 2
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dim))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + GRID * GRID, dim))
        self.patch_embed = PatchEmbed(dim)
        self.blocks = nn.ModuleList(Block(dim, heads) for _ in range(blocks))
        self.norm = nn.LayerNorm(dim, eps=NORM_EPS)

    def forward(self, pixels: Tensor) -> Tensor:
        """Compute the features for self-distillation, the CLS token: (B, 3, H, W) -> (B, dim)."""
        tokens = self._embedded(pixels)
        for block in self.blocks:
            tokens = block(tokens)
        out: Tensor = self.norm(tokens[:, 0])
        return out

    def tokens(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """Return all outputs.

        Returns:
            the last block's tokens (B, 1 + cells, dim), CLS first; those of the three before it, the nearest first,
            each after the final norm; and the attention of the last block's CLS, (B, heads, 1 + cells).
        """
        tokens, after, attention = self._embedded(pixels), [], None
        for number, block in enumerate(self.blocks, 1):
            if number == len(self.blocks):
                attention = block.attn.of_cls(block.norm1(tokens))
            tokens = block(tokens)
            if number >= len(self.blocks) - EARLIER:
                after.append(self.norm(tokens))
        assert attention is not None  # noqa: S101 (there are blocks)
        return (*reversed(after), attention)

    def layer(self, name: str) -> int:
        """Return the index of a parameter's group of layers, 0 at the input."""
        if name.startswith("blocks."):
            return int(name.split(".")[1]) + 1
        return self.depth - 1 if name.startswith("norm.") else 0

    def _embedded(self, pixels: Tensor) -> Tensor:
        patches = self.patch_embed(pixels)
        own, grid = self.pos_embed[:, :1], self.pos_embed[:, 1:]
        square = grid.reshape(1, GRID, GRID, -1).permute(0, 3, 1, 2)
        resized = functional.interpolate(square, size=patches.shape[-2:], mode="bicubic", align_corners=False)
        cells = (patches + resized).flatten(2).transpose(1, 2)
        first = (self.cls_token + own).expand(len(pixels), -1, -1)
        return torch.cat([first, cells], dim=1)


def build(name: str) -> VisionTransformer:
    """Build one of `SIZES`, with random weights as in DINO."""
    model = VisionTransformer(*SIZES[name])
    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.trunc_normal_(module.weight, std=0.02)
            nn.init.zeros_(module.bias)
    nn.init.trunc_normal_(model.pos_embed, std=0.02)
    nn.init.trunc_normal_(model.cls_token, std=0.02)
    return model
