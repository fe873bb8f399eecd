"""R@k and average precision against a plain reading of their definitions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steamdino.analysis.evaluation.metrics import judge


def _ranking(scores: list[float], left_out: list[bool]) -> list[int]:
    kept = [item for item in range(len(scores)) if not left_out[item]]
    return sorted(kept, key=lambda item: (-scores[item], item))


def _first(ranking: list[int], relevant: list[bool]) -> int:
    return next(rank for rank, item in enumerate(ranking, 1) if relevant[item])


def _average_precision(ranking: list[int], relevant: list[bool]) -> float:
    precisions = []
    for rank, item in enumerate(ranking, 1):
        if relevant[item]:
            precisions.append(sum(relevant[one] for one in ranking[:rank]) / rank)
    return sum(precisions) / len(precisions)


@st.composite
def _questions(draw: st.DrawFn) -> Any:
    items = draw(st.integers(1, 12))
    queries = draw(st.integers(1, 4))
    scores, relevant, left_out = [], [], []
    for _ in range(queries):
        # Few values, so that ties are common.
        scores.append(draw(st.lists(st.sampled_from([-1.0, 0.0, 0.25, 1.0]), min_size=items, max_size=items)))
        kinds = draw(st.lists(st.sampled_from("rol"), min_size=items, max_size=items))
        kinds[draw(st.integers(0, items - 1))] = "r"
        relevant.append([kind == "r" for kind in kinds])
        left_out.append([kind == "l" for kind in kinds])
    return scores, relevant, left_out


@pytest.mark.slow
@given(_questions())
def test_a_ranking_is_judged_as_its_definition_says(question: Any) -> None:
    scores, relevant, left_out = question
    judged = judge(np.array(scores, np.float32), np.array(relevant), np.array(left_out))
    for n in range(len(scores)):
        ranking = _ranking(scores[n], left_out[n])
        assert judged.first[n] == _first(ranking, relevant[n])
        assert judged.precision[n] == pytest.approx(_average_precision(ranking, relevant[n]), abs=1e-12)
    for k in (1, 2, 10):
        found = [_first(_ranking(s, o), r) <= k for s, r, o in zip(scores, relevant, left_out, strict=True)]
        assert judged.recalled(k).mean() == pytest.approx(np.mean(found))


def test_a_textbook_ranking_has_its_textbook_precision() -> None:
    # Relevant at ranks 1, 3 and 6: (1/1 + 2/3 + 3/6) / 3.
    scores = np.array([[0.9, 0.8, 0.7, 0.6, 0.5, 0.4]], np.float32)
    relevant = np.array([[True, False, True, False, False, True]])
    judged = judge(scores, relevant, np.zeros((1, 6), bool))
    assert judged.precision[0] == pytest.approx((1 + 2 / 3 + 3 / 6) / 3)


def test_of_equal_scores_the_lower_item_comes_first() -> None:
    scores, none = np.zeros((1, 50), np.float32), np.zeros((1, 50), bool)
    for item in (0, 17, 49):
        assert judge(scores, np.arange(50)[None] == item, none).first[0] == item + 1


def test_a_query_without_an_answer_is_refused() -> None:
    scores, none = np.zeros((2, 3), np.float32), np.zeros((2, 3), bool)
    relevant = np.array([[True, False, False], [False, False, False]])
    with pytest.raises(ValueError, match="query 1 has no relevant item"):
        judge(scores, relevant, none)


def test_what_is_left_out_cannot_be_relevant() -> None:
    both = np.array([[True, False]])
    with pytest.raises(ValueError, match="both relevant and left out"):
        judge(np.zeros((1, 2), np.float32), both, both)
