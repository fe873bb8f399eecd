"""Finds close pairs among rows of different pictures, where many rows may have the same picture."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from steamdino.index.exact import ExactIndex
from steamdino.index.vector_index import ClosePairs, Index
from steamdino.records import Progress

DIGEST = 16
"""Bytes by which pictures are told apart: enough for 2**64 of them."""

MOST_PAIRS = 1_000_000
"""Pairs of rows with the same picture up to which all rows are compared. 10,000 blank banners make 50 million."""

COPIED = 4096
"""Rows that are copied to a file at a time."""


def first_rows(sha256s: Iterable[str], count: int) -> NDArray[np.intp]:
    """Find the first row with each row's picture: intp, shape (count,).

    Args:
        sha256s: of each row's picture; consumed one by one.
        count: how many there are.
    """
    digests = np.empty((count, 2), np.uint64)
    for row, sha256 in enumerate(sha256s):
        digest = hashlib.blake2b(sha256.encode(), digest_size=DIGEST).digest()
        digests[row] = np.frombuffer(digest, np.uint64)
    order = np.lexsort((digests[:, 1], digests[:, 0]))  # stable: equal ones stay in the order of rows
    starts = np.ones(count, np.bool_)
    starts[1:] = (digests[order[1:]] != digests[order[:-1]]).any(axis=1)
    found = np.empty(count, np.intp)
    found[order] = order[starts][np.cumsum(starts) - 1]
    return found


def close_pairs(
    index: Index,
    first_of: NDArray[np.intp],
    least: float,
    *,
    nearest: bool,
    progress: Progress | None = None,
) -> list[ClosePairs]:
    """Find the close pairs of different pictures, each picture in the first of its rows.

    Args:
        index: of n rows.
        first_of: as `first_rows` returns it.
        least: the lowest cosine that counts.
        nearest: whether each picture's nearest other picture is needed in any case.
        progress: called with (rows done, n).

    Returns:
        pairs, in parts. Those that do not count have a cosine of -2; those with a nearest neighbour may be there twice.
    """
    is_first = first_of == np.arange(len(first_of))
    shown = np.bincount(first_of, minlength=1)
    if int((shown * (shown - 1) // 2).sum()) > MOST_PAIRS:
        return [_among(index, np.flatnonzero(is_first), least, progress)]
    found = index.close_pairs(least, progress=progress)
    if is_first.all():
        return [found]
    first, second, cosines = found
    counts = is_first[first] & is_first[second]
    parts = [ClosePairs(first, second, np.where(counts, cosines, np.float32(-2)))]
    if nearest:
        # A copy was the nearest one of these rows, or of a row that they are copies of.
        rows = np.unique(first_of[np.concatenate((first[~counts], second[~counts]))])
        parts.append(_nearest(index, rows, is_first))
    return parts


def _nearest(index: Index, rows: NDArray[np.intp], among: NDArray[np.bool_]) -> ClosePairs:
    found = index.neighbours(1, rows=rows, among=among)
    if not found.rows.size:
        return ClosePairs(rows[:0], rows[:0], np.empty(0, np.float32))
    has = found.rows[:, 0] >= 0
    rows, mates = rows[has], found.rows[has, 0]
    return ClosePairs(np.minimum(rows, mates), np.maximum(rows, mates), found.cosines[has, 0])


def _among(index: Index, rows: NDArray[np.intp], least: float, progress: Progress | None) -> ClosePairs:
    """The close pairs of some rows. Their vectors are copied to a temporary file and not to memory."""
    with tempfile.TemporaryFile() as file:
        for start in range(0, len(rows), COPIED):
            file.write(index.vectors[rows[start : start + COPIED]].tobytes())
        file.flush()
        vectors = np.memmap(file, np.float32, "r", shape=(len(rows), index.vectors.shape[1])).view(np.ndarray)
        found = ExactIndex(vectors).close_pairs(least, progress=progress)
        del vectors
    first, second = (np.require(part, requirements="W") for part in found[:2])
    for part in (first, second):  # in place: there may be millions of pairs
        for start in range(0, len(part), COPIED):
            part[start : start + COPIED] = rows[part[start : start + COPIED]]
    return ClosePairs(first, second, found.cosines)
