"""Unique games and diverse sets equal those of plain loops over a full table of cosines, whatever is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from fakes.snapshots import ListedRows, clustered, snapshot_of
from steamdino import Snapshot
from steamdino.analysis.neighbours_among import check_listed, nearest_at_hand
from steamdino.analysis.ranked_games import PAGE
from steamdino.analysis.unique import UniqueGames, diverse, unique, unique_at_hand
from steamdino.errors import NotComputedError
from steamdino.index.exact import ExactIndex
from steamdino.records import EVERYTHING, Filter

COUNT = 60
FILTERS = {
    "all": EVERYTHING,
    "not hidden": Filter(),
    "few": Filter(tags=("rare",)),
    "some": Filter(tags=("common",)),
}


def _columns(row: int) -> dict[str, Any]:
    tags = [*(["rare"] if row % 10 == 3 else []), *(["common"] if row % 3 else [])]
    return {"tags": tags, "adult": row % 10 == 0, "reviews": row}


def _allowed(only: Filter) -> list[int]:
    found = range(COUNT)
    return [
        row
        for row in found
        if (only.adult or not _columns(row)["adult"]) and set(only.tags) <= set(_columns(row)["tags"])
    ]


@pytest.fixture(scope="module", params=[0, 12], ids=lambda listed: f"{listed} listed")
def snapshot(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    folder = tmp_path_factory.mktemp("snapshots")
    return snapshot_of(folder, clustered(COUNT), map(_columns, range(COUNT)), listed=request.param)


def _table(snapshot: Snapshot) -> NDArray[np.float64]:
    vectors = snapshot.vectors.astype(np.float64)
    return vectors @ vectors.T


def _assert_each_as_said(
    found: Sequence[Any], table: NDArray[np.float64], rows: list[int], k: int, ids: list[str]
) -> None:
    """Every similarity and closest game is right, and the order is rising; equals may come in any order."""
    for one in found:
        row = ids.index(one.game.id)
        others = sorted((table[row, other] for other in rows if other != row), reverse=True)[:k]
        assert one.similarity == pytest.approx(float(np.mean(others)), abs=1e-5)
        assert one.closest_similarity == pytest.approx(others[0], abs=1e-5)
        assert table[row, ids.index(one.closest.id)] == pytest.approx(others[0], abs=1e-5)
        assert ids.index(one.closest.id) in rows and one.closest.id != one.game.id
    assert [one.rank for one in found] == list(range(1, len(found) + 1))
    similarities = [one.similarity for one in found]
    assert similarities == sorted(similarities)


@settings(max_examples=40)
@given(
    only=st.sampled_from(sorted(FILTERS)),
    n=st.none() | st.integers(1, 2 * COUNT),
    k=st.integers(1, 6) | st.just(COUNT),
    below=st.none() | st.floats(-1, 1),
    out=st.sets(st.integers(0, COUNT - 1), max_size=COUNT),
)
def test_unique_games_are_those_of_a_loop_over_all_pairs(
    snapshot: Snapshot, only: str, n: int | None, k: int, below: float | None, out: set[int]
) -> None:
    rows = [row for row in _allowed(FILTERS[only]) if row not in out]
    ids, table = snapshot.ids, _table(snapshot)
    found = unique(
        snapshot, n, k=k, below=below, only=FILTERS[only], leave_out=[f"g{row:03}" for row in out] + ["?"]
    )
    if len(rows) < 2:
        assert [(one.rank, one.game.id, one.similarity, one.closest) for one in found] == [
            (1, ids[row], None, None) for row in rows
        ]
        return
    _assert_each_as_said(found, table, rows, k, ids)
    means = sorted(
        float(np.mean(sorted((table[row, other] for other in rows if other != row), reverse=True)[:k]))
        for row in rows
    )
    if below is None or all(abs(mean - below) > 1e-5 for mean in means):
        wanted = [mean for mean in means if below is None or mean < below][:n]
        np.testing.assert_allclose([one.similarity for one in found], wanted, atol=1e-5)


@settings(max_examples=40)
@given(
    only=st.sampled_from(sorted(FILTERS)),
    n=st.none() | st.integers(1, COUNT),
    below=st.none() | st.floats(-0.9, 0.9),
    out=st.sets(st.integers(0, COUNT - 1), max_size=COUNT),
)
def test_a_diverse_set_is_that_of_a_loop_over_all_pairs(
    snapshot: Snapshot, only: str, n: int | None, below: float | None, out: set[int]
) -> None:
    rows = [row for row in _allowed(FILTERS[only]) if row not in out]
    ids, table = snapshot.ids, _table(snapshot)
    found = diverse(
        snapshot, n, below=below, only=FILTERS[only], leave_out=[f"g{row:03}" for row in sorted(out)]
    )
    chosen = [ids.index(one.game.id) for one in found]
    assert set(chosen) <= set(rows) and len(set(chosen)) == len(chosen)
    if not rows:
        assert not found
        return
    mean = snapshot.vectors[rows].astype(np.float64).mean(axis=0)
    assert snapshot.vectors[chosen[0]] @ mean == pytest.approx(
        (snapshot.vectors[rows] @ mean).min(), abs=1e-5
    )
    for place, one in enumerate(found[1:], 1):
        left = [row for row in rows if row not in chosen[:place]]
        nearest = table[np.ix_(left, chosen[:place])].max(axis=1)
        assert table[chosen[place], chosen[:place]].max() == pytest.approx(nearest.min(), abs=1e-5)
        assert one.similarity == one.closest_similarity == pytest.approx(nearest.min(), abs=1e-5)
        assert one.closest is not None
        assert table[chosen[place], ids.index(one.closest.id)] == pytest.approx(nearest.min(), abs=1e-5)
    if below is None:
        assert len(found) == min(len(rows), n or len(rows))
    elif len(found) < min(len(rows), n or len(rows)):
        left = [row for row in rows if row not in chosen]
        assert table[np.ix_(left, chosen)].max(axis=1).min() >= below - 1e-5


def test_a_sample_of_a_diverse_set_is_spread_over_all_games(snapshot: Snapshot) -> None:
    drawn = {f"g{row:03}" for row in np.linspace(0, COUNT - 1, 20).astype(int)}
    assert {one.game.id for one in diverse(snapshot, None, only=EVERYTHING, sample=20)} == drawn
    every = [one.game.id for one in diverse(snapshot, 9, sample=COUNT)]
    assert every == [one.game.id for one in diverse(snapshot, 9)]


@pytest.mark.parametrize("only", sorted(FILTERS))
def test_ranking_at_a_limited_cost_finds_the_same(snapshot: Snapshot, only: str) -> None:
    found = unique_at_hand(snapshot, FILTERS[only], COUNT**2)
    assert list(found) == list(unique(snapshot, None, only=FILTERS[only]))


def test_only_as_many_pairs_are_compared_as_allowed() -> None:
    index = ListedRows(clustered(COUNT), 4)
    rows = np.arange(0, COUNT, 3)
    listed = ListedRows(clustered(COUNT), 4).neighbours(4).rows[rows]
    lacking = int((~np.isin(listed, rows).any(axis=1)).sum())
    assert 0 < lacking < len(rows) / 2
    with pytest.raises(
        NotComputedError, match=f"^all neighbours that are listed for {lacking} games are hidden"
    ):
        nearest_at_hand(index, rows, lacking * COUNT - 1)
    assert index.searched == 0
    found = nearest_at_hand(index, rows, lacking * COUNT)
    assert index.searched == lacking
    among = np.isin(np.arange(COUNT), rows)
    expected = ExactIndex(clustered(COUNT)).neighbours(1, rows=rows, among=among)
    np.testing.assert_array_equal(found.rows, expected.rows)
    np.testing.assert_array_equal(found.cosines, expected.cosines)


def test_without_lists_the_error_names_the_command_that_makes_them(tmp_path: Path) -> None:
    snapshot = snapshot_of(tmp_path, clustered(COUNT))
    for work in (
        lambda: unique_at_hand(snapshot, EVERYTHING, COUNT**2 - 1),
        lambda: check_listed(snapshot.index, 0.5, COUNT**2 - 1),
    ):
        with pytest.raises(
            NotComputedError, match=r"of 60 games are not listed yet.*; run: steam-dino build$"
        ):
            work()
    check_listed(snapshot.index, 0.5, COUNT**2)


def test_close_pairs_are_refused_only_where_lists_may_lack_too_many() -> None:
    vectors = clustered(COUNT)
    vectors[:20] = vectors[0]  # one picture, 20 times: no list is long enough, and yet it costs nothing
    index = ListedRows(vectors, 10)
    last = index.neighbours(10).cosines[:, -1]
    for least in (0.3, 0.6, 0.9, 0.999):
        unlisted = int(((last >= least) & (last < 0.9999)).sum())
        check_listed(index, least, unlisted * COUNT)
        if unlisted:
            with pytest.raises(
                NotComputedError, match=f"^{unlisted} games look like more games than are listed"
            ):
                check_listed(index, least, unlisted * COUNT - 1)
    check_listed(index, 0.999, 0)
    check_listed(ListedRows(vectors, COUNT), 0.0, 0)  # the lists hold all


def test_games_are_read_only_when_they_are_looked_at(
    snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    games = Snapshot.games

    def counting(self: Snapshot, rows: Any) -> Any:
        read.append(len(rows))
        return games(self, rows)

    monkeypatch.setattr(Snapshot, "games", counting)
    found = unique(snapshot, None, only=EVERYTHING)
    assert len(found) == COUNT and not read
    assert [one.rank for one in found[10:14]] == [11, 12, 13, 14]
    assert found[-1].rank == COUNT and found[7] == found[7:8][0]
    assert read == [8, 2, 2, 2]
    read.clear()
    assert next(iter(found)).rank == 1
    assert sum(read) <= 2 * PAGE
    assert found[500:600] == () and [one.rank for one in found[::-50]] == [60, 10]
    with pytest.raises(IndexError):
        found[COUNT]


@settings(max_examples=20)
@given(kept=st.sets(st.integers(0, COUNT - 1)), again=st.sets(st.integers(0, COUNT - 1)))
def test_selected_games_keep_their_ranks(snapshot: Snapshot, kept: set[int], again: set[int]) -> None:
    every = unique(snapshot, None)
    ids = snapshot.ids

    def among(found: UniqueGames, rows: set[int]) -> UniqueGames:
        return found.among(np.array(sorted(rows), np.intp))

    assert list(among(every, kept)) == [one for one in every if ids.index(one.game.id) in kept]
    assert list(among(among(every, kept), again)) == [
        one for one in every if ids.index(one.game.id) in kept & again
    ]
