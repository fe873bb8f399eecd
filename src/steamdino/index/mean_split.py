"""Turns vectors so that quantising them loses little, even where all point in nearly the same direction.

The error of a quantised dot product is proportional to the lengths of both vectors. Vectors whose cosines are all 0.99
have length 1 and differences of 0.1, so the error would hide the differences. Therefore all vectors are reflected such
that their mean lies along the first coordinate, which keeps every dot product. That coordinate then varies little: its
deviation from the mean is scaled up, and that of the query scaled down. What is quantised is as short as the
differences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

SHARE = 4.0
"""How many times as long the rest of a vector is as its first coordinate, usually."""

MULTIPLE = 64
"""Coordinates are filled up to a multiple of this with zeros: turbovec mixes blocks of a power of two of them."""


@dataclass(frozen=True, slots=True)
class MeanSplit:
    """How vectors are turned, and their first coordinate scaled.

    Attributes:
        mirror: float32, shape (d,): normal of the plane of reflection, of unit length; zeros if there is none.
        centre: first coordinate of the reflected mean.
        scale: by which a query's first coordinate is multiplied, and a vector's divided.
        length: root mean square of the lengths of the vectors after that.
    """

    mirror: NDArray[np.float32]
    centre: float
    scale: float
    length: float

    @classmethod
    def of(cls, blocks: Callable[[], Iterable[NDArray[np.float32]]], dim: int) -> Self:
        """Choose for vectors.

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
        mirror = mean / (centre or 1)
        mirror[0] -= 1
        if length := float(np.linalg.norm(mirror)) if centre else 0.0:
            mirror /= length
        else:
            mirror[:] = 0
        made = cls(mirror.astype(np.float32), centre, 1.0, 1.0)
        along = across = 0.0
        for block in blocks():
            turned = made._turned(block)
            across += float(np.square(turned[:, 1:], dtype=np.float64).sum()) / count
            along += float(np.square(turned[:, 0] - centre, dtype=np.float64).sum()) / count
        scale = SHARE * float(np.sqrt(along / across)) if along and across else 1.0
        return cls(made.mirror, centre, scale, float(np.sqrt(across + along / scale**2)))

    def vectors(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Turn vectors: float32, shape (m, d), into shape (m, `padded(d)`)."""
        turned = self._turned(rows)
        turned[:, 0] = (turned[:, 0] - np.float32(self.centre)) / np.float32(self.scale)
        return turned

    def queries(self, rows: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Turn queries; return them and what their dot products with turned vectors lack."""
        turned = self._turned(rows)
        lacking = turned[:, 0] * np.float32(self.centre)
        turned[:, 0] *= np.float32(self.scale)
        return turned, lacking

    def _turned(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        count, dim = rows.shape
        turned = np.zeros((count, padded(dim)), np.float32)
        np.subtract(rows, np.float32(2) * (rows @ self.mirror)[:, None] * self.mirror, out=turned[:, :dim])
        return turned


def padded(dim: int) -> int:
    """The number of coordinates of a turned vector."""
    return -(-dim // MULTIPLE) * MULTIPLE
