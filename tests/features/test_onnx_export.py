"""Exported PyTorch weights of every form, compared with transformers; every strategy, compared with its formula."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache as cache_calls
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch", reason="the oracle is PyTorch's")

import torch
from safetensors.torch import save_file

from fakes.transformer import known_as, make
from steamdino.errors import ModelError, UsageError
from steamdino.features import model_files
from steamdino.features.attention import attention
from steamdino.features.checkpoints import load
from steamdino.features.encoder import Encoder
from steamdino.features.model_registry import Model
from steamdino.features.onnx_export import OUTPUTS, outputs_of
from steamdino.features.pull import take
from steamdino.features.recipe_parser import named
from steamdino.features.runtimes import openvino_quantise
from steamdino.features.runtimes.openvino import OpenVinoModel
from steamdino.features.runtimes.torch import TorchModel
from steamdino.features.transform import normalise, prepare

Made = tuple[Any, Model, model_files.ModelFiles]
IMAGE = Image.fromarray(np.random.default_rng(5).integers(0, 256, (450, 300, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def export_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Made]:
    """Create a tiny model of a kind and import it into a cache like `models pull --weights FOLDER`, once per kind.

    (A parametrised fixture would be made anew each time that the random order of the tests comes back to it.)
    """

    @cache_calls
    def export_once(kind: str) -> Made:
        folder = tmp_path_factory.mktemp(kind)
        module, model = make(kind)
        module.save_pretrained(folder / "weights")
        with pytest.MonkeyPatch.context() as patch, known_as(model):
            patch.setenv("STEAMDINO_CACHE", str(folder / "cache"))
            return module, model, take(model, folder / "weights")

    return export_once


@pytest.fixture(params=["vit", "registers", "dinov3", "resnet"])
def exported(
    request: pytest.FixtureRequest, export_once: Callable[[str], Made], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Made]:
    """Return a tiny model that is registered and in the cache."""
    made = export_once(request.param)
    monkeypatch.setenv("STEAMDINO_CACHE", str(made[2].folder.parents[2]))
    with known_as(made[1]):
        yield made


@pytest.mark.parametrize("cells", [(16, 16), (14, 21), (22, 22)])
def test_the_file_agrees_with_pytorch_at_every_size(exported: Made, cells: tuple[int, int]) -> None:
    module, model, files = exported
    width, height = (model.stride * side for side in cells)
    transform = replace(model.transform, width=width, height=height)
    names = OUTPUTS[model.family]
    pixels = np.random.default_rng(0).integers(0, 256, (2, height, width, 3), dtype=np.uint8)
    path = files.path("model.onnx")
    got = OpenVinoModel(path, model, transform, outputs=names, batch_size=2, precision="f32")(pixels)
    with torch.no_grad():
        expected = outputs_of(model, module)(torch.from_numpy(normalise(pixels, transform)))
    for name, ours, theirs in zip(names, got, expected, strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-4, err_msg=name)


def _strategy(module: Any, model: Model, kind: str, pixels: np.ndarray) -> np.ndarray:
    """Compute each strategy from the hidden states, by the formulas of DINO's evaluations."""

    def states(given: torch.Tensor) -> Any:
        options = {"interpolate_pos_encoding": True} if type(module).__name__ == "ViTModel" else {}
        return module(pixel_values=given, output_hidden_states=True, **options)

    picture = torch.from_numpy(normalise(pixels[np.newaxis], model.transform))
    norm = getattr(module, "layernorm", None) or module.norm
    with torch.no_grad():
        hidden = [norm(state) for state in states(picture).hidden_states]
        cls, patches = hidden[-1][:, 0], hidden[-1][:, 1 + model.registers :]
        if kind == "simple":
            vector = cls
        elif kind == "patches":
            vector = patches.mean(1)
        elif kind == "complex":
            vector = torch.cat([state[:, 0] for state in hidden[-4:]], 1)
        elif kind == "gem":
            vector = torch.cat([cls, patches.clamp(min=1e-6).pow(4).mean(1).pow(1 / 4)], 1)
        else:
            scaled = []
            for scale in (1.0, 0.5**0.5, 0.5):
                smaller = (
                    picture
                    if scale == 1.0
                    else torch.nn.functional.interpolate(
                        picture, scale_factor=scale, mode="bilinear", align_corners=False
                    )
                )
                height, width = (side // model.stride * model.stride for side in smaller.shape[2:])
                scaled.append(norm(states(smaller[:, :, :height, :width]).hidden_states[-1])[:, 0])
            vector = torch.stack(scaled).mean(0)
    return (vector / vector.norm())[0].numpy()


@pytest.mark.parametrize("kind", ["simple", "complex", "gem", "multiscale", "patches"])
@pytest.mark.parametrize("exported", ["vit", "registers", "dinov3"], indirect=True)
def test_every_strategy_follows_its_formula(exported: Made, kind: str) -> None:
    module, model, _ = exported
    recipe = named(f"{model.name}/{kind}/squash/{16 * model.stride}x{22 * model.stride}")
    pixels = prepare(IMAGE, recipe.transform)
    (vector,) = Encoder(recipe, batch_size=2)([pixels])
    assert vector.shape == (recipe.dim,)
    np.testing.assert_allclose(vector, _strategy(module, model, kind, pixels), atol=1e-4)


def test_pytorch_on_a_device_gives_the_same_outputs(exported: Made) -> None:
    _, model, files = exported
    recipe = named(f"{model.name}/multiscale")
    pixels = prepare(IMAGE, recipe.transform)[np.newaxis]
    for scale in (1.0, 0.5**0.5):
        ours = OpenVinoModel(
            files.path("model.onnx"),
            model,
            recipe.transform,
            outputs=OUTPUTS[model.family],
            scale=scale,
            batch_size=1,
            precision="f32",
        )(pixels)
        theirs = TorchModel(
            files.folder / "checkpoint",
            model,
            recipe.transform,
            outputs=OUTPUTS[model.family],
            scale=scale,
            device="cpu",
            precision="f32",
        )(pixels)
        for left, right in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(left, right, atol=1e-4)


@pytest.mark.parametrize("exported", ["resnet"], indirect=True)
def test_a_convolutional_model_pools_inside_the_network_on_every_runtime(exported: Made) -> None:
    module, model, files = exported
    pixels = prepare(IMAGE, model.transform)[np.newaxis]
    options = {"outputs": ("pooled",), "precision": "f32"}
    ours = OpenVinoModel(files.path("model.onnx"), model, model.transform, batch_size=1, **options)
    theirs = TorchModel(
        files.folder / "checkpoint", model, model.transform, scale=1.0, device="cpu", **options
    )
    with torch.no_grad():
        maps = module(torch.from_numpy(normalise(pixels, model.transform))).last_hidden_state
    for run in (ours, theirs):
        np.testing.assert_allclose(run(pixels)[0], maps.mean((2, 3)).numpy(), atol=1e-4)


def test_a_model_in_8_bits_yields_every_output_at_every_size(exported: Made, tmp_path: Path) -> None:
    pytest.importorskip("nncf", reason="the lock files have it for Python 3.11 only")
    _, model, files = exported
    path = files.path("model.onnx")
    made = openvino_quantise.quantise(
        path, model, [prepare(IMAGE.rotate(90 * n), model.transform) for n in range(4)]
    )
    openvino_quantise.save(made, tmp_path / "model.xml")
    width, height = 14 * model.stride, 21 * model.stride
    transform = replace(model.transform, width=width, height=height)
    names = OUTPUTS[model.family]
    pixels = prepare(IMAGE, transform)[np.newaxis]
    original, quantised = (
        OpenVinoModel(file, model, transform, outputs=names, batch_size=1, precision="f32")(pixels)
        for file in (path, tmp_path / "model.xml")
    )
    assert openvino_quantise.quantised_operations(made) >= model.blocks
    for name, one, other in zip(names, original, quantised, strict=True):
        cosine = (one * other).sum() / np.linalg.norm(one) / np.linalg.norm(other)
        assert 0.98 < cosine < 0.9999999, name


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has one")
def test_a_missing_device_is_refused(exported: Made) -> None:
    with pytest.raises(UsageError, match="PyTorch sees no cuda device on this machine; use --device cpu"):
        Encoder(named(exported[1].name), device="cuda")
    with pytest.raises(UsageError, match="device is 'tpu'"):
        Encoder(named(exported[1].name), device="tpu")


@pytest.mark.parametrize("exported", ["vit", "registers", "dinov3"], indirect=True)
def test_attention_maps_have_the_shape_of_the_patches(exported: Made) -> None:
    _, model, _ = exported
    recipe = named(f"{model.name}/squash/{16 * model.stride}x{22 * model.stride}")
    maps = attention(recipe, prepare(IMAGE, recipe.transform))
    assert maps.shape == (model.heads, 22, 16)
    assert (maps >= 0).all()
    assert (maps.sum(axis=(1, 2)) <= 1 + 1e-5).all()


def _original(module: Any) -> dict[str, torch.Tensor]:
    """Return the weights of a transformers ViT with the names of facebookresearch/dino."""
    state = dict(module.state_dict())
    original = {
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
            original[f"blocks.{n}.attn.qkv.{kind}"] = torch.cat(parts)
            original[f"blocks.{n}.attn.proj.{kind}"] = state[f"{layer}attention.o_proj.{kind}"]
            original[f"blocks.{n}.norm1.{kind}"] = state[f"{layer}layernorm_before.{kind}"]
            original[f"blocks.{n}.norm2.{kind}"] = state[f"{layer}layernorm_after.{kind}"]
            for fc in ("fc1", "fc2"):
                original[f"blocks.{n}.mlp.{fc}.{kind}"] = state[f"{layer}mlp.{fc}.{kind}"]
    return original


@pytest.mark.parametrize("form", ["pth", "training", "safetensors", "transformers"])
def test_the_authors_files_are_read_in_every_form(form: str, tmp_path: Path) -> None:
    module, model = make("vit")
    original = _original(module)
    if form == "pth":
        file = tmp_path / "dino.pth"
        torch.save(original, file)
    elif form == "training":
        file = tmp_path / "checkpoint.pth"
        teacher = {f"module.backbone.{key}": value for key, value in original.items()}
        teacher["module.head.mlp.0.weight"] = torch.zeros(3)
        student = {key: torch.zeros_like(value) for key, value in teacher.items()}
        torch.save({"student": student, "teacher": teacher, "epoch": 7}, file)
    elif form == "safetensors":
        file = tmp_path / "dino.safetensors"
        save_file({key: value.contiguous() for key, value in original.items()}, file)
    else:
        file = tmp_path / "model.safetensors"
        save_file(dict(module.state_dict()), file)
    loaded = load(model, file)
    picture = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        ours, theirs = (one(picture).last_hidden_state for one in (loaded, module))
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=1e-5)


def test_a_resnet_with_torchvisions_names_is_read(tmp_path: Path) -> None:
    module, model = make("resnet")
    original = {}
    for key, value in module.state_dict().items():
        name = key.replace("embedder.embedder.convolution", "conv1").replace(
            "embedder.embedder.normalization", "bn1"
        )
        parts = name.split(".")
        if parts[0] == "encoder":
            stage, block, rest = int(parts[2]) + 1, parts[4], ".".join(parts[5:])
            for n in range(3):
                rest = rest.replace(f"layer.{n}.convolution", f"conv{n + 1}").replace(
                    f"layer.{n}.normalization", f"bn{n + 1}"
                )
            rest = rest.replace("shortcut.convolution", "downsample.0").replace(
                "shortcut.normalization", "downsample.1"
            )
            name = f"layer{stage}.{block}.{rest}"
        original[name] = value
    original |= {"fc.weight": torch.zeros(2, 128), "fc.bias": torch.zeros(2)}
    torch.save(original, tmp_path / "resnet.pth")
    loaded = load(model, tmp_path / "resnet.pth")
    picture = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        ours, theirs = (one(picture).last_hidden_state for one in (loaded, module))
    assert (ours == theirs).all()


def test_weights_that_are_code_or_of_another_model_are_refused(tmp_path: Path) -> None:
    module, model = make("vit")
    torch.save({"patch_embed": print}, tmp_path / "code.pth")
    with pytest.raises(ModelError, match="cannot be read as dino-vits16: Weights only load failed"):
        load(model, tmp_path / "code.pth")
    torch.save(_original(module), tmp_path / "small.pth")
    with pytest.raises(
        ModelError, match=r"width, patch and blocks \(32, 16, 5\), but dino-vits16 has \(384, 16, 5\)"
    ):
        load(replace(model, dim=384), tmp_path / "small.pth")
    (tmp_path / "none.pth").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="cannot be read as dino-vits16"):
        load(model, tmp_path / "none.pth")
    torch.save({"layers.0.other": torch.zeros(1)}, tmp_path / "names.pth")
    with pytest.raises(ModelError, match="unknown names of weights"):
        load(model, tmp_path / "names.pth")
