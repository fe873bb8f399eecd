"""Exported PyTorch weights of every form, compared with transformers; every strategy, compared with its formula."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache as cache_calls
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch", reason="the oracle is PyTorch's")

import torch
from safetensors.torch import save_file

from fakes import original
from fakes.transformer import imported, known_as, make
from steamdino import Snapshot, add, build
from steamdino.errors import ModelError, UsageError
from steamdino.features import model_files, recipe_parser
from steamdino.features.attention import attention
from steamdino.features.checkpoints import load
from steamdino.features.encoder import Encoder
from steamdino.features.model_registry import Model, models
from steamdino.features.onnx_export import OUTPUTS, outputs_of
from steamdino.features.recipe_parser import named, parse
from steamdino.features.runtimes import openvino_quantise
from steamdino.features.runtimes.openvino import OpenVinoModel
from steamdino.features.runtimes.runtime import Runtime
from steamdino.features.runtimes.torch import TorchModel
from steamdino.features.transform import normalise, prepare
from steamdino.recipe import PILLOW

Made = tuple[Any, Model, model_files.ModelFiles]
IMAGE = Image.fromarray(np.random.default_rng(5).integers(0, 256, (450, 300, 3), dtype=np.uint8))


@pytest.fixture(scope="module")
def export_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Made]:
    """Return what imports a tiny model of a kind, once per kind.

    (A parametrised fixture would be made anew each time that the random order of the tests comes back to it.)
    """

    return cache_calls(partial(imported, factory=tmp_path_factory))


def _first_quick(*kinds: str) -> list[Any]:
    """Kinds of models as parameters; importing one of them takes long, so the tests of all but the first are slow."""
    return [kinds[0], *(pytest.param(kind, marks=pytest.mark.slow) for kind in kinds[1:])]


@pytest.fixture(params=_first_quick("vit", "dinov2", "registers", "dinov3", "resnet"))
def exported(
    request: pytest.FixtureRequest, export_once: Callable[[str], Made], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Made]:
    """Return a tiny model that is registered and in the cache."""
    made = export_once(request.param)
    monkeypatch.setenv("STEAMDINO_CACHE", str(made[2].folder.parents[2]))
    with known_as(made[1]):
        yield made


def _expected(module: Any, model: Model, pictures: torch.Tensor) -> list[np.ndarray]:
    """Compute all outputs as the authors' code does; those of other models as transformers does."""
    with torch.no_grad():
        if model.positions is None:
            return [one.numpy() for one in outputs_of(model, module)(pictures)]
        blocks, attention = original.blocks(original.names(module), pictures, model.heads, model.positions)
        return [*(one.numpy() for one in reversed(blocks[-4:])), attention.numpy()]


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("device", ["openvino", "cpu", *(["cuda"] if torch.cuda.is_available() else [])])
@pytest.mark.parametrize("size", [(224, 336), (320, 320), (448, 448), (112, 144), "trained"], ids=str)
def test_the_outputs_are_those_of_the_authors_code_at_every_size(
    exported: Made, size: tuple[int, int] | str, device: str
) -> None:
    module, model, files = exported
    size = (model.grid * model.stride,) * 2 if size == "trained" else size
    width, height = (side // model.stride * model.stride or model.stride for side in size)
    transform = parse(f"{model.name}/{width}x{height}").transform
    names = OUTPUTS[model.family]
    pixels = np.random.default_rng(0).integers(0, 256, (1, height, width, 3), dtype=np.uint8)
    if device == "openvino":
        path = files.path("model.onnx")
        run: Runtime = OpenVinoModel(path, model, transform, outputs=names, batch_size=1, precision="f32")
    else:
        checkpoint = files.folder / "checkpoint"
        run = TorchModel(checkpoint, model, transform, outputs=names, scale=1, device=device, precision="f32")
    expected = _expected(module, model, torch.from_numpy(normalise(pixels, transform)))
    for name, ours, theirs in zip(names, run(pixels), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4, err_msg=name)


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize(("kind", "apart"), [("vit", 1e-3), ("dinov2", 1e-3)])
def test_an_earlier_recipe_resamples_in_pytorch_as_transformers_does(
    kind: str, apart: float, export_once: Callable[[str], Made]
) -> None:
    module, model, files = export_once(kind)
    earlier = replace(parse(f"{model.name}/224x336").transform, positions=None)
    pixels = np.random.default_rng(0).integers(0, 256, (1, 336, 224, 3), dtype=np.uint8)
    run = TorchModel(
        files.folder / "checkpoint",
        model,
        earlier,
        outputs=("tokens",),
        scale=1,
        device="cpu",
        precision="f32",
    )
    pictures = torch.from_numpy(normalise(pixels, earlier))
    with torch.no_grad():
        expected = outputs_of(model, module)(pictures)[0].numpy()
    (tokens,) = run(pixels)
    np.testing.assert_allclose(tokens, expected, atol=1e-5)
    assert abs(tokens - _expected(module, model, pictures)[0]).max() > apart


def _strategy(module: Any, model: Model, kind: str, pixels: np.ndarray) -> np.ndarray:
    """Compute each strategy from the hidden states, by the formulas of DINO's evaluations."""

    def states(given: torch.Tensor) -> list[torch.Tensor]:
        return [torch.from_numpy(one) for one in reversed(_expected(module, model, given)[:4])]

    picture = torch.from_numpy(normalise(pixels[np.newaxis], model.transform))
    with torch.no_grad():
        hidden = states(picture)
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
                scaled.append(states(smaller[:, :, :height, :width])[-1][:, 0])
            vector = torch.stack(scaled).mean(0)
    return (vector / vector.norm())[0].numpy()


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("kind", ["simple", "complex", "gem", "multiscale", "patches"])
@pytest.mark.parametrize("exported", _first_quick("vit", "dinov2", "registers", "dinov3"), indirect=True)
def test_every_strategy_follows_its_formula(exported: Made, kind: str) -> None:
    module, model, _ = exported
    recipe = named(f"{model.name}/{kind}/squash/{16 * model.stride}x{22 * model.stride}")
    pixels = prepare(IMAGE, recipe.transform)
    (vector,) = Encoder(recipe, batch_size=2)([pixels])
    assert vector.shape == (recipe.dim,)
    np.testing.assert_allclose(vector, _strategy(module, model, kind, pixels), atol=1e-4)


@pytest.mark.quick_cases(1)
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
        # Both scale the picture themselves, and their roundings differ by up to 7e-5 before the first block.
        tolerance = 1e-4 if scale == 1.0 else 5e-4
        for left, right in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(left, right, atol=tolerance)


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_gallery_of_an_earlier_version_keeps_its_recipe_until_it_is_upgraded(
    export_once: Callable[[str], Made], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, model, files = export_once("vit")
    monkeypatch.setenv("STEAMDINO_CACHE", str(files.folder.parents[2]))
    (tmp_path / "covers").mkdir()
    IMAGE.save(tmp_path / "covers" / "a.png")
    text = f"{model.name}/squash/224x336"
    with known_as(model):
        add(tmp_path / "g", tmp_path / "covers")
        with monkeypatch.context() as earlier:
            earlier.setattr(recipe_parser, "_positions", lambda _: None)
            earlier.setattr(
                recipe_parser,
                "model",
                lambda _: replace(model, transform=replace(model.transform, passes=PILLOW)),
            )
            old = build(tmp_path / "g", text)
        assert {"positions", "passes"}.isdisjoint(json.loads(old.recipe.json)["transform"])

        IMAGE.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(tmp_path / "covers" / "b.png")
        add(tmp_path / "g", tmp_path / "covers")
        again = build(tmp_path / "g", text)
        assert (again.recipe, again.encoded, again.outdated) == (old.recipe, 1, ("passes", "positions"))
        before = Snapshot.open(tmp_path / "g")
        assert before.similar(tmp_path / "covers" / "b.png", 1)[0].similarity > 0.999999

        upgraded = build(tmp_path / "g", text, upgrade=True)
        assert (upgraded.recipe.transform.positions, upgraded.encoded, upgraded.outdated) == ("offset", 2, ())
        assert Snapshot.open(tmp_path / "g").recipe.hash != before.recipe.hash


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has one")
def test_a_missing_device_is_refused(exported: Made) -> None:
    with pytest.raises(UsageError, match="PyTorch sees no cuda device on this machine; use --device cpu"):
        Encoder(named(exported[1].name), device="cuda")
    with pytest.raises(UsageError, match="device is 'tpu'"):
        Encoder(named(exported[1].name), device="tpu")


@pytest.mark.parametrize("exported", _first_quick("vit", "registers", "dinov3"), indirect=True)
def test_attention_maps_have_the_shape_of_the_patches(exported: Made) -> None:
    _, model, _ = exported
    recipe = named(f"{model.name}/squash/{16 * model.stride}x{22 * model.stride}")
    maps = attention(recipe, prepare(IMAGE, recipe.transform))
    assert maps.shape == (model.heads, 22, 16)
    assert (maps >= 0).all()
    assert (maps.sum(axis=(1, 2)) <= 1 + 1e-5).all()


@pytest.mark.parametrize("kind", ["vit", "dinov2", "registers", "giant"])
@pytest.mark.parametrize("form", ["pth", "training", "chunks", "safetensors", "transformers"])
def test_the_authors_files_are_read_in_every_form(kind: str, form: str, tmp_path: Path) -> None:
    module, model = make(kind)
    state = original.names(module)
    file = tmp_path / "weights.pth"
    if form == "pth":
        torch.save(state, file)
    elif form == "training":
        teacher = {f"module.backbone.{key}": value for key, value in state.items()}
        teacher["module.head.mlp.0.weight"] = torch.zeros(3)
        student = {key: torch.zeros_like(value) for key, value in teacher.items()}
        torch.save({"student": student, "teacher": teacher, "epoch": 7}, file)
    elif form == "chunks":  # a training checkpoint of DINOv2
        chunked = {re.sub(r"^blocks\.(\d+)", r"blocks.1.\1", key): value for key, value in state.items()}
        teacher = {f"backbone.{key}": value for key, value in chunked.items()}
        teacher |= {f"{head}_head.mlp.0.weight": torch.zeros(3) for head in ("dino", "ibot")}
        torch.save({"teacher": teacher}, file)
    elif form == "safetensors":
        file = tmp_path / "weights.safetensors"
        save_file({key: value.contiguous() for key, value in state.items()}, file)
    elif kind == "giant":
        return  # a file does not say that its blocks are SwiGLU; the folder's config.json does
    else:
        file = tmp_path / "model.safetensors"
        save_file(dict(module.state_dict()), file)
    loaded = load(model, file)
    picture = torch.randn(1, 3, 224, 224)
    with torch.no_grad():
        ours, theirs = (one(picture).last_hidden_state for one in (loaded, module))
        blocks, _ = original.blocks(state, picture, model.heads, model.positions or "")
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), atol=1e-5)
    if kind in ("vit", "registers"):  # which transformers resamples as the authors do, at this size
        np.testing.assert_allclose(ours.numpy(), blocks[-1].numpy(), atol=1e-4)


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


def test_weights_that_are_code_or_damaged_are_refused(tmp_path: Path) -> None:
    _, model = make("vit")
    torch.save({"patch_embed": print}, tmp_path / "code.pth")
    with pytest.raises(ModelError, match="cannot be read as dino-vits16: Weights only load failed"):
        load(model, tmp_path / "code.pth")
    (tmp_path / "none.pth").write_bytes(b"nothing")
    with pytest.raises(ModelError, match="cannot be read as dino-vits16"):
        load(model, tmp_path / "none.pth")
    torch.save([torch.zeros(1)], tmp_path / "list.pth")
    with pytest.raises(ModelError, match=r"list\.pth holds a list, not weights by their names"):
        load(model, tmp_path / "list.pth")


def _shaped(kind: str, name: str) -> dict[str, torch.Tensor]:
    """Return the weights of a tiny model, with the shapes that tell an official one."""
    state, official = original.names(make(kind)[0]), models()[name]
    state["patch_embed.proj.weight"] = torch.zeros(official.dim, 3, official.stride, official.stride)
    state[f"blocks.{official.blocks - 1}.norm1.weight"] = torch.zeros(official.dim)
    return state


@pytest.mark.parametrize(
    ("kind", "holds", "wanted"),
    [
        ("dinov2", "dinov2-base", "dinov2-small"),
        ("dinov2", "dinov2-small", "dinov2-small-registers"),
        ("registers", "dinov2-small-registers", "dinov2-small"),
        ("dinov2", "dinov2-small", "dino-vits16"),
        ("vit", "dino-vitb8", "dino-vitb16"),
        ("vit", "dino-vits16", "dino-resnet50"),
    ],
)
def test_the_weights_of_another_model_are_refused_with_its_name(
    kind: str, holds: str, wanted: str, tmp_path: Path
) -> None:
    torch.save(_shaped(kind, holds), tmp_path / "other.pth")
    with pytest.raises(
        ModelError, match=rf"holds a DINO.*, but {wanted} is a .*; it fits .*{holds}"
    ) as error:
        load(models()[wanted], tmp_path / "other.pth")
    assert "\n" not in str(error.value)


def test_weights_that_are_unknown_or_incomplete_are_refused_by_their_names(tmp_path: Path) -> None:
    module, model = make("vit")
    file = tmp_path / "some.pth"
    torch.save({"layers.0.other": torch.zeros(1)}, file)
    expected = r"expected those of dino-vits16, such as cls_token, pos_embed, .*; found layers\.0\.other$"
    with pytest.raises(ModelError, match=expected):
        load(model, file)
    state = original.names(module)
    torch.save(state, file)
    with pytest.raises(ModelError, match=r"holds a DINO of width 32, .*; it fits no known model"):
        load(replace(model, dim=48), file)
    torch.save({**state, "blocks.1.gate": torch.zeros(1)}, file)
    with pytest.raises(ModelError, match=r"0 are missing \(none\), and 1 are unknown \(blocks\.1\.gate\)"):
        load(model, file)
    torch.save({key: value for key, value in state.items() if key != "norm.bias"}, file)
    with pytest.raises(ModelError, match=r"1 are missing \(layernorm\.bias\)"):
        load(model, file)
    torch.save({**state, "norm.bias": torch.zeros(3)}, file)
    with pytest.raises(ModelError, match=r"another shape of layernorm\.bias: expected \(32,\), found \(3,\)"):
        load(model, file)


@pytest.mark.parametrize("name", ["dinov3-vits16", "clip-vitb32"])
def test_a_file_of_a_model_that_comes_as_a_folder_is_refused(name: str, tmp_path: Path) -> None:
    torch.save({"rope_embed.periods": torch.zeros(16)}, tmp_path / "one.pth")
    with pytest.raises(ModelError, match=f"{name} is not read from a file .*; give a folder"):
        load(models()[name], tmp_path / "one.pth")


def test_a_folder_of_another_model_is_refused_with_what_it_holds(tmp_path: Path) -> None:
    module, _ = make("dinov2")
    module.save_pretrained(tmp_path / "weights")
    with pytest.raises(
        ModelError, match="holds a DINOv2 of width 32, .*, but dinov2-small is a DINOv2 of width 384"
    ):
        load(models()["dinov2-small"], tmp_path / "weights")
