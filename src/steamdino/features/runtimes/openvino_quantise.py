"""Quantise a network to 8 bits after training, with NNCF: weights and activations of its products and convolutions.

Ranges of activations are calibrated on pictures. Sums on the residual path, norms, softmax and poolings stay in floats,
and so does what `accurate` finds to lose too much.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np

from steamdino.errors import MissingExtraError, ModelError
from steamdino.features.model_registry import Model
from steamdino.features.pooling import Floats
from steamdino.features.runtimes import openvino_graph
from steamdino.features.runtimes.openvino_loading import without_telemetry
from steamdino.features.transform import Pixels, normalise

FLOATS = {
    "vit": ("Add",),
    "clip": ("Add",),
    "conv": ("Power", "Divide", "ReduceMean", "ReduceL2", "AvgPool", "Concat", "Multiply", "Interpolate"),
}
"""Kinds of operations that are never quantised, by family: the residual path; the poolings inside the network."""

RANKED = 32
"""Pictures on which each operation's share in the loss is measured."""


def check_installed() -> None:
    """Raise an error if NNCF is missing.

    Raises:
        MissingExtraError: it is.
    """
    try:
        with without_telemetry():
            import nncf  # noqa: F401
    except ImportError:
        raise MissingExtraError("quantising a model", "quantize") from None


def quantise(path: Path, model: Model, pixels: Sequence[Pixels], *, smooth: bool = False) -> Any:
    """Quantise all operations that can be.

    Args:
        path: of the ONNX file; input (B, 3, H, W) float32.
        model: its record.
        pixels: to calibrate on, each as `features.transform.prepare` makes it.
        smooth: move outliers from the inputs of a transformer's products into their weights (Xiao et al.,
            "SmoothQuant", arXiv 2211.10438). It helps where few channels are much larger than the others.

    Returns:
        an `openvino.Model` with the outputs of the file, for any size that the file takes.

    Raises:
        ModelError: the file cannot be quantised.
    """
    with _nncf() as nncf, _reported(model):
        return nncf.quantize(
            _read(path),
            nncf.Dataset(_inputs(pixels, model)),
            subset_size=len(pixels),
            advanced_parameters=None if smooth else _without_smoothing(nncf),
            **_options(nncf, model),
        )


def accurate(
    path: Path,
    model: Model,
    pixels: Sequence[Pixels],
    *,
    expected: Floats,
    embed: Callable[[Floats], Floats],
    least: float,
) -> Any:
    """Quantise, then put those operations back into floats that lose most, until a cosine is reached.

    Args:
        path, model, pixels: as in `quantise`. The pictures also measure what is lost.
        expected: float32, shape (pictures, dim): their vectors in f32, rows of length 1.
        embed: from the network's own output for a picture, shape (1, ...), to its vector, shape (1, dim).
        least: the lowest cosine that is allowed.

    Returns:
        an `openvino.Model`; the best that was found if none reaches the cosine.

    Raises:
        ModelError: the file cannot be quantised.
    """
    output = "embedding" if model.family == "clip" else "tokens"

    def validate(compiled: Any, items: Iterable[Any]) -> tuple[float, list[float]]:
        port = openvino_graph.port(compiled, output)
        cosines = [float((embed(compiled(one)[port])[0] * vector).sum()) for one, vector in items]
        return min(cosines), cosines

    with _nncf() as nncf, _reported(model):
        items = list(zip(_inputs(pixels, model), expected, strict=True))
        pictures = nncf.Dataset(items, lambda item: item[0])
        settings = nncf.AdvancedAccuracyRestorerParameters(ranking_subset_size=min(RANKED, len(pixels)))
        return nncf.quantize_with_accuracy_control(
            _read(path),
            pictures,
            pictures,
            validate,
            max_drop=1 - least,
            subset_size=len(pixels),
            advanced_accuracy_restorer_parameters=settings,
            # Operations are put back with their original weights, but NNCF leaves what its smoothing divides their
            # inputs by, which gives wrong results: findings/nncf-smoothing-survives-restoring.sh.
            advanced_quantization_parameters=_without_smoothing(nncf),
            **_options(nncf, model),
        )


def save(network: Any, path: Path) -> None:
    """Write a network in OpenVINO's form: ``.xml``, and ``.bin`` beside it. The same network gives the same bytes.

    OpenVINO numbers the operations of a process, and names new ones by their numbers; so they are named anew.
    """
    with without_telemetry():
        import openvino as ov
    for number, node in enumerate(network.get_ordered_ops()):
        node.set_friendly_name(f"{node.get_type_name()}_{number}")
    ov.save_model(network, path, compress_to_fp16=False)


def quantised_operations(network: Any) -> int:
    """Count the products and convolutions of a network that take 8-bit numbers."""
    taking: set[str] = set()
    for node in network.get_ordered_ops():
        if node.get_type_name() == "FakeQuantize":
            takers = [target.get_node() for target in node.output(0).get_target_inputs()]
            for taker in takers:
                if taker.get_type_name() in PRODUCTS:
                    taking.add(taker.get_friendly_name())
                elif taker.get_type_name() == "Pad":  # zeros around 8-bit numbers
                    takers += [target.get_node() for target in taker.output(0).get_target_inputs()]
    return len(taking)


PRODUCTS = ("MatMul", "Convolution", "GroupConvolution")
"""The kinds of operations that are quantised."""


def _read(path: Path) -> Any:
    """Read a file and fuse what belongs to a convolution into it.

    NNCF quantises the graph as it is. If a convolution, its bias and its batch norm are three operations, as in a graph
    from `Core.read_model`, it puts 8 bits between them.
    """
    with without_telemetry():
        import openvino as ov

        return ov.convert_model(path)


def _inputs(pixels: Sequence[Pixels], model: Model) -> list[Floats]:
    return [np.ascontiguousarray(normalise(one[np.newaxis], model.transform)) for one in pixels]


def _options(nncf: Any, model: Model) -> dict[str, Any]:
    kind = None if model.family == "conv" else nncf.ModelType.TRANSFORMER
    return {
        "model_type": kind,
        # Symmetric ranges: products with a zero point take a fifth longer in a ViT.
        "preset": nncf.QuantizationPreset.PERFORMANCE,
        "target_device": nncf.TargetDevice.CPU,
        "ignored_scope": nncf.IgnoredScope(types=list(FLOATS[model.family]), validate=False),
    }


def _without_smoothing(nncf: Any) -> Any:
    alphas = nncf.AdvancedSmoothQuantParameters(convolution=-1, matmul=-1)
    return nncf.AdvancedQuantizationParameters(smooth_quant_alphas=alphas)


@contextmanager
def _nncf() -> Iterator[Any]:
    """NNCF without its usage reports, progress bars and log."""
    check_installed()
    import nncf

    nncf.set_log_level(logging.ERROR)
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        yield nncf


@contextmanager
def _reported(model: Model) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:  # OpenVINO's and NNCF's
        reason = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        raise ModelError(f"{model.name} cannot be quantised: {reason}") from None
