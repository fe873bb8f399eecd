"""The best of many estimated scores of several queries, kept while more arrive, in limited memory."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

Exact = Callable[[int, NDArray[np.intp]], NDArray[np.float32]]
"""Computes the exact scores of a query, by its number in the pool, with the targets at some places."""

SPARE = 512
"""Candidates that a query may have besides twice as many as are wanted."""

GROWTH = 2.0
"""Candidates are dropped once there are so many times as many as are wanted, or as were left the last time."""

FOLDED = 4
"""How many times as many maxima as are wanted bound the scores of a tile from below."""


class CandidatePool:
    """For each query, targets that include its best k by exact score, and of equal scores the lowest places.

    An exact score differs from the estimate by `error` at most. So whatever lies more than twice that below the k-th
    best estimate so far can be dropped, and the rest is kept. If that is too much, the exact scores decide.

    Attributes:
        least: float32, shape (queries,): the lowest estimate that is still taken.
    """

    def __init__(self, queries: int, k: int, error: float, exact: Exact) -> None:
        """Make an empty pool.

        Args:
            queries: their number.
            k: number of targets that are wanted for each.
            error: maximum difference of an estimate and the exact score.
            exact: computes exact scores.
        """
        self._k, self._error, self._exact = k, np.float32(error), exact
        size = room(k)
        self._scores = np.full((queries, size), -np.inf, np.float32)
        self._places = np.zeros((queries, size), np.int32)
        self._filled = np.zeros(queries, np.intp)
        self.least = np.full(queries, -np.inf, np.float32)
        self._limit = int(queries * GROWTH * k)

    def add(self, scores: NDArray[np.float32], start: int) -> None:
        """Take the estimated scores of all queries with some targets.

        Args:
            scores: float32, shape (queries, targets).
            start: place of the first target, which exceeds all places so far; the others follow it.
        """
        size = self._scores.shape[1]
        cells, counts = self._reaching(scores)
        for drop in (partial(self._raise, scores), self._narrow):
            if (self._filled + counts).max() <= size:
                break
            drop()
            cells, counts = self._reaching(scores)
        if (self._filled + counts).max() > size:
            crowded = self._filled + counts > size
            for query in np.flatnonzero(crowded):
                columns = np.flatnonzero(scores[query] >= self.least[query])
                self._settle(int(query), scores[query, columns], columns + start)
            cells = cells[np.repeat(~crowded, counts)]
            counts[crowded] = 0
        if not len(cells):
            return
        queries = np.repeat(np.arange(len(scores)), counts)
        columns = cells - queries * scores.shape[1]
        slots = np.arange(len(cells)) - np.repeat(np.cumsum(counts) - counts - self._filled, counts)
        self._scores[queries, slots] = scores[queries, columns]
        self._places[queries, slots] = columns + start
        self._filled += counts
        if self._filled.sum() > self._limit:
            self._narrow()

    def candidates(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return all candidates: intp queries, rising, and intp places."""
        self._narrow()
        width = int(self._filled.max(initial=0))
        queries, slots = np.nonzero(np.arange(width) < self._filled[:, None])
        return queries, self._places[queries, slots].astype(np.intp)

    def _reaching(self, scores: NDArray[np.float32]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Which scores are high enough: intp cells, rising, numbered row by row, and how many of each query."""
        cells = np.flatnonzero(scores >= self.least[:, None])
        ends = np.searchsorted(cells, np.arange(len(scores) + 1) * scores.shape[1])
        return cells, np.diff(ends)

    def _raise(self, scores: NDArray[np.float32]) -> None:
        """Raise the lowest estimates by those of one tile, of which k reach the k-th largest of some maxima."""
        wide = scores.shape[1]
        if wide < self._k:
            return
        parts = max(1, wide // (FOLDED * self._k))
        width = wide // parts
        folded = np.fmax.reduce(scores[:, : parts * width].reshape(len(scores), parts, width), axis=1)
        self._bound(np.nan_to_num(folded, copy=False, nan=-np.inf, posinf=np.inf, neginf=-np.inf))

    def _bound(self, scores: NDArray[np.float32]) -> None:
        edge = np.partition(scores, -self._k, axis=1)[:, -self._k]
        np.maximum(self.least, edge - 2 * self._error, out=self.least)

    def _narrow(self) -> None:
        """Drop candidates below the k-th best estimate."""
        width = int(self._filled.max(initial=0))
        if width >= self._k:
            self._bound(self._scores[:, :width])
        scores = self._scores[:, :width]
        kept = scores >= self.least[:, None]
        kept &= np.arange(width) < self._filled[:, None]
        queries, slots = np.nonzero(kept)
        counts = kept.sum(axis=1)
        values, places = scores[queries, slots], self._places[queries, slots]
        slots = np.arange(len(queries)) - np.repeat(np.cumsum(counts) - counts, counts)
        scores[:] = -np.inf
        self._scores[queries, slots], self._places[queries, slots] = values, places
        self._filled = counts
        self._limit = max(self._limit, int(counts.sum() * GROWTH))

    def _settle(self, query: int, scores: NDArray[np.float32], places: NDArray[np.intp]) -> None:
        """Add candidates to a query that has too many, and keep those with the best exact scores."""
        filled = self._filled[query]
        scores = np.concatenate([self._scores[query, :filled], scores])
        places = np.concatenate([self._places[query, :filled], places])
        self.least[query] = max(self.least[query], np.partition(scores, -self._k)[-self._k] - 2 * self._error)
        kept = scores >= self.least[query]
        scores, places = scores[kept], places[kept]
        if len(scores) > self._scores.shape[1]:
            scores = self._exact(query, places)
            best = np.lexsort((places, -scores))[: self._k]
            scores, places = scores[best], places[best]
            self.least[query] = max(self.least[query], scores[-1] - self._error)
        self._scores[query] = -np.inf
        self._scores[query, : len(scores)], self._places[query, : len(scores)] = scores, places
        self._filled[query] = len(scores)


def room(k: int) -> int:
    """How many candidates a query may have."""
    return 2 * k + SPARE
