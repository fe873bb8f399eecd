"""A whitening computed by OpenVINO, always in f32: it magnifies what a lower precision loses."""

from __future__ import annotations

from queue import SimpleQueue
from typing import Any

import numpy as np

from steamdino.features.pooling import Floats, unit
from steamdino.features.runtimes.openvino_loading import LOADING, set_up, without_telemetry
from steamdino.features.whitening import Whitening


class OpenVinoWhitening:
    """Whitens batches of one size. Threads may share it; `streams` of their calls run side by side.

    A product of NumPy takes 1.4 ms a vector where BLAS, whose idle threads would spin, must not be used.
    """

    def __init__(self, whitening: Whitening, *, rows: int, streams: int = 1, cores: int = 0) -> None:
        """Compile the product.

        Args:
            whitening: what to compute.
            rows: vectors at a time.
            streams, cores: as in `runtimes.openvino.OpenVinoModel`.
        """
        with LOADING, without_telemetry():
            import openvino as ov
            from openvino import opset13 as ops

            self._shape = (rows, len(whitening.mean))
            given = ops.parameter(self._shape, np.float32)
            centred = ops.subtract(given, ops.constant(whitening.mean[np.newaxis]))
            product = ops.matmul(centred, ops.constant(whitening.projection), False, False)
            config = {"INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": str(streams)}
            if cores:
                config |= {"INFERENCE_NUM_THREADS": str(cores), "ENABLE_CPU_PINNING": "NO"}
            compiled = ov.Core().compile_model(
                ov.Model([ops.result(product)], [given], "whitening"), "CPU", config
            )
            self._requests: SimpleQueue[Any] = SimpleQueue()
            for _ in range(streams):
                self._requests.put(compiled.create_infer_request())
            set_up(lambda: self(np.zeros(self._shape, np.float32)))

    def __call__(self, vectors: Floats) -> Floats:
        """Whiten unit rows: float32, (n, d) -> (n, e) with 1 <= n <= rows; rows of length 1."""
        filled = vectors
        if len(vectors) < self._shape[0]:
            filled = np.zeros(self._shape, np.float32)
            filled[: len(vectors)] = vectors
        request = self._requests.get()
        try:
            (product,) = request.infer([filled]).values()
            return unit(product[: len(vectors)])
        finally:
            self._requests.put(request)
