"""Outputs of a ready-made file's graph, compared with the hidden states of transformers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="the oracle is PyTorch's")

import onnxruntime
import torch
from onnxruntime.quantization import quantize_dynamic

from fakes import original
from fakes.transformer import make, torchscript
from steamdino.errors import ModelError, RecipeError
from steamdino.features.model_registry import Model
from steamdino.features.runtimes.openvino import OpenVinoModel
from steamdino.features.runtimes.openvino_graph import mixes_pictures
from steamdino.features.transform import normalise

OUTPUTS = ("tokens_4", "tokens_3", "tokens_2", "tokens", "attention")
Made = tuple[Any, Model, Path]


@pytest.fixture(scope="module")
def trace_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, int], Made]:
    """Export a tiny model of a kind, once per opset, whatever the order of the tests."""

    @cache
    def trace_once(kind: str, opset: int) -> Made:
        module, model = make(kind)
        path = tmp_path_factory.mktemp("graph") / "model.onnx"
        torchscript(module, path, opset)
        return module, model, path

    return trace_once


@pytest.fixture(params=[("vit", 11), ("vit", 17), ("dinov2", 14)], ids=str)
def made(request: pytest.FixtureRequest, trace_once: Callable[[str, int], Made]) -> Made:
    return trace_once(*request.param)


def _pixels(width: int, height: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (2, height, width, 3), dtype=np.uint8)


def _expected(module: Any, model: Model, pixels: np.ndarray) -> list[np.ndarray]:
    options = {"interpolate_pos_encoding": True} if type(module).__name__ == "ViTModel" else {}
    with torch.no_grad():
        given = module(
            pixel_values=torch.from_numpy(normalise(pixels, model.transform)),
            output_hidden_states=True,
            output_attentions=True,
            **options,
        )
        blocks = [module.layernorm(given.hidden_states[-n]).numpy() for n in (4, 3, 2, 1)]
    return [*blocks, given.attentions[-1][:, :, 0].numpy()]


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("cells", [(16, 16), (14, 21), (20, 20), (7, 9)])
def test_earlier_blocks_attention_and_other_sizes_are_those_of_transformers(
    made: Made, cells: tuple[int, int]
) -> None:
    module, model, path = made
    width, height = (model.stride * side for side in cells)
    transform = replace(model.transform, width=width, height=height)
    run = OpenVinoModel(path, model, transform, outputs=OUTPUTS, batch_size=2, precision="f32")
    pixels = _pixels(width, height)
    for name, got, expected in zip(OUTPUTS, run(pixels), _expected(module, model, pixels), strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-4, err_msg=name)
        assert expected.std() > 1e-4


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize(
    ("width", "height"), [(224, 336), (320, 320), (448, 448), (112, 144), (224, 224), (518, 518)]
)
def test_a_file_of_the_hub_is_resampled_as_in_the_authors_code(made: Made, width: int, height: int) -> None:
    module, model, path = made
    width, height = (side // model.stride * model.stride for side in (width, height))
    transform = replace(model.transform, width=width, height=height, positions="offset")
    run = OpenVinoModel(path, model, transform, outputs=OUTPUTS, batch_size=2, precision="f32")
    pixels = _pixels(width, height)
    pictures = torch.from_numpy(normalise(pixels, transform))
    with torch.no_grad():
        blocks, attention = original.blocks(original.names(module), pictures, model.heads, "offset")
    for name, got, expected in zip(OUTPUTS, run(pixels), [*blocks[-4:], attention], strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-4, err_msg=name)


@pytest.mark.quick_cases(1)
def test_a_file_quantised_to_8_bits_yields_the_same_outputs_roughly(made: Made, tmp_path: Path) -> None:
    module, model, path = made
    quantize_dynamic(path, tmp_path / "int8.onnx")
    run = OpenVinoModel(
        tmp_path / "int8.onnx", model, model.transform, outputs=OUTPUTS, batch_size=2, precision="f32"
    )
    pixels = _pixels(224, 224)
    for got, expected in zip(run(pixels), _expected(module, model, pixels), strict=True):
        cosine = (got * expected).sum() / np.linalg.norm(got) / np.linalg.norm(expected)
        assert cosine > 0.99


@pytest.mark.slow
def test_outputs_of_a_dynamically_quantised_file_do_not_depend_on_the_batch(
    trace_once: Callable[[str, int], Made], tmp_path: Path
) -> None:
    _, model, path = trace_once("vit", 17)
    file = tmp_path / "int8.onnx"
    quantize_dynamic(path, file)
    pixels = np.random.default_rng(0).integers(0, 256, (3, 224, 224, 3), dtype=np.uint8)
    pixels[1] //= 8
    session = onnxruntime.InferenceSession(file)
    together, alone = (
        session.run(None, {"pixel_values": normalise(one, model.transform)})[0][:1]
        for one in (pixels, pixels[:1])
    )
    assert abs(together - alone).max() > 1e-4  # by its definition, the file mixes the pictures
    many, one = (
        OpenVinoModel(file, model, model.transform, outputs=OUTPUTS, batch_size=size, precision="f32")
        for size in (4, 1)
    )
    for number, picture in enumerate(pixels):
        for ours, theirs in zip(many(pixels), one(picture[np.newaxis]), strict=True):
            assert ours.shape[0] == 4
            assert (ours[number] == theirs[0]).all()


def test_a_file_that_is_not_quantised_gets_whole_batches(trace_once: Callable[[str, int], Made]) -> None:
    import openvino as ov

    _, _, path = trace_once("vit", 17)
    network = ov.Core().read_model(path)
    network.reshape([2, 3, 224, 224])
    assert not mixes_pictures(network)


def test_an_output_that_the_graph_lacks_is_refused_by_name(tmp_path: Path) -> None:
    import onnx
    from onnx import TensorProto, helper

    graph = helper.make_graph(
        [
            helper.make_node("GlobalAveragePool", ["pixel_values"], ["pooled"]),
            helper.make_node("Flatten", ["pooled"], ["flat"]),
            helper.make_node("Unsqueeze", ["flat"], ["last_hidden_state"], axes=[1]),
        ],
        "none",
        [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["b", 3, "h", "w"])],
        [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["b", 1, 3])],
    )
    path = tmp_path / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8), path)
    _, model = make("vit")
    for name in ("tokens_2", "attention"):
        with pytest.raises(RecipeError, match=f"dino-vits16 does not give '{name}'"):
            OpenVinoModel(path, model, model.transform, outputs=(name,), batch_size=1, precision="f32")


def test_a_size_that_a_file_does_not_support_is_reported(tmp_path: Path) -> None:
    module, model = make("vit")
    path = tmp_path / "model.onnx"
    torchscript(module, path, 14)
    odd = replace(model, dim=48)  # so that its position embedding is not recognised
    transform = replace(model.transform, width=320)
    with pytest.raises(ModelError, match="cannot be used for dino-vits16 at 320x224"):
        OpenVinoModel(path, odd, transform, batch_size=1, precision="f32")
