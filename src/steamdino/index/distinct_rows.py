"""Identical rows of an index: which rows are the same vector, so that each vector is searched once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

BLOCK = 16_384
"""Rows that are read at a time."""

HASHED = 1024
"""Rows whose hashes are computed at a time."""


@dataclass(frozen=True, slots=True)
class DistinctRows:
    """The distinct vectors among rows, numbered in the order of their first rows.

    Attributes:
        first: int32, shape (distinct,), rising: the first row of each vector.
        repeats: int32, shape (repeats,): the other rows, rising within a vector.
        numbers: int32, shape (repeats,), rising: the number of each repeat's vector.
    """

    first: NDArray[np.int32]
    repeats: NDArray[np.int32]
    numbers: NDArray[np.int32]

    @classmethod
    def of(cls, vectors: NDArray[np.float32], rows: NDArray[np.intp] | None = None) -> Self:
        """Find the distinct rows of vectors. Rows are the same if all their bits are.

        Args:
            vectors: float32, shape (n, d).
            rows: intp, rising: which of them count; None for all.
        """
        if rows is None:
            rows = np.arange(len(vectors))
        _, starts, numbers = np.unique(_hashes(vectors, rows), return_index=True, return_inverse=True)
        # Rows with equal hashes may still differ. Such a row becomes a vector of its own.
        earliest = starts[numbers]
        for place in np.flatnonzero(earliest != np.arange(len(rows))):
            if vectors[rows[place]].tobytes() != vectors[rows[earliest[place]]].tobytes():
                earliest[place] = place
        is_first = earliest == np.arange(len(rows))
        number = np.cumsum(is_first, dtype=np.int32) - np.int32(1)
        repeats = np.flatnonzero(~is_first)
        own = number[earliest[repeats]]
        order = np.lexsort((repeats, own))
        return cls(rows[is_first].astype(np.int32), rows[repeats[order]].astype(np.int32), own[order])

    @classmethod
    def single(cls, rows: NDArray[np.intp]) -> Self:
        """Take each row, rising, as a vector of its own, without comparing them."""
        return cls(rows.astype(np.int32), np.empty(0, np.int32), np.empty(0, np.int32))

    def check(self, rows: int) -> None:
        """Check what was read from a file.

        Raises:
            ValueError: these are not the distinct rows among so many.
        """
        counted = np.bincount(np.concatenate([self.first, self.repeats]).clip(0), minlength=rows)
        if len(counted) != rows or (counted != 1).any():
            raise ValueError(f"its rows are not those from 0 to {rows - 1:,}")
        if len(self.numbers) != len(self.repeats) or (
            len(self.numbers)
            and not (
                self.numbers[0] >= 0 and (np.diff(self.numbers) >= 0).all() and self.numbers[-1] < len(self)
            )
        ):
            raise ValueError("its repeated rows belong to no vector")

    def __len__(self) -> int:
        return len(self.first)

    def blocks(self, vectors: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
        """Yield the distinct ones of the vectors in their order, some rows at a time."""
        for start in range(0, len(self), BLOCK):
            yield vectors[self.first[start : start + BLOCK]]

    def allowed(self, among: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Turn a mask of rows into one of vectors, which lets a vector through if it does any of its rows."""
        mask = among[self.first]
        mask[self.numbers[among[self.repeats]]] = True
        return mask

    def rows(self, numbers: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Find all rows of some vectors.

        Args:
            numbers: intp, shape (m,), each once.

        Returns:
            the rows, and for each row the position in `numbers` of its vector.
        """
        return self.lowest(numbers, len(self.repeats) + 1)

    def lowest(self, numbers: NDArray[np.intp], most: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Find the lowest rows of some vectors.

        Args:
            numbers: intp, shape (m,).
            most: how many rows of each, at least 1.

        Returns:
            the rows, and for each row the position in `numbers` of its vector.
        """
        positions = np.arange(len(numbers))
        rows = self.first[numbers].astype(np.intp)
        if not len(self.repeats):
            return rows, positions
        starts = np.searchsorted(self.numbers, numbers)
        counts = np.minimum(np.searchsorted(self.numbers, numbers, side="right") - starts, most - 1)
        if not counts.any():
            return rows, positions
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        repeats = self.repeats[np.repeat(starts, counts) + within].astype(np.intp)
        return np.concatenate([rows, repeats]), np.concatenate([positions, np.repeat(positions, counts)])


def _hashes(vectors: NDArray[np.float32], rows: NDArray[np.intp]) -> NDArray[np.uint64]:
    """A number for each of the rows that is equal for identical ones.

    It is the sum of the bits, times random odd numbers, modulo 2 ** 64.
    """
    factors = np.random.default_rng(0).integers(0, 1 << 63, vectors.shape[1], np.uint64) * np.uint64(
        2
    ) + np.uint64(1)
    found = np.empty(len(rows), np.uint64)
    for start in range(0, len(rows), HASHED):
        bits = vectors[rows[start : start + HASHED]].view(np.uint32)
        found[start : start + HASHED] = (bits * factors).sum(axis=1, dtype=np.uint64)
    return found
