"""Finds duplicate banners, by their bytes, difference hashes and vectors, in tiers.

Cosines have a different scale under each recipe. Tiers therefore go by a standardised similarity, ``(cosine - u) /
(1 - u)``, with u the median cosine of the snapshot's pairs: 0 for a usual pair, 1 for equal vectors.

===============  ============================================================================================
``identical``    the same bytes (sha256)
``re-encoded``   the same picture, encoded again or scaled: the difference hashes differ in few bits, and the
                 vectors confirm it; `re_encoded` then compares the colours
``near``         by the vectors: cropped, recoloured, mirrored, with other lettering, a reskin. Where these are less
                 alike than `DuplicateThresholds.certain`, the hashes must agree roughly, as they are or mirrored
``similar``      each is the other's nearest neighbour, and closer than most pairs, but not the same
===============  ============================================================================================

Many banners can be near copies of each other: 5,000 of them make 12.5 million pairs. Pairs are therefore arrays, and
each takes one byte more than the index needs for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steamdino.analysis.distinct_pairs import close_pairs, first_rows
from steamdino.index.bit_counts import differing_bits
from steamdino.index.vector_index import ClosePairs, Index
from steamdino.records import Progress
from steamdino.thresholds import USUAL, DuplicateThresholds

IDENTICAL, RE_ENCODED, NEAR, SIMILAR = TIERS = ("identical", "re-encoded", "near", "similar")

LEAST_SIMILAR = 0.42
"""Lowest standardised similarity of the tier `similar`."""

AGREEING = 0.7
"""How many bits the hashes of less than certain near pairs may differ in, as a fraction of those in which hashes differ
that have as many ones and nothing in common."""

NO_TIER = len(TIERS)
"""Marks pairs that are in no tier that was asked for."""

CHUNK = 1 << 16
"""Pairs that are looked at together."""

MIRRORED = np.array([int(f"{~row & 0xFFFF:016b}"[::-1], 2) for row in range(1 << 16)], np.uint16)
"""For each row of 16 bits, as a big-endian number, that of the mirrored picture: reversed, and dark for bright."""

Hashes = Callable[[NDArray[np.intp]], tuple[NDArray[np.uint8], NDArray[np.bool_]]]
"""Takes m rows, intp; returns their difference hashes, uint8, shape (m, 32), and which are known, bool, shape (m,)."""


@dataclass(frozen=True, slots=True, eq=False)
class DuplicatePairs:
    """Pairs of rows that look alike.

    Attributes:
        first, second: intp, shape (pairs,): rows.
        tiers: uint8, shape (pairs,): the place in `TIERS`, or `NO_TIER` for a pair that does not count.
    """

    first: NDArray[np.intp]
    second: NDArray[np.intp]
    tiers: NDArray[np.uint8]

    def chunks(self) -> Iterator[DuplicatePairs]:
        """Yield views of `CHUNK` pairs each; what is written to them is written to these arrays."""
        for start in range(0, len(self.tiers), CHUNK):
            part = slice(start, start + CHUNK)
            yield DuplicatePairs(self.first[part], self.second[part], self.tiers[part])

    def of_tier(self, tier: str) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
        """Yield the rows of the pairs of a tier, in chunks: intp, twice, of equal shapes."""
        for part in self.chunks():
            own = part.tiers == TIERS.index(tier)
            if own.any():
                yield part.first[own], part.second[own]


def near_cosine(usual: float, thresholds: DuplicateThresholds = USUAL) -> float:
    """Return the lowest cosine of near pairs, given the median cosine of the snapshot's pairs."""
    return usual + thresholds.near * (1 - usual)


def find_pairs(
    index: Index,
    sha256s: Iterable[str],
    usual: float,
    hashes: Hashes,
    *,
    tiers: Iterable[str] = TIERS[:3],
    thresholds: DuplicateThresholds = USUAL,
    progress: Progress | None = None,
) -> list[DuplicatePairs]:
    """Find pairs of rows in tiers. Of pictures with equal bytes, the first one stands for all of them.

    Args:
        index: of n rows.
        sha256s: of each row's picture; consumed one by one.
        usual: the median cosine of the snapshot's pairs.
        hashes: returns difference hashes; called with the rows that are in a close pair, rising, if there are any.
        tiers: the tiers to look for.
        thresholds: how alike the pairs must be.
        progress: called with (rows, n).
    """
    wanted = set(tiers)
    first_of = first_rows(sha256s, len(index))
    copies = np.flatnonzero(first_of != np.arange(len(first_of)))
    found = []
    if IDENTICAL in wanted:
        identical = np.full(len(copies), TIERS.index(IDENTICAL), np.uint8)
        found.append(DuplicatePairs(first_of[copies], copies, identical))
    if wanted <= {IDENTICAL}:
        return found
    parts = close_pairs(
        index, first_of, near_cosine(usual, thresholds), nearest=SIMILAR in wanted, progress=progress
    )
    closest = _closest(parts, len(index)) if SIMILAR in wanted else None
    return found + [_in_tiers(part, len(index), usual, hashes, wanted, closest, thresholds) for part in parts]


def _in_tiers(
    close: ClosePairs,
    count: int,
    usual: float,
    hashes: Hashes,
    wanted: set[str],
    closest: NDArray[np.intp] | None,
    thresholds: DuplicateThresholds,
) -> DuplicatePairs:
    first, second, cosines = close
    pairs = DuplicatePairs(first, second, np.full(len(first), NO_TIER, np.uint8))
    same, alike = _compared(close, count, usual, hashes, thresholds)
    for start in range(0, len(first), CHUNK):
        part = slice(start, start + CHUNK)
        standard = standardised(cosines[part], usual)
        near = alike[part]
        tiers = {RE_ENCODED: near & same[part], NEAR: near & ~same[part]}
        if closest is not None:
            mutual = (closest[first[part]] == second[part]) & (closest[second[part]] == first[part])
            tiers[SIMILAR] = mutual & ~near & (standard >= LEAST_SIMILAR)
        for tier in wanted & tiers.keys():
            pairs.tiers[part][tiers[tier]] = TIERS.index(tier)
    return pairs


def standardised(cosines: NDArray[np.float32], usual: float) -> NDArray[np.float64]:
    """Convert cosines to standardised similarities: 0 for a usual pair, 1 for equal vectors."""
    wide = cosines.astype(np.float64)
    return (wide - usual) / (1 - usual) if usual < 1 else np.zeros_like(wide)


def _compared(
    close: ClosePairs, count: int, usual: float, hashes: Hashes, thresholds: DuplicateThresholds
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Compare the hashes of close pairs.

    Returns:
        which show the same, and which are near, the same ones included: bool, shape (pairs,), twice.
    """
    first, second, cosines = close
    same, near = np.zeros((2, len(first)), np.bool_)
    asked = np.zeros(count, np.bool_)
    for start in range(0, len(first), CHUNK):
        part = slice(start, start + CHUNK)
        near[part] = standardised(cosines[part], usual) >= thresholds.near
        asked[first[part][near[part]]] = asked[second[part][near[part]]] = True
    rows = np.flatnonzero(asked)
    if not len(rows):
        return same, near
    made, known = hashes(rows)
    place = np.cumsum(asked) - 1
    for start in range(0, len(first), CHUNK):
        pairs = start + np.flatnonzero(near[start : start + CHUNK])
        one, other = place[first[pairs]], place[second[pairs]]
        both = known[one] & known[other]
        left, right = made[one], made[other]
        bits = differing_bits(left, right)
        same[pairs] = both & (bits <= thresholds.hash_bits)
        alike = _agree(left, right) | _agree(left, mirrored(right))
        near[pairs] = ~both | alike | (standardised(cosines[pairs], usual) >= thresholds.certain)
    return same, near


def _agree(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether pairs of hashes agree roughly. Hashes of a small logo on a plain ground are zeros for the most part."""
    return share_of_bits(left, right) <= AGREEING


def share_of_bits(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Divide the bits in which pairs of hashes differ by those in which unrelated ones do that have as many ones.

    Args:
        left, right: uint8, shape (m, 32), contiguous.

    Returns:
        float32, shape (m,): about 1 for unrelated hashes; 0 for equal ones.
    """
    one, other = (differing_bits(side, np.zeros_like(side)) / np.float32(256) for side in (left, right))
    expected = 256 * (one * (1 - other) + other * (1 - one))
    share: NDArray[np.float32] = (differing_bits(left, right) / np.maximum(expected, 1e-6)).astype(np.float32)
    return share


def mirrored(hashes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Compute the hashes of mirrored pictures: uint8, shape (m, 32), of the same."""
    rows = np.ascontiguousarray(hashes).view(">u2").astype(np.uint16)
    return MIRRORED[rows].astype(">u2").view(np.uint8)


def _closest(parts: Sequence[ClosePairs], count: int) -> NDArray[np.intp]:
    """Find each row's nearest neighbour among pairs, of equally near ones the lowest; `count` if it is in none."""
    best = np.full(count, -2, np.float32)
    for first, second, cosines in parts:
        np.maximum.at(best, first, cosines)
        np.maximum.at(best, second, cosines)
    nearest = np.full(count, count, np.intp)
    for first, second, cosines in parts:
        for start in range(0, len(first), CHUNK):
            part = slice(start, start + CHUNK)
            for rows, mates in ((first[part], second[part]), (second[part], first[part])):
                closest = cosines[part] == best[rows]
                np.minimum.at(nearest, rows[closest], mates[closest])
    return nearest
