"""Cosines estimated in bfloat16, which keeps 8 of the 24 significant bits of a number.

A processor that multiplies it does so at least twice as fast as in single precision, and what is estimated is computed
again exactly in any case (see `all_neighbours`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steamdino.index.pair_cosines import rounding

BLOCK = 1024
"""Rows that are worked on at a time."""


class BFloat16Product:
    """A `Product` by OpenVINO, which rounds both sides to bfloat16, and sums in single precision."""

    def __init__(self, dim: int, longest: float) -> None:
        """Compile the product.

        Args:
            dim: number of dimensions.
            longest: the result of `longest_rounding` for all rows.
        """
        import openvino
        from openvino import opset13

        # Of a = a' + e and b = b' + f: |ab - a'b'| <= |e| |b| + |a'| |f|, and |a'| <= 1 + |e|.
        self.error = longest * (2 + longest) + rounding(dim)
        sides = [opset13.parameter([-1, dim], np.float32) for _ in range(2)]
        product = opset13.matmul(*sides, False, True)
        settings = {"INFERENCE_PRECISION_HINT": "bf16", "PERFORMANCE_HINT": "LATENCY"}
        compiled = openvino.Core().compile_model(openvino.Model([product], sides), "CPU", settings)
        self._request: Any = compiled.create_infer_request()

    def __call__(self, queries: NDArray[np.float32], targets: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Product.__call__`."""
        sides = {0: np.ascontiguousarray(queries), 1: np.ascontiguousarray(targets)}
        scores: NDArray[np.float32] = self._request.infer(sides, share_inputs=True, share_outputs=True)[0]
        return scores


def multiplies_bfloat16() -> bool:
    """Whether the processor has instructions for it."""
    import openvino

    return "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def longest_rounding(vectors: NDArray[np.float32]) -> float:
    """Compute the length of the longest difference between a row and what bfloat16 keeps of it.

    Args:
        vectors: float32, shape (n, d). Rows that hold a number that is not finite do not count.
    """
    longest = np.float32(0)
    for block in blocks(vectors):
        lost = as_bfloat16(block) - block
        longest = np.fmax(longest, np.fmax.reduce(np.einsum("ij,ij->i", lost, lost)))
    return float(np.sqrt(longest)) * (1 + 2**-12)  # what is rounded in the sum of squares


def as_bfloat16(numbers: NDArray[np.float32]) -> NDArray[np.float32]:
    """Round to the nearest bfloat16, ties to even: float32 whose lower 16 bits are 0."""
    bits = np.ascontiguousarray(numbers).view(np.uint32)
    bits = bits + (np.uint32(0x7FFF) + ((bits >> 16) & np.uint32(1)))
    return (bits & np.uint32(0xFFFF0000)).view(np.float32)


def blocks(rows: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """Yield rows in their order, some at a time."""
    return (rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK))
