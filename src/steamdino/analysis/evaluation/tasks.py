"""Defines retrieval tasks: for each query the relevant items, and those that are neither right nor wrong."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steamdino.analysis.evaluation.metrics import Rows

NEAR = 30
"""Maximum number of differing bits of the difference hashes of two pictures that show the same art, encoded again."""

DIFF = 90
"""Number of differing bits above which two pictures show different crops or different art."""

Labels = Sequence[frozenset[str]]
Hashes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Task:
    """Queries that are rows of the gallery themselves.

    Attributes:
        name: the column, then "all", "near" or "diff".
        queries: rows of the queries.
        relevant: for each query, the rows to be found; at least one.
        left_out: for each query, the rows that are not ranked: itself, and what is neither right nor wrong.
        clusters: for each query, the number of its cluster. Queries of one cluster are not independent.
    """

    name: str
    queries: Rows
    relevant: tuple[Rows, ...]
    left_out: tuple[Rows, ...]
    clusters: Rows

    def __len__(self) -> int:
        return len(self.queries)


def labels_in(value: Any) -> frozenset[str]:
    """Read the labels in a cell: the items of a list, or the parts of a text that are separated by ";"."""
    if value is None:
        return frozenset()
    parts = value if isinstance(value, list | tuple) else str(value).split(";")
    return frozenset(text for part in parts if part is not None and (text := str(part).strip()))


def answerable(labels: Labels, across: Labels | None = None) -> Rows:
    """Find the rows that share a label with another row; with `across`, with a row that has another value there."""
    holders = _holders(labels)

    def fits(row: int, other: int) -> bool:
        return other != row and (across is None or across[row].isdisjoint(across[other]))

    return np.array(
        [
            row
            for row, own in enumerate(labels)
            if any(fits(row, other) for label in own for other in holders[label])
        ],
        np.intp,
    )


def sharing(labels: Labels, queries: Rows, *, name: str = "all") -> Task:
    """Make the task of finding the other items with the same label. Of several labels, one in common is enough.

    Args:
        labels: of each item.
        queries: rows of the queries. Those that share no label with another item are dropped.
        name: of the task.
    """
    holders = _holders(labels)
    kept, relevant = [], []
    for row in queries.tolist():
        others = _alike(row, labels, holders)
        if len(others):
            kept.append(row)
            relevant.append(others)
    return _task(name, kept, relevant, [np.array([row]) for row in kept], labels)


def near_and_diff(
    labels: Labels, across: Labels, hashes: Hashes, queries: Rows, *, name: str = ""
) -> tuple[Task, Task]:
    """Make two tasks of finding an item's label in another source: one for the same art, one for different art.

    An item is relevant if it shares a label and no value of the other column: for "near" if at most `NEAR` bits of the
    difference hashes differ, for "diff" if more than `DIFF` do. Other items with a common label are left out.

    Args:
        labels: of each item.
        across: of each item, the values of the column that must differ (the sources).
        hashes: uint8, shape (items, bytes), as `baselines.difference_hash` packs them.
        queries: rows of the queries. Those without a relevant item are dropped from the task.
        name: prefix of the tasks' names.
    """
    holders = _holders(labels)
    kept: tuple[list[int], list[int]] = ([], [])
    relevant: tuple[list[Rows], list[Rows]] = ([], [])
    left_out: tuple[list[Rows], list[Rows]] = ([], [])
    for row in queries.tolist():
        others = _alike(row, labels, holders)
        abroad = np.array([across[row].isdisjoint(across[other]) for other in others], bool)
        bits = hamming(hashes[row], hashes[others])
        for n, found in enumerate((abroad & (bits <= NEAR), abroad & (bits > DIFF))):
            if found.any():
                kept[n].append(row)
                relevant[n].append(others[found])
                left_out[n].append(np.append(others[~found], row))
    near, diff = (
        _task(name + kind, kept[n], relevant[n], left_out[n], labels)
        for n, kind in enumerate(("near", "diff"))
    )
    return near, diff


def hamming(one: Hashes, many: Hashes) -> NDArray[np.int64]:
    """Count the bits that differ between one hash, shape (bytes,), and each of many, shape (n, bytes)."""
    bits: NDArray[np.int64] = np.unpackbits(one ^ many, axis=-1).sum(axis=-1, dtype=np.int64)
    return bits


def _task(
    name: str, kept: Sequence[int], relevant: Sequence[Rows], left_out: Sequence[Rows], labels: Labels
) -> Task:
    return Task(name, np.array(kept, np.intp), tuple(relevant), tuple(left_out), _clusters(kept, labels))


def _clusters(kept: Sequence[int], labels: Labels) -> Rows:
    """Number the queries' sets of labels: a franchise is a cluster, and so is each set of tags."""
    numbers: dict[frozenset[str], int] = {}
    return np.array([numbers.setdefault(labels[row], len(numbers)) for row in kept], np.intp)


def _holders(labels: Labels) -> dict[str, list[int]]:
    holders: dict[str, list[int]] = defaultdict(list)
    for row, own in enumerate(labels):
        for label in own:
            holders[label].append(row)
    return holders


def _alike(row: int, labels: Labels, holders: dict[str, list[int]]) -> Rows:
    """Find the other rows with one of a row's labels, rising."""
    found = {other for label in labels[row] for other in holders[label]} - {row}
    return np.array(sorted(found), np.intp)
