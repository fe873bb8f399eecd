"""Matrix products that estimate cosines, each with a bound for its error, and which of them takes the least time."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from steamdino.index.bfloat16 import BFloat16Product, blocks, longest_rounding, multiplies_bfloat16
from steamdino.index.pair_cosines import rounding

WORTH = 10**9
"""Pairs of rows from which on OpenVINO is loaded: they take a second in single precision at 512 dimensions."""

SAMPLED_QUERIES, SAMPLED_TARGETS = 64, 1 << 16
"""Rows by which the number of candidates is predicted."""

CROWDED = 4.0
"""How many times as many candidates as are wanted cost as much as bfloat16 saves."""


class Product(Protocol):
    """Estimates the cosines of two sets of unit rows.

    Attributes:
        error: by how much an estimate differs at most from `pair_cosines`.
    """

    error: float

    def __call__(self, queries: NDArray[np.float32], targets: NDArray[np.float32]) -> NDArray[np.float32]:
        """Estimate cosines: float32, shape (m, d) and (n, d) to (m, n). The next call may overwrite the result."""
        ...


class SinglePrecisionProduct:
    """A `Product` by NumPy."""

    def __init__(self, dim: int) -> None:
        """Take the number of dimensions."""
        self.error = rounding(dim)
        self._buffer = np.empty(0, np.float32)

    def __call__(self, queries: NDArray[np.float32], targets: NDArray[np.float32]) -> NDArray[np.float32]:
        """See `Product.__call__`."""
        shape = len(queries), len(targets)
        if len(self._buffer) < shape[0] * shape[1]:
            self._buffer = np.empty(shape[0] * shape[1], np.float32)
        return np.matmul(queries, targets.T, out=self._buffer[: shape[0] * shape[1]].reshape(shape))


def fastest_product(
    vectors: NDArray[np.float32], rows: NDArray[np.intp], targets: int, wanted: int
) -> Product:
    """Choose the product with which a search is expected to take the least time.

    Args:
        vectors: float32, shape (n, d), unit rows.
        rows: intp, shape (m,): whose nearest rows are searched for.
        targets: number of rows that are compared with each.
        wanted: number of nearest rows of each.
    """
    single = SinglePrecisionProduct(vectors.shape[1])
    if len(rows) * targets <= WORTH or not multiplies_bfloat16():
        return single
    product = BFloat16Product(vectors.shape[1], longest_rounding(vectors))
    return single if is_crowded(vectors, rows, wanted / targets, product.error) else product


def is_crowded(vectors: NDArray[np.float32], rows: NDArray[np.intp], share: float, error: float) -> bool:
    """Whether estimates with so large an error leave too many candidates, by a sample of the rows.

    Args:
        vectors: float32, shape (n, d), unit rows.
        rows: intp, shape (m,): whose nearest rows are searched for.
        share: of the rows that are wanted, for each.
        error: of the estimates.
    """
    queries = vectors[rows[:: max(1, len(rows) // SAMPLED_QUERIES)][:SAMPLED_QUERIES]]
    sample = vectors[:: max(1, len(vectors) // SAMPLED_TARGETS)]
    scores = np.concatenate([queries @ block.T for block in blocks(sample)], axis=1)
    scores = np.nan_to_num(scores, copy=False, nan=-1)
    wanted = min(max(1, round(share * len(sample))), len(sample))
    edge = np.partition(scores, -wanted, axis=1)[:, -wanted, None]
    return bool((scores >= edge - 2 * error).sum() > CROWDED * wanted * len(scores))
