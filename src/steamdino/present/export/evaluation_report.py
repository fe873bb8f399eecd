"""A comparison of recipes as JSON (described in `docs/how-to/evaluate.md`) and as a page in Markdown."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from steamdino.analysis.evaluation.bootstrap import Estimate
from steamdino.analysis.evaluation.collection import Collection
from steamdino.analysis.evaluation.evaluate import Evaluation
from steamdino.analysis.evaluation.task_results import Result
from steamdino.present.export.markup import plain
from steamdino.present.export.ranking_comparison import lists

DIGITS = 6


def as_json(evaluation: Evaluation) -> str:
    """An evaluation as one JSON object."""
    return json.dumps(_rounded(asdict(evaluation)), ensure_ascii=False, indent=2)


def as_markdown(
    evaluation: Evaluation, collection: Collection, games: Sequence[str], labels: Sequence[str]
) -> str:
    """A page: in each task the descriptors from best to worst, then what each of them finds for some games.

    Args:
        evaluation: of the collection.
        collection: whose games they are.
        games: ids.
        labels: the columns that the evaluation went by; matches that share a label there are set in bold.

    Raises:
        QueryError: the collection has no such game.
    """
    lines = ["# Recipes compared", "", f"{evaluation.games:,} games; seed {evaluation.seed}.", ""]
    for result in evaluation.results:
        if result.kind != "copy":
            lines += _ranking(result)
    return "\n".join([*lines, *lists(collection, games, labels)])


def interval(estimate: Estimate) -> str:
    """An average with its interval: ``0.511 [0.437, 0.584]``."""
    # "z": a zero has no sign.
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:z.3f}"
    return f"{estimate.value:z.3f} [{estimate.low:z.3f}, {estimate.high:z.3f}]"


def _ranking(result: Result) -> list[str]:
    by_rank = sorted(result.scores, key=lambda score: -score.mean_ap.value)
    return [
        f"## {plain(result.name)}: {result.queries:,} queries in {result.clusters:,} clusters",
        "",
        "| # | descriptor | mAP | R@1 | R@10 |",
        "|--:|---|---|---|---|",
        *(
            f"| {rank} | {plain(score.descriptor)} | {interval(score.mean_ap)} | {interval(score.r1)}"
            f" | {interval(score.r10)} |"
            for rank, score in enumerate(by_rank, 1)
        ),
        "",
    ]


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DIGITS)
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(inner) for inner in value]
    return value
