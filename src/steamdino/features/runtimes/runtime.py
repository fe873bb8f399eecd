"""What a runtime is: a model that was loaded for one size of picture, and computes its outputs."""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Runtime(Protocol):
    """Pixels in, named outputs out. The outputs are named when the model is loaded; `openvino_graph` lists the names.

    Threads may share it.
    """

    def __call__(self, pixels: NDArray[np.uint8], /) -> list[NDArray[np.float32]]:
        """Compute the outputs of a batch.

        Args:
            pixels: uint8, shape (n, height, width, 3), as `features.transform.prepare` makes them.

        Returns:
            each output in the order of its name, float32, shape (m, ...) with m >= n: the first n rows belong to the
            pictures, and further ones to no picture.
        """


def scaled_size(height: int, width: int, scale: float, stride: int) -> tuple[int, int]:
    """(height, width) of a scaled input, cropped to a multiple of the stride."""
    return tuple(math.floor(side * scale) // stride * stride for side in (height, width))  # type: ignore[return-value]
