"""A vision transformer as a small ONNX file with made-up weights, which needs no PyTorch, as a model of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from steamdino.features.model_files import WEIGHTS, keep_own
from steamdino.features.model_registry import Model

DIM, STRIDE, SIDE, BLOCKS = 32, 16, 64, 1


def write(path: Path, *, outlier: float = 1.0) -> Path:
    """Write the file: input (B, 3, H, W), output (B, 1 + patches, DIM).

    Args:
        path: of the file.
        outlier: factor of one hidden channel. A large one leaves few of the 256 levels to the others, as the massive
            activations of large transformers do.
    """
    rng = np.random.default_rng(0)
    values: list[onnx.TensorProto] = []
    nodes: list[onnx.NodeProto] = []

    def value(name: str, array: Any) -> str:
        values.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def weights(name: str, *shape: int) -> str:
        scale = shape[0] ** -0.5
        return value(name, (rng.standard_normal(shape) * scale).astype(np.float32))

    def node(kind: str, *inputs: str, gives: str, **attributes: Any) -> str:
        nodes.append(helper.make_node(kind, list(inputs), [gives], **attributes))
        return gives

    def norm(x: str, name: str) -> str:
        scale, bias = (
            value(f"{name}.{part}", np.full(DIM, level, np.float32)) for part, level in (("w", 1), ("b", 0))
        )
        return node("LayerNormalization", x, scale, bias, gives=name, epsilon=1e-6)

    patches = value("patches.w", (rng.standard_normal((DIM, 3, STRIDE, STRIDE)) * 0.05).astype(np.float32))
    node("Conv", "pixel_values", patches, gives="map", strides=[STRIDE, STRIDE])
    node("Reshape", "map", value("flat", np.array([0, DIM, -1])), gives="rows")
    node("Transpose", "rows", gives="cells", perm=[0, 2, 1])
    node("ReduceMean", "cells", gives="average", axes=[1], keepdims=1)
    node("Concat", "average", "cells", gives="tokens", axis=1)
    x = node("Add", "tokens", weights("positions", 1, 1 + (SIDE // STRIDE) ** 2, DIM), gives="x")
    for block in range(BLOCKS):
        y = norm(x, f"{block}.norm1")
        query, key, content = (
            node("MatMul", y, weights(f"{block}.{part}.w", DIM, DIM), gives=f"{block}.{part}")
            for part in ("query", "key", "value")
        )
        turned = node("Transpose", key, gives=f"{block}.turned", perm=[0, 2, 1])
        scores = node("MatMul", query, turned, gives=f"{block}.scores")
        scaled = node("Mul", scores, value(f"{block}.scale", np.float32(DIM**-0.5)), gives=f"{block}.scaled")
        attention = node("Softmax", scaled, gives=f"{block}.attention", axis=-1)
        mixed = node("MatMul", attention, content, gives=f"{block}.mixed")
        out = node("MatMul", mixed, weights(f"{block}.out.w", DIM, DIM), gives=f"{block}.out")
        x = node("Add", x, out, gives=f"{block}.x1")
        hidden = node(
            "MatMul", norm(x, f"{block}.norm2"), weights(f"{block}.fc1.w", DIM, 2 * DIM), gives=f"{block}.fc1"
        )
        factors = np.ones(2 * DIM, np.float32)
        factors[0] = outlier
        hidden = node("Mul", hidden, value(f"{block}.factors", factors), gives=f"{block}.hidden")
        active = node("Relu", hidden, gives=f"{block}.active")
        x = node(
            "Add",
            x,
            node("MatMul", active, weights(f"{block}.fc2.w", 2 * DIM, DIM), gives=f"{block}.fc2"),
            gives=f"{block}.x2",
        )
    norm(x, "last_hidden_state")
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("pixel_values", TensorProto.FLOAT, ["b", 3, "h", "w"])],
        [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, ["b", "t", DIM])],
        values,
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def install(name: str, path: Path) -> Model:
    """Put a file that `write` made into the cache, as a model of one's own."""
    record = {
        "summary": "made up",
        "family": "vit",
        "licence": "MIT",
        "stride": STRIDE,
        "dim": DIM,
        "blocks": BLOCKS,
        "heads": 1,
        "width": SIDE,
        "height": SIDE,
    }
    return keep_own(name, record, {WEIGHTS: path}, origin={})
