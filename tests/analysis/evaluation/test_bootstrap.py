"""Bootstrap intervals: against theory, and against themselves."""

from __future__ import annotations

import numpy as np
import pytest

from steamdino.analysis.evaluation.bootstrap import FEWEST, averages, estimates


def test_the_interval_of_an_average_has_the_width_that_theory_gives() -> None:
    values = np.random.default_rng(1).normal(5, 2, (400, 1))
    (found,) = estimates(values, np.arange(400))
    error = values.std() / 400**0.5
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(values.mean() - 1.96 * error, abs=0.15 * error)
    assert found.high == pytest.approx(values.mean() + 1.96 * error, abs=0.15 * error)


def test_asking_everything_four_times_makes_nothing_surer() -> None:
    values = np.random.default_rng(2).random((30, 2))
    once = averages(values, np.arange(30), draws=200)
    four_times = averages(np.repeat(values, 4, axis=0), np.repeat(np.arange(30), 4), draws=200)
    np.testing.assert_allclose(once, four_times)
    (one, _), (as_if_independent, _) = (
        estimates(values, np.arange(30)),
        estimates(np.repeat(values, 4, axis=0), np.arange(120)),
    )
    assert one.low is not None and one.high is not None
    assert as_if_independent.low is not None and as_if_independent.high is not None
    assert as_if_independent.high - as_if_independent.low < 0.7 * (one.high - one.low)


def test_a_cluster_counts_with_all_its_queries() -> None:
    # Two clusters: one query of 1, three of 0. A draw is (1, 1), (0, 0) or one of each: 1, 0 or 1/4.
    drawn = averages(np.array([[1.0], [0.0], [0.0], [0.0]]), np.array([0, 1, 1, 1]), draws=500)
    assert set(np.round(drawn[:, 0], 9)) == {0.0, 0.25, 1.0}
    assert np.mean(drawn == 0.25) == pytest.approx(0.5, abs=0.1)


def test_differences_are_paired() -> None:
    noise = np.random.default_rng(3).random(200)
    (found,) = estimates((noise + 0.1 - noise)[:, None], np.arange(200))
    assert found.low == pytest.approx(0.1) and found.high == pytest.approx(0.1)
    drawn = averages(np.stack([noise, noise + 0.1], axis=1), np.arange(200), draws=100)
    np.testing.assert_allclose(drawn[:, 1] - drawn[:, 0], 0.1)
    assert found.apart_from_zero


def test_chance_follows_the_seed() -> None:
    values = np.random.default_rng(4).random((50, 1))
    same, again, other = (averages(values, np.arange(50), draws=150, seed=seed) for seed in (7, 7, 8))
    assert (same == again).all()
    assert (same != other).any()


def test_too_few_clusters_give_no_interval() -> None:
    values = np.random.default_rng(5).random((40, 1))
    (few,) = estimates(values, np.arange(40) % (FEWEST - 1))
    assert (few.low, few.high, few.apart_from_zero) == (None, None, False)
    (enough,) = estimates(values, np.arange(40) % FEWEST)
    assert enough.low is not None


def test_noise_about_zero_is_not_apart_from_zero() -> None:
    even = np.tile([1.0, -1.0], 50)[:, None]
    assert not estimates(even, np.arange(100))[0].apart_from_zero


def test_a_sure_difference_that_no_table_would_show_is_none() -> None:
    for difference, apart in ((0.0001, False), (-0.0001, False), (0.001, True), (-0.001, True)):
        assert estimates(np.full((20, 1), difference), np.arange(20))[0].apart_from_zero == apart
