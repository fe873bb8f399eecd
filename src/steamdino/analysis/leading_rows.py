"""Chooses rows of which no two are in a pair, so that every other row is in a pair with one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.intp]

Edges = Iterator[tuple[Rows, Rows]]
"""Pairs of different rows, in chunks: intp, twice, of equal shapes."""


def leading(places: Rows, edges: Callable[[], Edges]) -> tuple[Rows, Rows]:
    """Choose leaders, the best rows first: what is not in a pair with a better leader is a leader.

    It is the maximal independent set that a loop over the rows in their order finds. All rows that are better than
    their undecided neighbours are decided at once, so few passes over the pairs are needed (Luby, 1986).

    Args:
        places: intp, shape (n,): each row's place in the order, the best row's is 0. Only rows that are in no pair may
            have equal places.
        edges: returns the pairs; it is called several times.

    Returns:
        intp, shape (n,): the place of each row's leader, the best of those in a pair with it; a leader's own place.
        intp, shape (n,): for leaders that lead no other row, the place of the best row in a pair with them; else -1.
    """
    leads = np.zeros(len(places), np.bool_)
    undecided = np.ones(len(places), np.bool_)
    left = edges
    while True:
        best = places.copy()
        for one, other in left():
            np.minimum.at(best, one, places[other])
            np.minimum.at(best, other, places[one])
        chosen = undecided & (best == places)
        if not chosen.any():
            break
        leads |= chosen
        undecided &= ~chosen
        for one, other in left():
            undecided[one[leads[other]]] = undecided[other[leads[one]]] = False
        open_ones = [
            (one[both], other[both])
            for one, other in left()
            if (both := undecided[one] & undecided[other]).any()
        ]
        left = partial(iter, open_ones)
    leaders = np.where(leads, places, len(places))
    partners = np.full(len(places), len(places))
    for one, other in edges():
        for row, mate in ((one, other), (other, one)):
            np.minimum.at(leaders, row[leads[mate]], places[mate[leads[mate]]])
            np.minimum.at(partners, row, places[mate])
    followed = np.zeros(len(places) + 1, np.bool_)  # the last one is for rows that are in no pair
    followed[leaders[~leads]] = True
    alone = leads & ~followed[places] & (partners < len(places))
    return leaders, np.where(alone, partners, -1)
