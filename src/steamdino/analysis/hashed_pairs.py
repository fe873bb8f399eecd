"""Finds copies that the vectors overlook: pairs whose hashes agree, although their vectors do not.

Vectors describe detail. A picture of a few thousand pixels, or one that was saved in a very low quality, has lost it,
and its vector is far from the original's. Its hash and its miniature, made of few pixels, are nearly the same.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from steamdino.analysis.distinct_pairs import first_rows
from steamdino.analysis.duplicate_detection import (
    CHUNK,
    NEAR,
    NO_TIER,
    RE_ENCODED,
    TIERS,
    DuplicatePairs,
    share_of_bits,
    standardised,
)
from steamdino.analysis.re_encoded import BLOCK, Miniatures
from steamdino.banners.miniature import correlation
from steamdino.index.hash_pairs import hash_pairs
from steamdino.index.pair_cosines import pair_cosines
from steamdino.index.vector_index import Index
from steamdino.thresholds import USUAL, DuplicateThresholds

MOST_BITS_HASHED = 40
"""Bits, of 256, in which the hashes of a pair may differ if the vectors do not confirm it."""

MOST_SHARE, TRUSTED_SHARE = 0.3, 0.1
"""Of the bits in which unrelated hashes differ: in how many those of a pair may differ at most, and in how many they
may if the vectors have nothing in common. In between, the vectors must be the more alike, the more bits differ."""

LEAST_CORRELATION = 0.97
"""Of the grey values of two miniatures. That of copies is 0.98 or more, that of different covers whose hashes agree is
less than 0.89."""


def hashed_pairs(
    index: Index,
    sha256s: Iterable[str],
    usual: float,
    hashes: NDArray[np.uint8],
    known: NDArray[np.bool_],
    *,
    tiers: Iterable[str] = (RE_ENCODED, NEAR),
    thresholds: DuplicateThresholds = USUAL,
) -> DuplicatePairs:
    """Find pairs of different pictures by their hashes, without those that `find_pairs` finds by their vectors.

    Args:
        index: of n rows.
        sha256s: of each row's picture; consumed one by one.
        usual: the median cosine of the snapshot's pairs.
        hashes: difference hashes, uint8, shape (n, 32).
        known: which rows have one, bool, shape (n,).
        tiers: the tiers to look for.
        thresholds: how alike the pairs must be.

    Returns:
        pairs, re-encoded or near by their hashes. `keep_alike` has to confirm them.
    """
    first_of = first_rows(sha256s, len(index))
    rows = np.flatnonzero(known & (first_of == np.arange(len(index))))
    first, second, bits = hash_pairs(hashes[rows], MOST_BITS_HASHED)
    first, second = rows[first], rows[second]
    found = np.where(bits <= thresholds.hash_bits, TIERS.index(RE_ENCODED), TIERS.index(NEAR)).astype(
        np.uint8
    )
    likeness = standardised(pair_cosines(index.vectors, first, second), usual)
    new = (likeness < thresholds.near) & _plausible(hashes, first, second, likeness)
    new &= np.isin(found, [TIERS.index(tier) for tier in tiers])
    return DuplicatePairs(first[new], second[new], found[new])


def _plausible(
    hashes: NDArray[np.uint8],
    first: NDArray[np.intp],
    second: NDArray[np.intp],
    likeness: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Find the pairs that are worth a look at their pixels: among millions of pairs, many hashes agree by chance."""
    found = np.zeros(len(first), np.bool_)
    for start in range(0, len(first), CHUNK):
        part = slice(start, start + CHUNK)
        share = share_of_bits(hashes[first[part]], hashes[second[part]])
        found[part] = (share <= MOST_SHARE) & (likeness[part] >= share - TRUSTED_SHARE)
    return found


def keep_alike(pairs: DuplicatePairs, count: int, miniatures: Miniatures) -> None:
    """Keep the pairs whose miniatures are alike in grey; the others do not count any more.

    Args:
        pairs: as `hashed_pairs` returns them; they are changed.
        count: how many rows there are.
        miniatures: called with the rows of these pairs, rising, if there are any.
    """
    asked = np.zeros(count, np.bool_)
    asked[pairs.first] = asked[pairs.second] = True
    if not asked.any():
        return
    made, known = miniatures(np.flatnonzero(asked))
    place = np.cumsum(asked) - 1
    for start in range(0, len(pairs.tiers), BLOCK):
        part = slice(start, start + BLOCK)
        one, other = place[pairs.first[part]], place[pairs.second[part]]
        alike = known[one] & known[other] & (correlation(made[one], made[other]) >= LEAST_CORRELATION)
        pairs.tiers[part][~alike] = NO_TIER
