"""DINO and DINOv2 as their authors published them, written out: names of weights, blocks and position embeddings.

After facebookresearch/dino, vision_transformer.py, and facebookresearch/dinov2, models/vision_transformer.py and
hub/backbones.py. Nothing here is of transformers or of steam-dino.
"""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import conv2d, gelu, interpolate, layer_norm, linear, silu

State = dict[str, Tensor]


def names(module: Any) -> State:
    """Return the weights of a ViT of transformers under the authors' names."""
    state = dict(module.state_dict())
    renamed = {}
    for key, value in state.items():
        name = re.sub(r"^(encoder\.)?layers?\.(\d+)\.", r"blocks.\2.", key)
        name = re.sub(r"^embeddings\.patch_embeddings\.projection\.", "patch_embed.proj.", name)
        name = re.sub(r"^embeddings\.position_embeddings$", "pos_embed", name)
        name = re.sub(r"^embeddings\.", "", name).replace("layer_scale1.lambda1", "ls1.gamma")
        name = re.sub(r"^layernorm\.", "norm.", name).replace("layer_scale2.lambda1", "ls2.gamma")
        name = name.replace("layernorm_before", "norm1").replace("layernorm_after", "norm2")
        name = name.replace("mlp.down_proj", "mlp.w3")
        if found := re.search(r"\.mlp\.gate_proj\.(\w+)$", name):
            both = [value, state[key.replace("gate_proj", "up_proj")]]
            renamed[f"{name[: found.start()]}.mlp.w12.{found[1]}"] = torch.cat(both)
        elif not re.search(r"\.attention\.|\.up_proj\.", name):
            renamed[name] = value
        elif found := re.search(r"\.attention\.(o_proj|q_proj)\.(\w+)$", name):
            block, kind = name[: found.start()], found[2]
            if found[1] == "o_proj":
                renamed[f"{block}.attn.proj.{kind}"] = value
            else:
                parts = [state[key.replace("q_proj", f"{letter}_proj")] for letter in "qkv"]
                renamed[f"{block}.attn.qkv.{kind}"] = torch.cat(parts)
    return renamed


def positions(known: Tensor, height: int, width: int, rule: str) -> Tensor:
    """Return the position embeddings of a grid, as each ``interpolate_pos_encoding`` computes them.

    Args:
        known: shape (1, 1 + n * n, dim).
        height, width: of the grid.
        rule: "offset" (DINO, and DINOv2 without registers) or "antialias" (DINOv2 with registers).
    """
    count = known.shape[1] - 1
    if height * width == count and height == width:
        return known
    side = round(count**0.5)
    square = known[:, 1:].reshape(1, side, side, -1).permute(0, 3, 1, 2)
    if rule == "offset":
        factors = ((height + 0.1) / side, (width + 0.1) / side)
        made = interpolate(square, scale_factor=factors, mode="bicubic")
    else:
        made = interpolate(square, size=(height, width), mode="bicubic", antialias=True)
    assert made.shape[2:] == (height, width)
    return torch.cat([known[:, :1], made.permute(0, 2, 3, 1).flatten(1, 2)], 1)


def blocks(state: State, pictures: Tensor, heads: int, rule: str) -> tuple[list[Tensor], Tensor]:
    """Compute the tokens after each block, through the final norm, and the last attention of the CLS token.

    Args:
        state: the weights under the authors' names.
        pictures: normalised, shape (batch, 3, height, width).
        heads: of the attention.
        rule: as in `positions`.
    """

    def norm(x: Tensor, name: str) -> Tensor:
        return layer_norm(x, x.shape[-1:], state[f"{name}.weight"], state[f"{name}.bias"], eps=1e-6)

    def full(x: Tensor, name: str) -> Tensor:
        return linear(x, state[f"{name}.weight"], state[f"{name}.bias"])

    kernel = state["patch_embed.proj.weight"]
    cells = conv2d(pictures, kernel, state["patch_embed.proj.bias"], stride=kernel.shape[-1])
    x = torch.cat([state["cls_token"].expand(len(pictures), -1, -1), cells.flatten(2).transpose(1, 2)], 1)
    x = x + positions(state["pos_embed"], cells.shape[2], cells.shape[3], rule)
    if "register_tokens" in state:
        x = torch.cat([x[:, :1], state["register_tokens"].expand(len(x), -1, -1), x[:, 1:]], 1)
    made = []
    number = 0
    while (block := f"blocks.{number}") + ".norm1.weight" in state:
        batch, tokens, dim = x.shape
        mixed = full(norm(x, f"{block}.norm1"), f"{block}.attn.qkv")
        query, key, value = mixed.reshape(batch, tokens, 3, heads, dim // heads).permute(2, 0, 3, 1, 4)
        attention = (query @ key.transpose(-2, -1) / (dim // heads) ** 0.5).softmax(-1)
        given = full((attention @ value).transpose(1, 2).reshape(batch, tokens, dim), f"{block}.attn.proj")
        x = x + given * state.get(f"{block}.ls1.gamma", 1)
        inner = norm(x, f"{block}.norm2")
        if f"{block}.mlp.w12.weight" in state:  # SwiGLU, of the giant
            gate, up = full(inner, f"{block}.mlp.w12").chunk(2, -1)
            given = full(silu(gate) * up, f"{block}.mlp.w3")
        else:
            given = full(gelu(full(inner, f"{block}.mlp.fc1")), f"{block}.mlp.fc2")
        x = x + given * state.get(f"{block}.ls2.gamma", 1)
        made.append(norm(x, "norm"))
        number += 1
    return made, attention[:, :, 0]
