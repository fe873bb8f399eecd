"""The result of one task: means with intervals, and the differences between each two descriptors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from steamdino.analysis.evaluation import bootstrap
from steamdino.analysis.evaluation.bootstrap import Estimate
from steamdino.analysis.evaluation.metrics import Judged, Rows


@dataclass(frozen=True, slots=True)
class Score:
    """The scores of one descriptor in one task: means over the queries, with intervals."""

    descriptor: str
    r1: Estimate
    r10: Estimate
    mean_ap: Estimate


@dataclass(frozen=True, slots=True)
class Difference:
    """How much larger a metric is for one descriptor than for another, paired by query.

    Attributes:
        measure: "r1" or "mean_ap".
        descriptor, than: the two descriptors.
        difference: the mean, with a paired interval. If that excludes zero, one is better than the other.
    """

    measure: str
    descriptor: str
    than: str
    difference: Estimate


@dataclass(frozen=True, slots=True)
class Result:
    """The result of one task.

    Attributes:
        kind: "labels", "copies" (all perturbations) or "copy" (one of them).
        name: of the task.
        queries, clusters: their numbers. Intervals are drawn over clusters.
        scores: one for each descriptor.
        differences: one for each two descriptors and each metric; none for a "copy".
    """

    kind: str
    name: str
    queries: int
    clusters: int
    scores: tuple[Score, ...]
    differences: tuple[Difference, ...]


def summarise(
    kind: str, name: str, names: Sequence[str], judged: Sequence[Judged], clusters: Rows, seed: int
) -> Result:
    """Average the judged rankings of each descriptor.

    Args:
        kind, name: of the task.
        names: of the descriptors.
        judged: one for each descriptor, of the same queries.
        clusters: the cluster of each query, numbered from 0 without gaps.
        seed: of the bootstrap.
    """
    measures = {
        "r1": np.stack([one.recalled(1) for one in judged], axis=1),
        "r10": np.stack([one.recalled(10) for one in judged], axis=1),
        "mean_ap": np.stack([one.precision for one in judged], axis=1),
    }
    averages = {key: bootstrap.estimates(values, clusters, seed=seed) for key, values in measures.items()}
    scores = tuple(
        Score(own, averages["r1"][n], averages["r10"][n], averages["mean_ap"][n])
        for n, own in enumerate(names)
    )
    differences: list[Difference] = []
    pairs = [(a, b) for a in range(len(names)) for b in range(a)] if kind != "copy" else []
    if pairs:
        first, second = (list(side) for side in zip(*pairs, strict=True))
        for measure in ("r1", "mean_ap"):
            values = measures[measure][:, first] - measures[measure][:, second]
            estimates = bootstrap.estimates(values, clusters, seed=seed)
            differences += [
                Difference(measure, names[a], names[b], estimate)
                for (a, b), estimate in zip(pairs, estimates, strict=True)
            ]
    return Result(kind, name, len(judged[0]), int(clusters.max()) + 1, scores, tuple(differences))
