"""Unique games and diverse sets, against brute force and against the fictional store's truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from steamdino import Snapshot
from steamdino.analysis.unique import diverse, unique
from steamdino.errors import QueryError, UsageError
from steamdino.pipeline.duplicate_search import duplicate_ids
from steamdino.records import Filter
from steamdino.sample import FictionalGame

Store = tuple[Path, tuple[FictionalGame, ...]]


@pytest.fixture(scope="module")
def snapshot(built: Path) -> Snapshot:
    return Snapshot.open(built)


def test_unique_games_are_those_of_a_full_table_of_cosines(snapshot: Snapshot) -> None:
    table = snapshot.vectors.astype(np.float64) @ snapshot.vectors.T
    np.fill_diagonal(table, -np.inf)
    for k in (1, 3):
        expected = np.sort(table, axis=1)[:, -k:].mean(axis=1)
        found = unique(snapshot, None, k=k)
        assert len(found) == len(snapshot)
        assert [one.rank for one in found] == list(range(1, len(snapshot) + 1))
        np.testing.assert_allclose([one.similarity for one in found], np.sort(expected), atol=1e-6)
        for one in found[:50]:
            row = snapshot.ids.index(one.game.id)
            assert one.closest is not None
            assert one.closest.id == snapshot.ids[int(table[row].argmax())]
            assert one.closest_similarity == pytest.approx(table[row].max(), abs=1e-6)


def test_the_unique_list_holds_the_odd_ones_out(snapshot: Snapshot, fictional_store: Store) -> None:
    _, games = fictional_store
    ranks = {one.game.id: one.rank for one in unique(snapshot, None)}
    wide = [game.id for game in games if game.defect == "horizontal"]
    assert sorted(ranks[game_id] for game_id in wide) == list(range(1, len(wide) + 1))
    copied = {game.id for game in games if game.defect in ("exact", "reencoded")}
    copied |= {game.duplicate_of for game in games if game.defect in ("exact", "reencoded")}
    assert len(copied) >= 8
    assert min(ranks[game_id] for game_id in copied) > len(ranks) / 2
    series = [ranks[g.id] for g in games if g.franchise and g.id in ranks and not g.defect]
    single = [ranks[g.id] for g in games if not g.franchise and g.id in ranks and not g.defect]
    assert np.median(single) < np.median(series)


def test_a_copied_game_is_unique_only_once_its_copies_count_as_one(
    snapshot: Snapshot, built: Path, fictional_store: Store
) -> None:
    out = duplicate_ids(built)
    _, games = fictional_store
    pairs = [(game.id, game.duplicate_of) for game in games if game.defect == "exact"]
    assert all((a in out) != (b in out) for a, b in pairs)
    with_copies = {one.game.id: one for one in unique(snapshot, None)}
    without = {one.game.id: one for one in unique(snapshot, None, leave_out=out)}
    assert not out & set(without)
    for pair in pairs:
        (left,) = set(pair) - out
        assert with_copies[left].similarity == pytest.approx(1, abs=1e-5)
        similarity = without[left].similarity
        assert similarity is not None
        assert similarity < 0.999


def test_only_what_is_below_the_limit_comes_and_filters_hold_on_both_sides(snapshot: Snapshot) -> None:
    found = unique(snapshot, None, below=0.6)
    assert found
    assert all(one.similarity is not None and one.similarity < 0.6 for one in found)
    assert len(unique(snapshot, 3, below=0.6)) == 3
    tag = snapshot.tags()[0]
    allowed = {game.id for game in snapshot.games(snapshot.rows(Filter(tags=(tag,))))}
    for one in unique(snapshot, 20, only=Filter(tags=(tag,))):
        assert one.game.id in allowed
        assert one.closest is not None
        assert one.closest.id in allowed


def test_each_of_a_diverse_set_is_the_least_similar_to_those_before_it(snapshot: Snapshot) -> None:
    found = diverse(snapshot, 30)
    rows = [snapshot.ids.index(one.game.id) for one in found]
    assert len(set(rows)) == 30
    assert found[0].similarity is None
    table = snapshot.vectors @ snapshot.vectors.T
    for number in range(1, 30):
        before = table[:, rows[:number]].max(axis=1)
        before[rows[:number]] = np.inf
        assert before[rows[number]] == pytest.approx(before.min(), abs=1e-6)
        assert found[number].similarity == pytest.approx(before.min(), abs=1e-6)
        closest = found[number].closest
        assert closest is not None
        assert closest.id == found[int(table[rows[number], rows[:number]].argmax())].game.id
    cosines = [one.similarity for one in found[1:]]
    assert cosines == sorted(cosines)  # type: ignore[type-var]


def test_a_diverse_set_spans_the_themes_and_stops_where_it_is_told_to(
    snapshot: Snapshot, fictional_store: Store
) -> None:
    _, games = fictional_store
    theme = {game.id: game.theme for game in games}
    size = len(set(theme.values()))
    found = diverse(snapshot, 3 * size)
    assert len({theme[one.game.id] for one in found}) >= 0.8 * size

    def closest_pair(ids: list[str]) -> float:
        part = snapshot.vectors[[snapshot.ids.index(game_id) for game_id in ids]]
        return float((part @ part.T - 2 * np.eye(len(part))).max())

    lonely = unique(snapshot, 3 * size)
    assert closest_pair([one.game.id for one in found]) < closest_pair([one.game.id for one in lonely])
    some = diverse(snapshot, None, below=0.3)
    assert 1 < len(some) < len(snapshot)
    assert all(one.similarity < 0.3 for one in some[1:] if one.similarity is not None)


def test_numbers_that_make_no_sense_and_tags_that_do_not_exist_are_refused(snapshot: Snapshot) -> None:
    for arguments in ({"n": 0}, {"k": 0}, {"below": 2.0}):
        with pytest.raises(UsageError, match="must be|is from"):
            unique(snapshot, **{"n": 5, **arguments})
    with pytest.raises(QueryError, match="no game has the tag"):
        unique(snapshot, only=Filter(tags=("horor",)))


def test_one_game_alone_has_nothing_to_be_compared_with(snapshot: Snapshot) -> None:
    others = snapshot.ids[1:]
    for found in (unique(snapshot, leave_out=others), diverse(snapshot, leave_out=others)):
        assert [(one.game.id, one.similarity, one.closest) for one in found] == [
            (snapshot.ids[0], None, None)
        ]
