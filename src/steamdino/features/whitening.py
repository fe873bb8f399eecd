"""Whitening learned on a gallery's vectors: all directions get equal weight, so common traits of banners count less.

After DINO's eval_copy_detection: centre, rotate onto the eigenvectors of the covariance, divide by the square roots of
the eigenvalues (floored at a fraction of the largest, so that noise is not amplified), scale to length 1. Fewer
dimensions keep those with the largest eigenvalues.

If it is known how vectors that count as the same differ from each other, those directions count less:
the covariance of the differences is added before the kept directions are scaled. (With that covariance alone instead
of the sum, it is the learned whitening of Mikolajczyk and Matas, "Improving descriptors for fast tree matching by
optimal linear projection", ICCV 2007; the sum keeps few examples from having too much influence.)
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from steamdino.errors import ModelError, UsageError
from steamdino.features.pooling import Floats, unit
from steamdino.storage.checked_zip import CheckedZip
from steamdino.storage.npy import blocks, read_header

EIGENVALUE_FLOOR = 1e-5
"""Floor relative to the largest eigenvalue, as in DINO's eval_copy_detection."""

FEWEST = 100
"""Minimum number of vectors to learn from."""

BLOCK = 4096
"""Vectors per block."""

PARTS = {"mean.npy": False, "projection.npy": False}
"""Members of the file, and whether they may be deflated: no, so that reading needs no more memory than the file has."""


@dataclass(frozen=True, slots=True)
class Whitening:
    """A centring and a projection.

    Attributes:
        mean: float32, shape (d,).
        projection: float32, shape (d, e) with e <= d.
    """

    mean: Floats
    projection: Floats
    _rows: Floats = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Sums run along rows. To turn the projection for each batch takes ten times as long as the product.
        object.__setattr__(self, "_rows", np.ascontiguousarray(self.projection.T))

    @classmethod
    def learn(
        cls,
        vectors: Floats,
        dim: int | None = None,
        strength: float = 1.0,
        within: NDArray[np.float64] | None = None,
    ) -> Whitening:
        """Learn a whitening.

        Args:
            vectors: float32, shape (n, d), unit rows; n at least `FEWEST`.
            dim: maximum number of dimensions to keep; None for d. Never more than n / 4: as n nears d, the vectors that
                the whitening was learned on all become equally distant from each other.
            strength: 1 gives all kept directions equal weight; 0 leaves their weights as they are.
            within: float64, shape (d, d): the weighted covariance of differences of vectors that count as the same;
                None if none are known.

        Raises:
            UsageError: there are too few vectors.
        """
        if len(vectors) < FEWEST:
            raise UsageError(
                f"a whitening cannot be learned on {len(vectors):,} different banners; it needs at least {FEWEST:,}"
            )
        mean = vectors.mean(axis=0, dtype=np.float64)
        covariance = np.zeros((len(mean), len(mean)))
        for start in range(0, len(vectors), BLOCK):  # in double precision without copying everything
            centred = vectors[start : start + BLOCK] - mean
            covariance += centred.T @ centred
        covariance /= len(vectors)
        values, axes = np.linalg.eigh(covariance)
        kept = min(dim or vectors.shape[1], vectors.shape[1], len(vectors) // 4)
        values, axes = values[::-1][:kept], axes[:, ::-1][:, :kept]
        if within is not None:
            values, turn = np.linalg.eigh(axes.T @ (covariance + within) @ axes)
            values, axes = values[::-1], axes @ turn[:, ::-1]
        scaled = axes / np.maximum(values, EIGENVALUE_FLOOR * values[0]) ** (strength / 2)
        return cls(mean.astype(np.float32), scaled.astype(np.float32))

    @classmethod
    def read(cls, path: Path) -> Whitening:
        """Read a .npz with ``mean`` and ``projection``: floats, stored and not deflated, as `to_bytes` writes it.

        Raises:
            ModelError: it is not a whitening.
        """
        try:
            with path.open("rb") as file:
                return cls._load(file)
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise ModelError(f"{path} is not a whitening ({error})") from None

    @classmethod
    def from_bytes(cls, data: bytes) -> Whitening:
        """Return the whitening that `to_bytes` serialised."""
        return cls._load(BytesIO(data))

    @classmethod
    def _load(cls, file: IO[bytes]) -> Whitening:
        # The file may come from a packed snapshot, which is untrusted.
        with CheckedZip(file, PARTS, swelling=0) as archive:
            mean, projection = _array(archive, "mean.npy"), _array(archive, "projection.npy")
        if projection.ndim != 2 or mean.shape != projection.shape[:1]:
            raise ValueError(f"mean has shape {mean.shape}, projection {projection.shape}")
        return cls(mean, projection)

    def to_bytes(self, *, half: bool = False) -> bytes:
        """Serialise the whitening for `read`; in `half` precision it has half the size, with no effect on cosines."""
        file = BytesIO()
        kind = np.float16 if half else np.float32
        np.savez(file, mean=self.mean.astype(kind), projection=self.projection.astype(kind))
        return file.getvalue()

    @property
    def dim(self) -> int:
        """The length of a whitened vector."""
        return int(self.projection.shape[1])

    def __call__(self, vectors: Floats) -> Floats:
        """Whiten unit rows: (n, d) -> (n, e), rows of length 1."""
        # Not a BLAS product: BLAS's idle threads spin, and would take half of the cores from inference.
        return unit(np.einsum("nd,ed->ne", vectors - self.mean, self._rows))


def _array(archive: CheckedZip, name: str) -> Floats:
    with archive.open(name) as source:
        header = read_header(source)
        if header.bytes != archive.bytes_of(name):
            raise ValueError(
                f"{name} has {archive.bytes_of(name):,} bytes, but its header says {header.bytes:,}"
            )
        array = np.empty(header.shape, np.float32)
        done = 0
        for block in blocks(source, header):
            array[done : done + len(block)] = block
            done += len(block)
    return array
