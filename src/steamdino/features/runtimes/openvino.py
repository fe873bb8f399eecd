"""The OpenVINO runtime: computes ONNX models on the CPU, in the precision that was asked for."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steamdino.errors import ModelError, UsageError
from steamdino.features.model_registry import Model
from steamdino.features.runtimes import openvino_graph
from steamdino.features.runtimes.openvino_cpu import computes_bf16, computes_int8
from steamdino.features.runtimes.openvino_loading import LOADING, compiled, set_up, without_telemetry
from steamdino.features.runtimes.openvino_roots import cancel_roots
from steamdino.features.runtimes.runtime import scaled_size
from steamdino.recipe import Transform


class OpenVinoModel:
    """A compiled model of one batch size and one input size.

    Shapes are static: OpenVINO plans such a graph better, and a picture's tokens then do not depend, to the last bit,
    on what else is in its batch. That is why a run that was killed and continued gives the bytes of one that was not.
    Files that were quantised dynamically take their scales from all values of a batch, so they get one picture a call.

    Threads may share it; `streams` of their calls run side by side.
    """

    def __init__(
        self,
        path: Path,
        model: Model,
        transform: Transform,
        *,
        outputs: Sequence[str] = ("tokens",),
        scale: float = 1.0,
        batch_size: int,
        precision: str,
        streams: int = 1,
        cores: int = 0,
        identity: str = "",
    ) -> None:
        """Read and compile an ONNX file, or load what an earlier process compiled from it.

        Args:
            path: the file; input (B, 3, H, W) float32.
            model: its record.
            transform: of the recipe; its normalisation becomes part of the graph.
            outputs: what to compute, by the names in `runtimes.openvino_graph`.
            scale: of the input, at most 1.
            batch_size: pictures at a time.
            precision: "f32" or "bf16". Unless told, OpenVINO uses bf16 without notice on CPUs that support it.
            streams: how many calls run side by side, each on its share of the cores.
            cores: how many cores all of them use, whichever are free; 0 for all that there are.
            identity: the sha256 of the file's weights, under which the compiled model is cached; empty not to cache it.

        Raises:
            UsageError: bf16 was asked for and this CPU does not support it, or the model is quantised to 8 bits and
                this CPU would compute other vectors with it.
            RecipeError: the file does not give such an output.
            ModelError: OpenVINO cannot read the file.
        """
        if precision == "bf16" and not computes_bf16():
            raise UsageError("this CPU does not compute in bf16; use --precision f32 or auto")
        if model.quantised and not computes_int8():
            raise UsageError(
                f"{model.name} is quantised to 8 bits, and this CPU has no exact 8-bit products (VNNI or AMX), so its"
                f" vectors would differ; use the model that it was made from: {model.quantised['model']}"
            )
        with LOADING:
            config = {"INFERENCE_PRECISION_HINT": precision, "NUM_STREAMS": str(streams)}
            if cores:
                # Processes that share a machine do not know of each other, and would bind their threads to the same
                # core.
                config |= {"INFERENCE_NUM_THREADS": str(cores), "ENABLE_CPU_PINNING": "NO"}
            made_from = (identity, repr((model, transform, tuple(outputs), scale, batch_size)))
            loaded = compiled(
                made_from if identity else None,
                config,
                lambda: _adapted(path, model, transform, outputs, scale, batch_size),
            )
            self._rows, self._shape = batch_size, tuple(loaded.input().shape)
            self._outputs = len(outputs)
            # A request serves one call at a time; each call takes one and puts it back.
            self._requests: SimpleQueue[Any] = SimpleQueue()
            for _ in range(streams):
                self._requests.put(loaded.create_infer_request())
            set_up(lambda: self(np.zeros((batch_size, *self._shape[1:]), np.uint8)))

    def __call__(self, pixels: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Compute the outputs of a batch.

        Args:
            pixels: uint8, shape (n, height, width, 3) with 1 <= n <= batch_size.

        Returns:
            each output in the order of its name, float32, shape (batch_size, ...). The rows beyond n belong to black
            pictures. They stay, so that later steps compute on the same shapes, to the same last bit, whatever n is.
        """
        if len(pixels) < self._rows:
            filled = np.zeros((self._rows, *self._shape[1:]), np.uint8)
            filled[: len(pixels)] = pixels
            pixels = filled
        request = self._requests.get()
        try:
            parts = []
            for start in range(0, self._rows, self._shape[0]):
                results = request.infer([pixels[start : start + self._shape[0]]])
                # The request's own buffers are overwritten by its next call.
                parts.append([results[n].astype(np.float32) for n in range(self._outputs)])
            return parts[0] if len(parts) == 1 else [np.concatenate(one) for one in zip(*parts, strict=True)]
        finally:
            self._requests.put(request)


class OpenVinoTextModel:
    """A text tower: one sentence's tokens in, one vector out. Threads may share it; it serves one call at a time."""

    def __init__(self, path: Path, *, model: str, context: int, dim: int, identity: str = "") -> None:
        """Read and compile an ONNX file, or load what an earlier process compiled from it.

        Args:
            path: the file; input (1, context) int64.
            model: the model's name, for error messages.
            context: tokens of a sentence.
            dim: of the vector.
            identity: the file's sha256, under which the compiled model is cached; empty not to cache it.

        Raises:
            ModelError: OpenVINO cannot read the file, or it gives no such vector.
        """
        self._running = threading.Lock()
        with LOADING:
            self._load(path, model, context, dim, identity)

    def _load(self, path: Path, model: str, context: int, dim: int, identity: str) -> None:
        def adapted() -> Any:
            with without_telemetry():
                import openvino as ov
            network = ov.Core().read_model(path)
            network.reshape({port: [1, context] for port in network.inputs})
            return network

        made_from = ("text", identity, str(context)) if identity else None
        try:
            self._compiled = compiled(made_from, {"INFERENCE_PRECISION_HINT": "f32"}, adapted)
        except RuntimeError as error:  # the only type that OpenVINO raises
            raise ModelError(f"{path} cannot be used: {str(error).strip().splitlines()[-1]}") from None
        fitting = [port for port in self._compiled.outputs if list(port.shape) == [1, dim]]
        if not fitting:
            raise ModelError(
                f"{path} gives no vector of {dim} numbers, so it is not the text tower of {model}"
            )
        named = [port for port in fitting if port.get_names() & {"text_embeds", "embedding"}]
        self._output = (named or fitting)[0]
        set_up(lambda: self(np.zeros((1, context), np.int64)))

    def __call__(self, tokens: NDArray[np.int64]) -> NDArray[np.float32]:
        """Compute the vector of a sentence.

        Args:
            tokens: int64, shape (1, context).

        Returns:
            float32, shape (1, dim); not normalised.
        """
        # If the file asks for an attention mask, all tokens are attended to: what comes after the end token is hidden
        # from it by the tower's own causal mask.
        given = {
            port: tokens if "input_ids" in port.get_names() else np.ones_like(tokens)
            for port in self._compiled.inputs
        }
        with self._running:  # a compiled model has one request, which refuses a second call while it runs
            vectors: NDArray[np.float32] = self._compiled(given)[self._output].astype(np.float32)
        return vectors


def _adapted(
    path: Path, model: Model, transform: Transform, outputs: Sequence[str], scale: float, batch_size: int
) -> Any:
    """Read a file as an `openvino.Model` that takes pixels and gives the outputs.

    It takes `batch_size` pictures, or one if their tokens would depend on each other.
    """
    with without_telemetry():
        import openvino as ov
        from openvino.preprocess import PrePostProcessor

    core = ov.Core()
    try:
        network = core.read_model(path)
        height, width = transform.height, transform.width
        if scale != 1.0:
            height, width = scaled_size(height, width, scale, model.stride)
        if model.family == "vit":
            openvino_graph.fit_positions(network, model, width, height, transform.positions)
        network.reshape([batch_size, 3, height, width])
        if batch_size > 1 and openvino_graph.mixes_pictures(network):
            batch_size = 1
            network.reshape([1, 3, height, width])
    except RuntimeError as error:  # the only type that OpenVINO raises
        reason = str(error).strip().splitlines()[-1]
        raise ModelError(
            f"{path} cannot be used for {model.name} at {transform.width}x{transform.height}: {reason}"
        ) from None
    network = openvino_graph.select(network, outputs, model)
    if scale != 1.0:
        openvino_graph.scale_input(network, transform.width, transform.height, scale, model.stride)
    steps = PrePostProcessor(network)
    steps.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC")).set_shape(
        [batch_size, transform.height, transform.width, 3]
    )
    steps.input().model().set_layout(ov.Layout("NCHW"))
    steps.input().preprocess().convert_element_type(ov.Type.f32).mean(
        [255 * value for value in transform.mean]
    ).scale([255 * value for value in transform.std])
    built = steps.build()
    cancel_roots(built)
    return built
