from __future__ import annotations

from dataclasses import fields, replace

import pytest

import steamdino
from steamdino.analysis.flaws import FLAWS
from steamdino.errors import UsageError
from steamdino.index.similarity_distribution import SAME_THING
from steamdino.thresholds import ADJUSTABLE, DUPLICATE_RANGES, DuplicateThresholds, Thresholds


def test_a_flaw_is_a_score_below_its_threshold() -> None:
    thresholds = steamdino.Thresholds(low_information=0.5, blurry=0.0)
    assert thresholds.of("low-information") == 0.5
    assert thresholds.below({"low-information": 0.4999, "blurry": 0.0, "dark": 0.35}) == ["low-information"]


def test_every_threshold_belongs_to_a_flaw() -> None:
    assert set(ADJUSTABLE) < set(FLAWS)


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_threshold_outside_of_0_to_1_is_refused(value: float) -> None:
    for one in fields(Thresholds):
        with pytest.raises(
            UsageError, match=f"the threshold {one.name} is .*; it must be a number from 0 to 1"
        ):
            replace(Thresholds(), **{one.name: value})


def test_near_banners_show_the_same_thing_by_default() -> None:
    assert DuplicateThresholds().near == SAME_THING


@pytest.mark.parametrize("value", [-0.1, 300, float("nan")])
def test_a_threshold_of_duplicates_outside_of_its_range_is_refused(value: float) -> None:
    assert DUPLICATE_RANGES.keys() == {one.name for one in fields(DuplicateThresholds)}
    for name, most in DUPLICATE_RANGES.items():
        with pytest.raises(
            UsageError, match=f"the threshold {name} is .*; it must be a number from 0 to {most}"
        ):
            replace(DuplicateThresholds(), **{name: value})
