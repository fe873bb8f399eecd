"""Finds the pairs of hashes that differ in few bits, without comparing each with each.

The bits are divided into `PARTS` parts. If at most `SURE` bits differ, at least two parts are equal. So only hashes
that have some two parts in common are compared: the rows are sorted by each two parts in turn, and then equal ones
stand side by side. Most pairs that differ in some more bits have two parts in common as well.

Bits that pictures share, such as those of a dark edge, stand next to each other. Each part therefore takes bits from
all over the hash.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from steamdino.index.bit_counts import differing_bits

BITS = 256
"""Of a hash."""

PARTS = 20
"""Of 12 or 13 bits, so that two of them tell millions of rows apart."""

SURE = PARTS - 2
"""Bits up to which all pairs are found, but for those of a crowd."""

CROWD = 32
"""Most rows with the same two parts that are compared with each other. More of them are copies by the dozen, or
pictures that show next to nothing."""

COMPARED = 1 << 15
"""Pairs that are compared at a time: twice 1 MB."""

MERGED = 1 << 20
"""Pairs after which those that were found several times are merged."""

_PART, _ROW = np.uint64(13), np.uint64(32)
"""Bits of a part, and of a row's number."""


class HashPairs(NamedTuple):
    """Pairs of rows, each once, in the order of their rows, and the number of bits in which they differ."""

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    bits: NDArray[np.uint16]


def hash_pairs(hashes: NDArray[np.uint8], most: int) -> HashPairs:
    """Find the pairs of hashes that differ in few bits: all that differ in `SURE` at most, and many of the others.

    Pairs of more than `CROWD` rows that have the same two parts may be missing.

    Args:
        hashes: uint8, shape (n, 32), contiguous; n is at most 2**32.
        most: bits in which the hashes of a pair differ at most.
    """
    parts, count = _parts(hashes), len(hashes)
    merged, waiting = np.empty(0, np.int64), [np.empty(0, np.int64)]
    for one, other in combinations(parts, 2):
        for first, second in _equal(one.astype(np.uint64) << _PART | other, hashes, most):
            waiting.append(np.minimum(first, second) * count + np.maximum(first, second))
        if sum(map(len, waiting)) >= MERGED:
            merged, waiting = np.unique(np.concatenate([merged, *waiting])), []
    merged = np.unique(np.concatenate([merged, *waiting]))
    first, second = np.divmod(merged, max(count, 1))
    bits = np.empty(len(merged), np.uint16)
    for start in range(0, len(merged), COMPARED):
        block = slice(start, start + COMPARED)
        bits[block] = differing_bits(hashes[first[block]], hashes[second[block]])
    return HashPairs(first, second, bits)


def _parts(hashes: NDArray[np.uint8]) -> list[NDArray[np.uint16]]:
    """Return the parts of hashes: `PARTS` arrays, uint16, shape (n,)."""
    parts = []
    for part in range(PARTS):
        number: NDArray[np.uint16] = np.zeros(len(hashes), np.uint16)
        for bit in range(part, BITS, PARTS):
            number = number << np.uint16(1) | (hashes[:, bit // 8] >> np.uint8(7 - bit % 8) & np.uint8(1))
        parts.append(number)
    return parts


def _equal(
    keys: NDArray[np.uint64], hashes: NDArray[np.uint8], most: int
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Yield the pairs of rows that have the same key and differ in few bits, except those of a crowd."""
    # Keys and rows in one number each: sorting numbers takes a third of the time of sorting places.
    order = keys << _ROW | np.arange(len(keys), dtype=np.uint64)
    order.sort()
    rows = (order & np.uint64(0xFFFFFFFF)).astype(np.intp)
    keys = order >> _ROW
    places = np.flatnonzero(keys[1:] == keys[:-1])
    crowded = np.unique(keys[CROWD:][keys[CROWD:] == keys[:-CROWD]])
    if len(crowded):
        places = places[~np.isin(keys[places], crowded)]
    distance = 1
    ordered = hashes[rows]  # so that what is compared lies side by side
    while len(places):
        for start in range(0, len(places), COMPARED):
            block = places[start : start + COMPARED]
            near = block[differing_bits(ordered[block], ordered[block + distance]) <= most]
            yield rows[near], rows[near + distance]
        distance += 1
        places = places[places + distance < len(keys)]
        places = places[keys[places + distance] == keys[places]]
