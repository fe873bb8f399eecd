"""Export a trained backbone to one ONNX file that the program uses like any other model.

Parameters keep their names, and batch norm is not folded, so that a later run can start from the file. Large parameters
are stored in half precision and cast in the graph, which halves the size with no effect on cosines.
"""

from __future__ import annotations

import json
import logging
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from steamdino.errors import MissingExtraError
from steamdino.features.model_files import WEIGHTS, keep_own, sha256
from steamdino.features.model_registry import Model
from steamdino.features.whitening import Whitening
from steamdino.storage.atomic import replacing
from steamdino.training.backbones import Backbone
from steamdino.training.training_settings import TrainSettings

OPSET = 18
SMALLEST = 256
"""Minimum number of elements of a tensor that is stored in half precision."""

WHITENING = "whiten.npz"
MANIFEST = "manifest.json"


@dataclass(frozen=True, slots=True)
class Exported:
    """The result of an export.

    Attributes:
        path: the ONNX file.
        sha256: of it.
        outputs: their names, as `features.runtimes.openvino_graph` has them.
        whitening: the file of the whitening; None without one.
    """

    path: Path
    sha256: str
    outputs: tuple[str, ...]
    whitening: Path | None = None


def write(
    backbone: Backbone, folder: Path, settings: TrainSettings, whitening: Whitening | None = None
) -> Exported:
    """Write ``model.onnx``, ``whiten.npz`` and their manifest.

    Args:
        backbone: on the CPU.
        folder: the folder to write into.
        settings: the settings of the run, for the manifest.
        whitening: a whitening of the backbone's own features, or None.

    Raises:
        MissingExtraError: an exporter is not installed.
        OSError: the folder cannot be written to.
    """
    try:
        import onnx
        import onnxscript  # noqa: F401
    except ImportError:
        raise MissingExtraError("exporting a trained model", "torch") from None
    names = (
        ("tokens",)
        if backbone.family == "conv"
        else ("tokens", "tokens_2", "tokens_3", "tokens_4", "attention")
    )
    graph = _half(_exported(backbone.eval(), names))
    with replacing(folder / WEIGHTS) as file:
        file.write(graph.SerializeToString())
    onnx.checker.check_model(str(folder / WEIGHTS))
    if whitening is not None:
        with replacing(folder / WHITENING) as file:
            file.write(whitening.to_bytes(half=True))
    made = [WEIGHTS, *([WHITENING] if whitening else [])]
    done = Exported(
        folder / WEIGHTS, sha256(folder / WEIGHTS), names, folder / WHITENING if whitening else None
    )
    manifest = {
        "format": 1,
        "arch": settings.arch,
        "outputs": list(names),
        "dim": backbone.dim,
        "stride": backbone.stride,
        "files": {
            name: {"bytes": (folder / name).stat().st_size, "sha256": sha256(folder / name)} for name in made
        },
        "settings": settings.record,
    }
    with replacing(folder / MANIFEST) as file:
        file.write(json.dumps(manifest, indent=2).encode() + b"\n")
    return done


def register(
    name: str,
    backbone: Backbone,
    exported: Exported,
    settings: TrainSettings,
    whitening: Whitening | None = None,
) -> Model:
    """Register the model on this machine under a name: ``build --recipe NAME``.

    Raises:
        RecipeError: the name is not allowed.
        ModelError: the cache cannot be written to.
    """
    height, width = settings.picture
    record: dict[str, Any] = {
        "summary": f"{settings.arch}, continued by DINO on a gallery's own banners",
        "family": backbone.family,
        "licence": "LicenseRef-own",
        "stride": backbone.stride,
        "dim": backbone.dim,
        "width": width,
        "height": height,
        "mode": "squash",
    }
    if backbone.family == "vit":
        record |= {"blocks": backbone.depth - 2, "heads": backbone.heads, "complex": "last4"}
    else:
        record |= {"pooling": "gem", "power": 3.0}
    made = {WEIGHTS: exported.path}
    if exported.whitening is not None and whitening is not None:
        record |= {"whitening": WHITENING, "whitened_dim": whitening.dim}
        made[WHITENING] = exported.whitening
    return keep_own(name, record, made, origin={"trained": settings.record})


def _exported(backbone: Backbone, names: tuple[str, ...]) -> Any:
    from torch.export import Dim

    class Tokens(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = backbone

        def forward(self, pixel_values: torch.Tensor) -> tuple[torch.Tensor, ...]:
            return self.inner.tokens(pixel_values)

    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the exporter warns about itself
            program = torch.onnx.export(
                Tokens().eval(),
                # Neither square nor the size in use: otherwise the exporter fixes these sizes.
                (torch.zeros(2, 3, 8 * backbone.stride, 6 * backbone.stride),),
                input_names=["pixel_values"],
                output_names=list(names),
                opset_version=OPSET,
                dynamo=True,
                dynamic_shapes=({0: Dim.DYNAMIC, 2: Dim.DYNAMIC, 3: Dim.DYNAMIC},),
                optimize=False,  # optimisation would fold batch norm and lose the parameters' names
                verbose=False,
            )
    finally:
        logging.disable(before)
    return program.model_proto


def _half(graph: Any) -> Any:
    """Store large parameters in half precision under their names, and cast them where they are used."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for tensor in graph.graph.initializer:
        tensor.name = tensor.name.removeprefix("inner.")
    for node in graph.graph.node:
        for n, name in enumerate(node.input):
            node.input[n] = name.removeprefix("inner.")
    for tensor in graph.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or int(np.prod(tensor.dims)) < SMALLEST:
            continue
        name, values = tensor.name, numpy_helper.to_array(tensor).astype(np.float16)
        tensor.CopyFrom(numpy_helper.from_array(values, name))
        casts.append(helper.make_node("Cast", [name], [f"{name}.f32"], to=TensorProto.FLOAT))
        for node in graph.graph.node:
            for n, used in enumerate(node.input):
                if used == name:
                    node.input[n] = f"{name}.f32"
    nodes = [*casts, *graph.graph.node]
    del graph.graph.node[:]
    graph.graph.node.extend(nodes)
    del graph.graph.value_info[:]  # it refers to the names before the change
    for node in graph.graph.node:  # the metadata holds source locations
        del node.metadata_props[:]
        node.ClearField("doc_string")
    return graph
