"""OpenVINO on the CPU: reads ONNX, computes in the precision that was asked for, and says which that was."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steamdino.errors import ModelError, UsageError
from steamdino.features.model_registry import Model
from steamdino.features.runtimes import onnx_graph
from steamdino.recipe import Transform

LOADING = threading.RLock()
"""Held while a model is loaded and runs for the first time. OpenVINO's bindings set up their use of NumPy at the first
call, and two threads that are first at the same time wait for each other for ever: one holds Python's lock, the other
what it guards."""


class OpenVinoModel:
    """A compiled model of one batch size and one input size.

    Shapes are static: OpenVINO plans such a graph better, and a picture's tokens then do not depend, to the
    last bit, on what else is in its batch. That is what makes a run that was killed and went on equal to an
    undisturbed one.

    Several threads may call it at the same time.
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
    ) -> None:
        """Reads and compiles an ONNX file.

        Args:
            path: the file; input (B, 3, H, W) float32.
            model: its record.
            transform: of the recipe; its normalisation becomes part of the graph.
            outputs: what to compute, by the names of `runtimes.graph`.
            scale: of the picture that the model sees, at most 1.
            batch_size: pictures at a time.
            precision: "f32" or "bf16". Left to itself OpenVINO takes bf16 in silence where the CPU has it.
            streams: how many calls run side by side, each on its share of the cores.

        Raises:
            UsageError: bf16 was asked for and this CPU does not compute in it.
            RecipeError: the file does not give such an output.
            ModelError: the file is no model that OpenVINO reads.
        """
        with LOADING:
            self._load(path, model, transform, outputs, scale, batch_size, precision, streams)

    def _load(
        self,
        path: Path,
        model: Model,
        transform: Transform,
        outputs: Sequence[str],
        scale: float,
        batch_size: int,
        precision: str,
        streams: int,
    ) -> None:
        with without_telemetry():
            import openvino as ov
            from openvino.preprocess import PrePostProcessor

        if precision == "bf16" and not computes_bf16():
            raise UsageError("this CPU does not compute in bf16; use --precision f32 or auto")
        core = ov.Core()
        self._shape = (batch_size, transform.height, transform.width, 3)
        try:
            network = core.read_model(path)
            height, width = transform.height, transform.width
            if scale != 1.0:
                height, width = onnx_graph.scaled_size(height, width, scale, model.stride)
            if model.family == "vit":
                onnx_graph.fit_positions(network, model, width, height)
            network.reshape([batch_size, 3, height, width])
        except RuntimeError as error:  # OpenVINO's one kind of error
            reason = str(error).strip().splitlines()[-1]
            raise ModelError(
                f"{path} cannot be used for {model.name} at {transform.width}x{transform.height}: {reason}"
            ) from None
        network = onnx_graph.select(network, outputs, model)
        if scale != 1.0:
            onnx_graph.scale_input(network, transform.width, transform.height, scale, model.stride)
        steps = PrePostProcessor(network)
        steps.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC")).set_shape(
            self._shape
        )
        steps.input().model().set_layout(ov.Layout("NCHW"))
        steps.input().preprocess().convert_element_type(ov.Type.f32).mean(
            [255 * value for value in transform.mean]
        ).scale([255 * value for value in transform.std])
        config = {"INFERENCE_PRECISION_HINT": precision, "NUM_STREAMS": str(streams)}
        compiled = core.compile_model(steps.build(), "CPU", config)
        self._outputs = len(outputs)
        # A request serves one call at a time; whoever calls takes one and puts it back.
        self._requests: SimpleQueue[Any] = SimpleQueue()
        for _ in range(streams):
            request = compiled.create_infer_request()
            request.infer([np.zeros(self._shape, np.uint8)])
            self._requests.put(request)

    def __call__(self, pixels: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """Computes the outputs of a batch.

        Args:
            pixels: uint8, shape (n, height, width, 3) with 1 <= n <= batch_size.

        Returns:
            each output in turn, float32, shape (batch_size, ...): the rows beyond n are those of black pictures. They
            stay, so that what follows computes on the same shapes, and to the same last bit, whatever n is.
        """
        if len(pixels) < self._shape[0]:
            filled = np.zeros(self._shape, np.uint8)
            filled[: len(pixels)] = pixels
            pixels = filled
        request = self._requests.get()
        try:
            results = request.infer([pixels])
            # The request's own buffers are overwritten by its next call.
            return [results[n].astype(np.float32) for n in range(self._outputs)]
        finally:
            self._requests.put(request)


def computes_bf16() -> bool:
    """Whether this CPU has instructions for bf16, which make it about twice as fast as f32."""
    with without_telemetry():
        import openvino as ov
    return "BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


@contextmanager
def without_telemetry() -> Iterator[None]:
    """Keeps OpenVINO's usage reports off: what is not imported cannot report.

    OpenVINO's tools import `openvino_telemetry` if they can and do without it if they cannot. None in `sys.modules` is
    Python's documented way to make an import fail. One thread at a time, since all of them share `sys.modules`.
    """
    absent = object()
    with LOADING:
        before = sys.modules.get("openvino_telemetry", absent)
        sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
        try:
            yield
        finally:
            if before is absent:
                del sys.modules["openvino_telemetry"]
            else:
                sys.modules["openvino_telemetry"] = before  # type: ignore[assignment]
