"""Narrows pairs of duplicates down: to those within or across folders or sources, and to one name of each file."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from steamdino.analysis.duplicate_detection import IDENTICAL, NO_TIER, TIERS, DuplicatePairs

Rows = NDArray[np.intp]


def merge(pairs: Sequence[DuplicatePairs], rows: Rows, into: Rows, count: int) -> None:
    """Put rows in the place of others in all pairs. A pair of a row with itself does not count any more.

    Args:
        pairs: which are changed.
        rows: intp, shape (m,): the others.
        into: intp, shape (m,): what takes their places.
        count: how many rows there are.
    """
    if not len(rows):
        return
    place = np.arange(count)
    place[rows] = into
    for part in pairs:
        for chunk in part.chunks():
            chunk.first[:], chunk.second[:] = place[chunk.first], place[chunk.second]
            chunk.tiers[chunk.first == chunk.second] = NO_TIER


def narrowed(pairs: Sequence[DuplicatePairs], places: Rows, *, across: bool) -> list[DuplicatePairs]:
    """Keep the pairs of two rows in one place, or else in different ones.

    Identical pictures are pairs of the first with each other one, whose places may be the wrong ones though those of
    the others are right. They are paired anew.

    Args:
        pairs: as `find_pairs` returns them; they are changed.
        places: intp, shape (n,): the number of each row's folder or source.
        across: keep pairs of rows in different places; else, in the same one.
    """
    identical = [part for one in pairs for part in one.of_tier(IDENTICAL)]
    for part in pairs:
        for chunk in part.chunks():
            same = places[chunk.first] == places[chunk.second]
            chunk.tiers[(same == across) | (chunk.tiers == TIERS.index(IDENTICAL))] = NO_TIER
    if not identical:
        return [*pairs]
    first, second = (
        np.concatenate(side) for side in zip(*identical, strict=True)
    )  # a group may be in many chunks
    return [*pairs, _paired_anew(first, second, places, across=across)]


def _paired_anew(first: Rows, second: Rows, places: Rows, *, across: bool) -> DuplicatePairs:
    """Pair the rows of groups, each given as pairs of its first row with the others."""
    centres = np.unique(first)
    groups = np.concatenate([centres, first])
    rows = np.concatenate([centres, second])
    order = np.lexsort((rows, places[rows], groups))
    groups, rows = groups[order], rows[order]
    starts = np.flatnonzero(
        np.r_[True, (groups[1:] != groups[:-1]) | (places[rows[1:]] != places[rows[:-1]])]
    )
    heads = rows[starts]  # the first row of each group in each place
    if not across:
        head_of = np.repeat(heads, np.diff(np.r_[starts, len(rows)]))
        apart = head_of != rows
        return _identical(head_of[apart], rows[apart])
    # A row is paired with the first head of its group that is in another place.
    head_groups = groups[starts]
    of_group = np.searchsorted(head_groups, groups)
    one = heads[of_group]
    two = np.minimum(of_group + 1, len(heads) - 1)
    partner = np.where(places[one] == places[rows], heads[two], one)
    valid = (places[partner] != places[rows]) & ((partner == one) | (head_groups[two] == groups))
    return _identical(partner[valid], rows[valid])


def _identical(first: Rows, second: Rows) -> DuplicatePairs:
    return DuplicatePairs(first, second, np.full(len(first), TIERS.index(IDENTICAL), np.uint8))
