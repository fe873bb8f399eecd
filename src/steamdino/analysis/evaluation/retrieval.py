"""Runs the queries of a task on an index, and judges the rankings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from steamdino.analysis.evaluation.metrics import Floats, Judged, Mask, Rows, judge
from steamdino.analysis.evaluation.tasks import Task
from steamdino.index.vector_index import Index

BLOCK = 256
"""Queries at a time. Their scores and masks are matrices of this many rows and a column for each item."""


@dataclass(frozen=True, slots=True)
class Scores:
    """Means over the queries of a task.

    Attributes:
        queries: number of queries. If it is 0, the others are NaN.
        r1, r10: R@1 and R@10.
        mean_ap: mAP.
    """

    queries: int
    r1: float
    r10: float
    mean_ap: float

    @classmethod
    def of(cls, judged: Judged) -> Scores:
        """Average judged rankings."""
        if not len(judged):
            return cls(0, float("nan"), float("nan"), float("nan"))
        values = (judged.recalled(1), judged.recalled(10), judged.precision)
        return cls(len(judged), *(float(value.mean()) for value in values))


def answer(task: Task, index: Index) -> Judged:
    """Rank all rows by cosine for each query of a task.

    Args:
        task: about the rows of the index.
        index: of the rows.
    """
    return retrieve(index.vectors[task.queries], index, task.relevant, task.left_out)


def retrieve(queries: Floats, index: Index, relevant: Sequence[Rows], left_out: Sequence[Rows]) -> Judged:
    """Rank rows by cosine for each query. Of equal cosines the lower row comes first.

    Args:
        queries: float32, shape (q, d), unit rows.
        index: of n rows.
        relevant: for each query, the rows to be found; at least one.
        left_out: for each query, the rows that are not ranked.
    """
    parts = []
    for start in range(0, len(queries), BLOCK):
        block = slice(start, start + BLOCK)
        scores = index.scores(queries[block])
        parts.append(
            judge(scores, _mask(relevant[block], scores.shape), _mask(left_out[block], scores.shape))
        )
    if not parts:
        return Judged(np.empty(0, np.int64), np.empty(0))
    first = np.concatenate([part.first for part in parts])
    return Judged(first, np.concatenate([part.precision for part in parts]))


def _mask(rows: Sequence[Rows], shape: tuple[int, ...]) -> Mask:
    mask = np.zeros(shape, bool)
    for line, marked in zip(mask, rows, strict=True):
        line[marked] = True
    return mask
