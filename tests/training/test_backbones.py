from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache as cache_calls
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="training is PyTorch's")

import onnxruntime
import torch

from fakes.transformer import make
from steamdino.errors import ModelError, RecipeError
from steamdino.features import model_registry
from steamdino.features.encoder import Encoder
from steamdino.features.recipe_parser import named
from steamdino.training import backbone_export, initial_weights
from steamdino.training.backbones import Backbone, build
from steamdino.training.training_settings import TrainSettings

pytestmark = pytest.mark.slow

SIZES = [(240, 160), (224, 224), (320, 96)]


@dataclass
class Written:
    """Return a network with made-up weights, and the file that it was exported to."""

    backbone: Backbone
    settings: TrainSettings
    done: backbone_export.Exported


@pytest.fixture(scope="module")
def write_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, tuple[int, ...]], Written]:
    """Export each network once, whatever the order of the tests."""

    @cache_calls
    def write_once(arch: str, taps: tuple[int, ...]) -> Written:
        torch.manual_seed(0)
        backbone = build(arch, taps).eval()
        with torch.no_grad():  # what halves hold exactly, so that only the graph is compared
            for parameter in backbone.parameters():
                parameter.copy_(parameter.half().float())
            if taps:
                backbone.channel_scale.copy_(1 + torch.arange(backbone.dim) % 4 / 4)
        settings = TrainSettings(
            arch=arch, taps=taps, init="scratch", global_size=(160, 112), local_size=(96, 64)
        )
        return Written(
            backbone, settings, backbone_export.write(backbone, tmp_path_factory.mktemp("run"), settings)
        )

    return write_once


@pytest.fixture(params=[("efficientnet-lite0", (5, 11)), ("vit-tiny16", ())], ids=str)
def written(request: pytest.FixtureRequest, write_once: Callable[[str, tuple[int, ...]], Written]) -> Written:
    return write_once(*request.param)


def test_the_exported_file_agrees_with_pytorch_at_three_sizes(written: Written) -> None:
    numbers = sum(parameter.numel() for parameter in written.backbone.parameters())
    assert written.done.path.stat().st_size < 2.2 * numbers + 200_000
    session = onnxruntime.InferenceSession(written.done.path, providers=["CPUExecutionProvider"])
    assert [output.name for output in session.get_outputs()] == list(written.done.outputs)
    for height, width in SIZES:
        pixels = torch.randn(2, 3, height, width)
        with torch.no_grad():
            expected = written.backbone.tokens(pixels)
        for got, theirs in zip(session.run(None, {"pixel_values": pixels.numpy()}), expected, strict=True):
            np.testing.assert_allclose(got, theirs.numpy(), atol=1e-4, rtol=1e-4)


def test_a_run_can_start_from_an_exported_file(written: Written) -> None:
    settings = written.settings
    again = initial_weights.load(settings.arch, settings.taps, str(written.done.path), 1)
    for (name, one), other in zip(
        written.backbone.state_dict().items(), again.state_dict().values(), strict=True
    ):
        if not name.endswith("num_batches_tracked"):
            torch.testing.assert_close(other, one, atol=1e-3, rtol=1e-3)
    with pytest.raises(
        ModelError, match=r"parameters of vit-small16|has the shape|parameters of efficientnet"
    ):
        initial_weights.load("vit-small16", (), str(written.done.path), 0)


def test_weights_from_before_channels_were_scaled_load_as_they_are(written: Written) -> None:
    settings = written.settings
    state = {k: v for k, v in written.backbone.state_dict().items() if k != "channel_scale"}
    again = build(settings.arch, settings.taps)
    initial_weights.fit(again, state, settings.arch, Path("old.onnx"))
    for name, one in again.state_dict().items():
        assert torch.equal(one, state.get(name, torch.ones_like(one))), name


def test_a_registered_model_is_a_recipe_like_any_other(
    written: Written, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEAMDINO_CACHE", str(tmp_path / "cache"))
    try:
        backbone_export.register("mine", written.backbone, written.done, written.settings)
        recipe = named("mine/squash/96x128")
        pixels = np.random.default_rng(0).integers(0, 256, (128, 96, 3), dtype=np.uint8)
        (vector,) = Encoder(recipe, batch_size=1)([pixels])
        session = onnxruntime.InferenceSession(written.done.path, providers=["CPUExecutionProvider"])
        given = (pixels / 255 - np.array(recipe.transform.mean)) / np.array(recipe.transform.std)
        tokens = session.run(["tokens"], {"pixel_values": given.transpose(2, 0, 1)[None].astype(np.float32)})[
            0
        ]
        first = tokens[0, 0] / np.linalg.norm(tokens[0, 0])  # the CLS token, or the map's generalised mean
        assert float(vector @ first) > 0.9999
        for name in ("bundled", "dino-vits16", "Mine", "a/b", ""):
            with pytest.raises(RecipeError, match="a model cannot be called"):
                backbone_export.register(name, written.backbone, written.done, written.settings)
    finally:
        model_registry.models.cache_clear()


def test_the_transformer_is_that_of_transformers_under_the_authors_names() -> None:
    module, _ = make("vit")
    width = module.config.hidden_size
    from steamdino.training.backbones.vit import VisionTransformer

    ours = VisionTransformer(width, module.config.num_hidden_layers, module.config.num_attention_heads)
    state = dict(module.state_dict())
    renamed = {
        "cls_token": state["embeddings.cls_token"],
        "pos_embed": state["embeddings.position_embeddings"],
        "patch_embed.proj.weight": state["embeddings.patch_embeddings.projection.weight"],
        "patch_embed.proj.bias": state["embeddings.patch_embeddings.projection.bias"],
        "norm.weight": state["layernorm.weight"],
        "norm.bias": state["layernorm.bias"],
    }
    for n in range(module.config.num_hidden_layers):
        for kind in ("weight", "bias"):
            layer = f"layers.{n}."
            parts = [state[f"{layer}attention.{one}_proj.{kind}"] for one in "qkv"]
            renamed[f"blocks.{n}.attn.qkv.{kind}"] = torch.cat(parts)
            renamed[f"blocks.{n}.attn.proj.{kind}"] = state[f"{layer}attention.o_proj.{kind}"]
            renamed[f"blocks.{n}.norm1.{kind}"] = state[f"{layer}layernorm_before.{kind}"]
            renamed[f"blocks.{n}.norm2.{kind}"] = state[f"{layer}layernorm_after.{kind}"]
            for fc in ("fc1", "fc2"):
                renamed[f"blocks.{n}.mlp.{fc}.{kind}"] = state[f"{layer}mlp.{fc}.{kind}"]
    # Its hidden layer is twice as wide as its tokens here, four times in the real ones.
    for block in ours.blocks:
        block.mlp.fc1 = torch.nn.Linear(width, 64)
        block.mlp.fc2 = torch.nn.Linear(64, width)
    ours.load_state_dict(renamed)
    for height, width_ in SIZES:
        pixels = torch.randn(1, 3, height, width_)
        with torch.no_grad():
            given = module(
                pixel_values=pixels,
                interpolate_pos_encoding=True,
                output_hidden_states=True,
                output_attentions=True,
            )
            *blocks, attention = ours.eval().tokens(pixels)
            for n, block in enumerate(blocks, 1):
                torch.testing.assert_close(
                    block, module.layernorm(given.hidden_states[-n]), atol=1e-4, rtol=1e-4
                )
            torch.testing.assert_close(attention, given.attentions[-1][:, :, 0], atol=1e-4, rtol=1e-4)
