from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steamdino.index import similarity_distribution as module
from steamdino.index.similarity_distribution import ALIKE, BINS, FRACTIONS, Distribution, distribution


def _vectors(count: int, dim: int = 8, seed: int = 0) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _pictures(count: int) -> list[str]:
    return [f"{n:064x}" for n in range(count)]


def _percentile(found: Distribution, cosine: float) -> float:
    (percentile,) = found.percentiles(np.array([cosine], np.float32))
    return percentile


def test_a_percentile_is_the_share_of_pairs_that_are_less_alike() -> None:
    vectors = _vectors(500)
    found = distribution(vectors, _pictures(500))
    assert found is not None
    cosines = np.sort((vectors.astype(np.float64) @ vectors.T)[~np.eye(500, dtype=bool)])
    assert found.pairs == len(cosines)
    for cosine in np.linspace(-0.9, 0.99, 40):
        exact = 100 * np.searchsorted(cosines, cosine) / len(cosines)
        # Between two quantiles it is interpolated; they are a hundredth apart, and nearer towards the end.
        assert _percentile(found, cosine) == pytest.approx(exact, abs=0.6 if exact < 99 else 0.06)


def test_quantiles_are_kept_at_each_hundredth_and_denser_and_denser_towards_the_end() -> None:
    digits = range(10)
    expected = [round(step / 100, 2) for step in range(100)]
    for nines in ("0.99", "0.999", "0.9999", "0.99999"):
        expected += [float(f"{nines}{digit}") for digit in digits if nines != "0.99" or digit]
    assert [round(share, 6) for share in FRACTIONS] == expected


@given(st.integers(2, 80), st.integers(0, 50))
def test_each_quantile_is_the_edge_of_the_bin_that_holds_it(count: int, seed: int) -> None:
    vectors = _vectors(count, 3, seed)
    found = distribution(vectors, _pictures(count))
    assert found is not None
    cosines = np.sort((vectors @ vectors.T)[~np.eye(count, dtype=bool)])
    assert found.pairs == len(cosines) == count * (count - 1)
    assert [share for share, _ in found.quantiles] == [
        one for one in FRACTIONS if one <= 1 - 1 / len(cosines)
    ]
    for share, edge in found.quantiles:
        assert np.searchsorted(cosines, edge - 1e-6) <= share * len(cosines) + 1e-9
        assert np.searchsorted(cosines, edge + 2 / BINS + 1e-6) > share * len(cosines) - 1e-9


def test_of_two_banners_the_median_is_what_their_pair_tells() -> None:
    found = distribution(np.array([[1, 0], [0.6, 0.8]], np.float32), _pictures(2))
    assert found is not None
    assert (found.pairs, found.quantiles[-1][0]) == (2, 0.5)
    assert found.quantiles[-1][1] == pytest.approx(0.6, abs=2 / BINS)


def test_different_pictures_with_one_vector_are_pairs_of_the_highest_bin() -> None:
    # Longer than 1 by rounding, so that their cosine is beyond 1.
    vectors = np.repeat(np.array([[0.6, 0.80001]], np.float32), 4, axis=0)
    found = distribution(vectors, _pictures(4))
    assert found is not None
    assert {cosine for _, cosine in found.quantiles} == {1 - 2 / BINS}
    opposite = distribution(np.array([[1, 0], [-1, 0]], np.float32), _pictures(2))
    assert opposite is not None
    assert {cosine for _, cosine in opposite.quantiles} == {-1.0}


def test_what_is_usual_are_medians_and_the_percentile_from_which_banners_are_alike() -> None:
    vectors = _vectors(400)
    found = distribution(vectors, _pictures(400))
    assert found is not None
    cosines = (vectors @ vectors.T).astype(np.float64)
    pairs = cosines[~np.eye(400, dtype=bool)]
    np.fill_diagonal(cosines, -1)
    assert found.usual["pairs"] == pytest.approx(np.median(pairs), abs=1e-3)
    assert found.usual["nearest"] == pytest.approx(np.median(cosines.max(axis=1)), abs=2e-3)
    assert found.usual["alike"] == pytest.approx(np.quantile(pairs, 0.999), abs=2e-3)
    assert _percentile(found, found.usual["alike"]) == pytest.approx(ALIKE, abs=0.001)


def test_the_end_is_told_as_far_as_the_pairs_tell_it_and_never_as_everything() -> None:
    few = distribution(_vectors(12), _pictures(12))
    many = distribution(_vectors(2000), _pictures(2000))
    assert few is not None
    assert many is not None
    assert _percentile(few, 1.0) == pytest.approx(100 * (1 - 1 / few.pairs), abs=1)
    assert 99.9998 < _percentile(many, 1.0) < 100
    assert _percentile(few, -1.0) == 0


def test_copies_of_one_picture_are_no_pairs() -> None:
    vectors = np.repeat(_vectors(40), 3, axis=0)
    pictures = [name for name in _pictures(40) for _ in range(3)]
    found = distribution(vectors, pictures)
    single = distribution(_vectors(40), _pictures(40))
    assert found is not None
    assert single is not None
    assert found.pairs == 9 * single.pairs
    assert found.quantiles[-1][1] < 1 - 2 / BINS
    np.testing.assert_allclose(found.nearest[-1], single.nearest[-1], atol=1e-2)


@pytest.mark.parametrize(("count", "same"), [(0, False), (1, False), (5, True)])
def test_without_a_pair_there_is_none(count: int, same: bool) -> None:
    assert distribution(_vectors(count), ["0" * 64] * count if same else _pictures(count)) is None


def test_the_nearest_are_each_rows_best_match() -> None:
    vectors = _vectors(300)
    found = distribution(vectors, _pictures(300))
    assert found is not None
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -1)
    expected = np.quantile(cosines.max(axis=1), [share for share, _ in found.nearest])
    np.testing.assert_allclose([cosine for _, cosine in found.nearest], expected, atol=1e-5)


def test_of_many_rows_some_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAIRS", 50_000)
    found = distribution(_vectors(1000), _pictures(1000))
    everything = distribution(_vectors(1000), _pictures(1000))
    assert found is not None
    assert everything is not None
    assert found.pairs == 50 * 999
    assert _percentile(found, 0.5) == pytest.approx(_percentile(everything, 0.5), abs=1)


@given(st.integers(2, 60), st.integers(1, 70), st.integers(0, 3))
def test_it_does_not_depend_on_how_many_rows_are_compared_at_a_time(
    count: int, others: int, seed: int
) -> None:
    vectors = np.repeat(_vectors(count, 4, seed), 2, axis=0)
    pictures = [f"{n // 3:064x}" for n in range(2 * count)]
    whole = distribution(vectors, pictures)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "OTHERS", others)
        found = distribution(vectors, iter(pictures))
    if whole is None:
        assert found is None
        return
    assert found is not None
    assert found.pairs == whole.pairs
    for ours, theirs in ((found.nearest, whole.nearest), (found.quantiles, whole.quantiles)):
        np.testing.assert_allclose(ours, theirs, atol=2 / BINS)


def test_it_takes_little_memory_however_many_rows_there_are() -> None:
    count = 300_000
    vectors = np.ones((count, 1), np.float32)
    vectors[::2] = -1
    tracemalloc.start()
    found = distribution(vectors, map(str, range(count)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found is not None
    assert peak < 8 * count + (24 << 20)


@given(st.integers(2, 60), st.integers(0, 5))
def test_it_is_read_back_as_it_was_written(count: int, seed: int) -> None:
    found = distribution(_vectors(count, 4, seed), _pictures(count))
    assert found is not None
    again = Distribution.from_record(found.record)
    for cosine in (-0.5, 0.0, 0.3, 0.8, 1.0):
        assert _percentile(again, cosine) == pytest.approx(_percentile(found, cosine), abs=0.5)


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"pairs": 3, "quantiles": [], "nearest": [[0, 0]]},
        {"pairs": 3, "quantiles": [[0.5, 0.2], [0.4, 0.3]], "nearest": [[0, 0]]},
        {"pairs": 3, "quantiles": [[0.5, 0.2], [0.6, 0.1]], "nearest": [[0, 0]]},
        {"pairs": 3, "quantiles": [[0.5, 7]], "nearest": [[0, 0]]},
        {"pairs": 3, "quantiles": [[0.5, float("nan")]], "nearest": [[0, 0]]},
        {"pairs": 3, "quantiles": [[0.5, 0.2], [1, 0.3]], "nearest": [[0, 0]]},
        {"pairs": 3, "quantiles": [[-0.1, 0.2], [0.5, 0.3]], "nearest": [[0, 0]]},
        {"pairs": 3, "quantiles": [[0.4, 0.2], [0.5, 1.02]], "nearest": [[0, 0]]},
        {"pairs": 3, "quantiles": [[0.4, -1.02], [0.5, 0.2]], "nearest": [[0, 0]]},
        {"pairs": 3, "quantiles": [[0.4, 0.2]], "nearest": []},
    ],
)
def test_what_is_none_is_refused(record: dict[str, object]) -> None:
    with pytest.raises((ValueError, KeyError)):
        Distribution.from_record(record)


def _best_of_others(vectors: np.ndarray) -> float:
    """The similarity of the median row to its nearest."""
    cosines = vectors @ vectors.T
    np.fill_diagonal(cosines, -2)
    return float(np.median(cosines.max(axis=1)))


@pytest.mark.parametrize(("count", "dim"), [(400, 64), (1500, 128), (1500, 512), (3000, 64)])
def test_half_of_random_banners_have_a_best_match_above_chance(count: int, dim: int) -> None:
    vectors = _vectors(count, dim)
    found = distribution(vectors, _pictures(count))
    assert found is not None
    assert found.chance(count) == pytest.approx(_best_of_others(vectors), abs=0.004)


def test_banners_that_look_alike_hardly_raise_the_level_of_chance() -> None:
    apart = _vectors(1500, 64)
    noise = _vectors(1500, 64, 1)
    alike = np.concatenate([apart[:300] + 0.1 * part * noise[:300] for part in range(5)])  # five of each
    alike /= np.linalg.norm(alike, axis=1, keepdims=True)
    levels = []
    for vectors in (apart, alike):
        found = distribution(vectors, _pictures(1500))
        assert found is not None
        level = found.chance(1500)
        assert level is not None
        levels.append(level)
    assert _best_of_others(alike) > 0.9
    assert levels[1] == pytest.approx(levels[0], abs=0.05)


@given(st.integers(40, 120), st.integers(0, 50), st.floats(0, 1))
def test_banners_that_show_the_same_thing_are_above_chance(count: int, seed: int, common: float) -> None:
    vectors = _vectors(count, 4, seed) + common * 2 * _vectors(1, 4, seed + 1)
    found = distribution(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), _pictures(count))
    assert found is not None
    level, usual = found.chance(count), found.usual["pairs"]
    assert level is not None
    assert usual <= level <= usual + 0.5 * (1 - usual) + 1e-9


def test_few_banners_have_no_level_of_chance() -> None:
    found = distribution(_vectors(30), _pictures(30))
    assert found is not None
    assert found.pairs < 1000
    assert found.chance(30) is None
