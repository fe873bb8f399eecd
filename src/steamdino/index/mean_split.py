"""Splits vectors along their mean, so that quantising them loses little where all point in nearly the same direction.

The error of a quantised dot product is proportional to the lengths of both vectors. Vectors whose cosines are all 0.99
have length 1 and differences of 0.1, so the error would hide the differences. Each vector is therefore split into its
part along the mean of all vectors, and the rest. The part varies little: its deviation, scaled up, becomes one more
coordinate of the vector, and scaled down one of the query. What is quantised is then as short as the differences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

SHARE = 4.0
"""How many times as long the rest of a vector is as the coordinate for its part along the mean, usually."""

_MULTIPLE = 8


@dataclass(frozen=True, slots=True)
class MeanSplit:
    """How vectors are split into their part along the mean of all, and the rest.

    Attributes:
        direction: float32, shape (d,): of the vectors' mean, of unit length; zeros if the mean is.
        centre: the length of the mean.
        scale: by which a query's part is multiplied, and a vector's divided.
        length: root mean square of the lengths of the vectors after the split.
    """

    direction: NDArray[np.float32]
    centre: float
    scale: float
    length: float

    @classmethod
    def of(cls, blocks: Callable[[], Iterable[NDArray[np.float32]]], dim: int) -> Self:
        """Choose the split for vectors.

        Args:
            blocks: yields them, some rows at a time: float32, shape (m, dim). Called twice.
            dim: their number of dimensions.

        Raises:
            ValueError: a vector holds a number that is not finite.
        """
        count, mean = 0, np.zeros(dim)
        for block in blocks():
            count += len(block)
            mean += block.sum(axis=0, dtype=np.float64)
        mean /= max(1, count)
        centre = float(np.linalg.norm(mean))
        if not np.isfinite(centre):
            raise ValueError("the vectors hold numbers that are not finite")
        direction = (mean / (centre or 1)).astype(np.float32)
        along = across = 0.0
        for block in blocks():
            parts = (block @ direction).astype(np.float64)
            along += float(np.square(parts - centre).sum()) / count
            across += float(np.square(block, dtype=np.float64).sum() - np.square(parts).sum()) / count
        across = max(across, 0.0)
        scale = SHARE * float(np.sqrt(along / across)) if along and across else 1.0
        return cls(direction, centre, scale, float(np.sqrt(across + along / scale**2)))

    def vectors(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Split vectors: float32, shape (m, d), into vectors with more coordinates."""
        along = rows @ self.direction
        return self._joined(rows, along, (along - np.float32(self.centre)) / np.float32(self.scale))

    def queries(self, rows: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Split queries; return them and what their dot products with split vectors lack."""
        along = rows @ self.direction
        return self._joined(rows, along, along * np.float32(self.scale)), along * np.float32(self.centre)

    def _joined(
        self, rows: NDArray[np.float32], along: NDArray[np.float32], more: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        count, dim = rows.shape
        joined = np.zeros((count, padded(dim)), np.float32)
        np.subtract(rows, along[:, None] * self.direction, out=joined[:, :dim])
        joined[:, dim] = more
        return joined


def padded(dim: int) -> int:
    """The number of coordinates after the split: one more, and a multiple of 8, as turbovec needs."""
    return (dim // _MULTIPLE + 1) * _MULTIPLE
