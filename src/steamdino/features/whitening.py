"""Whitening, learned on a gallery's vectors: weighs all directions alike, so that what many banners share counts less.

After DINO's eval_copy_detection: centre, rotate onto the eigenvectors of the covariance, divide by the square roots of
the eigenvalues (floored at a share of the largest, so that noise is not blown up), scale to length 1. A smaller number
of dimensions keeps those with the largest eigenvalues.

Where it is known how vectors of things that count as the same differ from each other, directions in which they differ
count less: the covariance of those differences is added before the kept directions are weighed. (With that covariance
alone in the place of the sum it is the learned whitening of Mikolajczyk and Matas, "Improving descriptors for fast tree
matching by optimal linear projection", ICCV 2007; the sum keeps what few examples say from being overrated.)
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
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
"""Of the largest, as in DINO's eval_copy_detection."""

FEWEST = 100
"""Vectors to learn from."""

BLOCK = 4096
"""Vectors at a time."""

PARTS = {"mean.npy": False, "projection.npy": False}
"""Of the file, and whether they may be deflated: no, so that reading takes no more memory than the file has bytes."""


@dataclass(frozen=True, slots=True)
class Whitening:
    """A centring and a projection.

    Attributes:
        mean: float32, shape (d,).
        projection: float32, shape (d, e) with e <= d.
    """

    mean: Floats
    projection: Floats

    @classmethod
    def learn(
        cls,
        vectors: Floats,
        dim: int | None = None,
        strength: float = 1.0,
        within: NDArray[np.float64] | None = None,
    ) -> Whitening:
        """Learns it.

        Args:
            vectors: float32, shape (n, d), unit rows; n at least `FEWEST`.
            dim: the most dimensions to keep; None for d. Never more than n / 4: as n comes near to d, the vectors
                that it was learned on all become equally far from each other.
            strength: 1 weighs all kept directions alike; 0 leaves their weights as they are.
            within: float64, shape (d, d): the covariance, times its weight, of the differences between vectors that
                count as the same; None if nothing is known of them.

        Raises:
            UsageError: there are too few vectors.
        """
        if len(vectors) < FEWEST:
            raise UsageError(
                f"a whitening cannot be learned on {len(vectors):,} different banners; it takes {FEWEST:,} at least"
            )
        mean = vectors.mean(axis=0, dtype=np.float64)
        covariance = np.zeros((len(mean), len(mean)))
        for start in range(0, len(vectors), BLOCK):  # in double precision without a copy of everything
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
        """Reads a .npz with ``mean`` and ``projection``: floats, stored and not deflated, as `to_bytes` writes it.

        Raises:
            ModelError: it is none.
        """
        try:
            with path.open("rb") as file:
                return cls._load(file)
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            raise ModelError(f"{path} is not a whitening ({error})") from None

    @classmethod
    def from_bytes(cls, data: bytes) -> Whitening:
        """What `to_bytes` made."""
        return cls._load(BytesIO(data))

    @classmethod
    def _load(cls, file: IO[bytes]) -> Whitening:
        # The file may come from a stranger, in a packed snapshot.
        with CheckedZip(file, PARTS, swelling=0) as archive:
            mean, projection = _array(archive, "mean.npy"), _array(archive, "projection.npy")
        if projection.ndim != 2 or mean.shape != projection.shape[:1]:
            raise ValueError(f"mean has shape {mean.shape}, projection {projection.shape}")
        return cls(mean, projection)

    def to_bytes(self, *, half: bool = False) -> bytes:
        """What `read` reads; in `half` precision it takes half of the bytes, which no cosine shows."""
        file = BytesIO()
        kind = np.float16 if half else np.float32
        np.savez(file, mean=self.mean.astype(kind), projection=self.projection.astype(kind))
        return file.getvalue()

    @property
    def dim(self) -> int:
        """The length of a whitened vector."""
        return int(self.projection.shape[1])

    def __call__(self, vectors: Floats) -> Floats:
        """Whitens unit rows: (n, d) -> (n, e), rows of length 1."""
        # Not a BLAS product: its idle threads keep spinning and would take half of the cores from the inference.
        return unit(np.einsum("nd,ed->ne", vectors - self.mean, self._rows()))

    def _rows(self) -> Floats:
        return np.ascontiguousarray(self.projection.T)


def _array(archive: CheckedZip, name: str) -> Floats:
    with archive.open(name) as source:
        header = read_header(source)
        if header.bytes != archive.bytes_of(name):
            raise ValueError(
                f"{name} has {archive.bytes_of(name):,} bytes, and its header says {header.bytes:,}"
            )
        array = np.empty(header.shape, np.float32)
        done = 0
        for block in blocks(source, header):
            array[done : done + len(block)] = block
            done += len(block)
    return array
