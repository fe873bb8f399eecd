"""Confirms that pictures are the same one encoded again, by their miniatures.

The hash of a picture's edges and its vector stay nearly the same under a band across a corner, a watermark or another
hue. In colours, place by place, these differ more than what encoding and scaling change. A small line of text differs
in greys, which are finer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from steamdino.analysis.duplicate_detection import NEAR, NO_TIER, RE_ENCODED, TIERS, DuplicatePairs
from steamdino.banners.miniature import difference, spot_difference
from steamdino.thresholds import USUAL, DuplicateThresholds

BLOCK = 1 << 6
"""Pairs that are looked at together: few enough for a core's cache."""

Miniatures = Callable[[NDArray[np.intp]], tuple[NDArray[np.uint8], NDArray[np.bool_]]]
"""Takes m rows; returns their miniatures, uint8, shape (m, LENGTH), and which are known, bool, shape (m,)."""


def confirm(
    pairs: Sequence[DuplicatePairs],
    count: int,
    miniatures: Miniatures,
    *,
    near: bool,
    thresholds: DuplicateThresholds = USUAL,
) -> None:
    """Move re-encoded pairs whose miniatures differ too much, or are unknown, to the tier of near copies.

    Args:
        pairs: which are changed.
        count: how many rows there are.
        miniatures: called once, with the rows of all these pairs, rising, if there are any.
        near: whether near copies are wanted; else the pairs do not count any more.
        thresholds: how much they may differ.
    """
    asked = np.zeros(count, np.bool_)
    for part in pairs:
        for first, second in part.of_tier(RE_ENCODED):
            asked[first] = asked[second] = True
    if not asked.any():
        return
    made, known = miniatures(np.flatnonzero(asked))
    place = np.cumsum(asked) - 1
    for part in pairs:
        for chunk in part.chunks():
            own = np.flatnonzero(chunk.tiers == TIERS.index(RE_ENCODED))
            for start in range(0, len(own), BLOCK):
                some = own[start : start + BLOCK]
                one, other = place[chunk.first[some]], place[chunk.second[some]]
                left, right = made[one], made[other]
                same = known[one] & known[other] & (difference(left, right) <= thresholds.colour)
                same[same] = spot_difference(left[same], right[same]) <= thresholds.spot
                chunk.tiers[some[~same]] = TIERS.index(NEAR) if near else NO_TIER
