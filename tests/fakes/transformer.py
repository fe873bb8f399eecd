"""Tiny models of transformers with made-up weights, in the place of the official ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.shared_folders import shared

from steamdino.features.model_files import ModelFiles, needed
from steamdino.features.model_registry import Model, models
from steamdino.features.pull import take

WIDTH, BLOCKS, HEADS = 32, 5, 2
COMMON = {
    "hidden_size": WIDTH,
    "num_hidden_layers": BLOCKS,
    "num_attention_heads": HEADS,
    "attn_implementation": "eager",
}


def make(kind: str) -> tuple[Any, Model]:
    """A model of transformers and its record: "vit", "dinov2", "giant" (DINOv2 with SwiGLU), "registers", "dinov3" or
    "resnet"."""
    import transformers as hf

    if kind == "vit":
        config = hf.ViTConfig(
            **COMMON, image_size=224, patch_size=16, intermediate_size=64, layer_norm_eps=1e-6
        )
        module, name = hf.ViTModel(config, add_pooling_layer=False), "dino-vits16"
    elif kind in ("dinov2", "giant"):
        settings = {**COMMON, "image_size": 518, "patch_size": 14, "use_swiglu_ffn": kind == "giant"}
        module, name = hf.Dinov2Model(hf.Dinov2Config(**settings)), "dinov2-small"
    elif kind == "registers":
        settings = {**COMMON, "image_size": 518, "patch_size": 14, "num_register_tokens": 4}
        module = hf.Dinov2WithRegistersModel(hf.Dinov2WithRegistersConfig(**settings))
        name = "dinov2-small-registers"
    elif kind == "dinov3":
        settings = {**COMMON, "image_size": 224, "patch_size": 16, "num_register_tokens": 4}
        module = hf.DINOv3ViTModel(hf.DINOv3ViTConfig(**settings, intermediate_size=64))
        name = "dinov3-vits16"
    else:
        widths = [16, 32, 64, 128]
        config = hf.ResNetConfig(
            embedding_size=8, hidden_sizes=widths, depths=[1, 2, 1, 1], layer_type="bottleneck"
        )
        module, name = hf.ResNetModel(config), "dino-resnet50"
    _randomise(module)
    dim = 128 if kind == "resnet" else WIDTH
    return module.eval(), replace(models()[name], dim=dim, heads=HEADS, blocks=BLOCKS)


def imported(kind: str, factory: pytest.TempPathFactory) -> tuple[Any, Model, ModelFiles]:
    """A model of a kind, its record, and its files in a cache, where `models pull --weights FOLDER` has put them."""
    module, model = make(kind)
    with known_as(model), pytest.MonkeyPatch.context() as patch:

        def pull(folder: Path) -> None:
            module.save_pretrained(folder / "weights")
            patch.setenv("STEAMDINO_CACHE", str(folder / "cache"))
            take(model, folder / "weights")

        folder = shared(factory, f"imported-{kind}", pull)
        patch.setenv("STEAMDINO_CACHE", str(folder / "cache"))
        return module, model, needed(model)


@contextmanager
def known_as(model: Model) -> Iterator[None]:
    """Puts a record into the place of the official one of its name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(models(), model.name, model)
        yield


def torchscript(module: Any, path: Path, opset: int) -> None:
    """Exports the tokens of the last block as the files on the hub were: traced, any batch, height and width."""
    import warnings

    import torch

    class Tokens(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = module

        def forward(self, pixel_values: torch.Tensor) -> torch.Tensor:
            return self.inner(pixel_values=pixel_values).last_hidden_state

    axes = {"pixel_values": {0: "b", 2: "h", 3: "w"}, "last_hidden_state": {0: "b", 1: "t"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the tracer's
        torch.onnx.export(
            Tokens(),
            (torch.zeros(1, 3, 224, 224),),
            path,
            input_names=["pixel_values"],
            output_names=["last_hidden_state"],
            opset_version=opset,
            dynamic_axes=axes,
            dynamo=False,
        )


def _randomise(module: Any) -> None:
    """Weights under which every block does something: as they come, most do next to nothing."""
    import torch

    torch.manual_seed(0)
    with torch.no_grad():
        for name, weights in module.named_parameters():
            centre = 1.0 if "norm" in name and name.endswith("weight") else 0.0
            weights.copy_(centre + torch.randn_like(weights) * (0.1 if weights.ndim > 1 else 0.3))
        for name, buffer in module.named_buffers():
            if name.endswith("running_mean"):
                buffer.normal_(0, 0.1)
            elif name.endswith("running_var"):
                buffer.uniform_(0.5, 2)
