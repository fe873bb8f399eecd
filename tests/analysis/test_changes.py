"""Changes of a real gallery: what is found, and what it is compared with."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fakes.history import backdate

from steamdino import Snapshot
from steamdino.analysis.changes import NEVER_ENCODED, NO_BANNER, NOT_BUILT, Changes
from steamdino.analysis.closest_older import closest_older
from steamdino.analysis.period import Period
from steamdino.errors import QueryError, UsageError
from steamdino.gallery import Gallery
from steamdino.gallery.history import ART, BACK, LEFT, NEW
from steamdino.pipeline import add, build
from steamdino.records import Filter

Paint = Callable[..., Path]
EVER = Period("2000-01-01", "2100-01-01")


def _table(folder: Path, ids: str, tags: str = "") -> Path:
    path = folder / "games.csv"
    rows = "".join(f"{key},Game {key},{key}.jpg,{tags or 'Horror'}\n" for key in ids)
    path.write_text("id,name,path,tags\n" + rows)
    return path


@pytest.fixture
def store(tmp_path: Path, paint: Paint) -> Path:
    """A folder with a table of six games, which were added long ago."""
    for number, key in enumerate("abcdef"):
        paint(tmp_path / "covers" / f"{key}.jpg", number)
    add(tmp_path / "g", _table(tmp_path / "covers", "abcdef"), copy=True)
    build(tmp_path / "g")
    backdate(tmp_path / "g", 30)
    return tmp_path / "covers"


@pytest.fixture
def gallery(store: Path) -> Path:
    return store.parent / "g"


Open = Callable[..., Changes]


@pytest.fixture
def changes(gallery: Path) -> Iterator[Open]:
    opened = []

    def find(**options: object) -> Changes:
        opened.append(Gallery.open(gallery))
        return Changes(opened[-1], Snapshot.open(gallery), EVER, **options)  # type: ignore[arg-type]

    yield find
    for one in opened:
        one.close()


def test_a_new_game_comes_with_the_closest_one_that_was_there_before(
    store: Path, gallery: Path, paint: Paint, changes: Open
) -> None:
    paint(store / "x.jpg", 3, quality=50)  # looks like d
    paint(store / "y.jpg", 3, quality=60)  # and so does this one, which comes at the same time
    add(gallery, _table(store, "abcdefxy"))
    build(gallery)
    with closing(sqlite3.connect(gallery / "gallery.sqlite")) as db, db:
        db.execute(
            "UPDATE games SET added_at = (SELECT max(added_at) FROM games) WHERE game_id IN ('x', 'y')"
        )
    found = changes()
    assert (len(found), found.counts[NEW]) == (2, 2)
    for change in found.page(0, 10):
        assert (change.what, change.closest and change.closest.id) == (NEW, "d")
        expected = Snapshot.open(gallery).similar(change.game.id, 2)
        (match,) = [one for one in expected if one.id == "d"]
        assert change.closest
        assert change.closest.similarity == pytest.approx(match.similarity, abs=1e-6)
        assert change.closest.percentile == pytest.approx(match.percentile, abs=0.01)


def test_a_changed_banner_comes_with_its_similarity_to_the_one_before(
    store: Path, gallery: Path, paint: Paint, changes: Open
) -> None:
    before = Snapshot.open(gallery)
    old = before.vectors[before.row("a")].copy()
    kept = store / "a.jpg"
    first = kept.read_bytes()
    paint(kept, 77)
    add(gallery, store / "games.csv", keep_old=True)
    build(gallery)
    (change,) = changes().page(0, 10)
    new = Snapshot.open(gallery)
    assert (change.what, change.game.id, change.again) == (ART, "a", False)
    assert change.similarity == pytest.approx(float(old @ new.vectors[new.row("a")]), abs=1e-5)
    assert change.percentile == new.percentile(change.similarity)
    assert change.before and change.before.location and change.before.location.read().data == first
    assert change.after and change.after.location and change.after.location.read().data == kept.read_bytes()


def test_a_banner_that_returns_is_an_earlier_one_again(
    store: Path, gallery: Path, paint: Paint, changes: Open
) -> None:
    first = (store / "a.jpg").read_bytes()
    paint(store / "a.jpg", 77)
    add(gallery, store / "games.csv")
    build(gallery)
    backdate(gallery, 1)
    (store / "a.jpg").write_bytes(first)
    add(gallery, store / "games.csv")
    build(gallery)
    back, away = changes().page(0, 10)
    assert (back.again, away.again) == (True, False)
    assert back.similarity == pytest.approx(away.similarity)
    # The first picture is shown now, so it has a file; the second one was not kept.
    assert back.after and back.after.location
    assert away.before and away.before.location
    assert back.before and back.before.location is None


def test_a_banner_between_two_builds_has_no_similarity_and_says_so(
    store: Path, gallery: Path, paint: Paint, changes: Open
) -> None:
    for seed in (77, 78):
        paint(store / "a.jpg", seed)
        add(gallery, store / "games.csv")
    build(gallery)
    found = changes().page(0, 10)
    assert [(one.similarity, one.unknown) for one in found] == 2 * [(None, NEVER_ENCODED)]


def test_games_that_left_and_came_back_are_both_there(store: Path, gallery: Path, changes: Open) -> None:
    add(gallery, _table(store, "bcdef"))
    backdate(gallery, 1)
    add(gallery, _table(store, "abcdef"))
    found = changes()
    assert [(one.what, one.game.id, one.gone) for one in found.page(0, 10)] == [
        (BACK, "a", False),
        (LEFT, "a", False),
    ]
    assert [(day.start, day.count) for day in found.days().values()] == [(0, 1), (1, 1)]


def test_first_banners_that_come_later_are_news_and_removed_ones_too(
    store: Path, gallery: Path, paint: Paint, changes: Open
) -> None:
    table = store / "games.csv"
    table.write_text(table.read_text() + "x,Game x,,Horror\n")
    add(gallery, table)
    build(gallery)
    (bare,) = changes().page(0, 10)
    assert (bare.what, bare.unknown) == (NEW, NO_BANNER)
    backdate(gallery, 1)
    paint(store / "x.jpg", 3, quality=50)
    add(gallery, _table(store, "abcdefx"))
    (waiting, _) = changes().page(0, 10)
    assert (waiting.what, waiting.unknown) == (ART, NOT_BUILT)
    build(gallery)
    first, new = changes().page(0, 10)
    assert (first.what, first.before, first.closest and first.closest.id) == (ART, None, "d")
    assert (new.what, new.closest and new.closest.id) == (NEW, "d")
    backdate(gallery, 1)
    table.write_text(table.read_text().replace("x.jpg", ""))
    add(gallery, table)
    removed = changes().page(0, 1)[0]
    assert (removed.what, removed.after, removed.unknown) == (ART, None, "")


def test_filters_look_at_the_columns_of_present_and_gone_games(
    store: Path, gallery: Path, changes: Open
) -> None:
    table = _table(store, "bcdef")
    table.write_text(table.read_text() + "x,Game x,,Puzzle\n")
    add(gallery, table)
    build(gallery)
    assert {one.game.id for one in changes(only=Filter(("horror",))).page(0, 10)} == {"a"}
    assert {one.game.id for one in changes(only=Filter(("puzzle",))).page(0, 10)} == {"x"}
    assert [one.what for one in changes(whats=[LEFT]).page(0, 10)] == [LEFT]
    with pytest.raises(QueryError, match="no game has the tag 'horor'; did you mean: horror"):
        changes(only=Filter(("horor",)))
    with pytest.raises(UsageError, match="no kind of change 'newer'; there are: new, art, left, back"):
        changes(whats=["newer"])


def test_adult_only_games_are_hidden_unless_asked_for(store: Path, gallery: Path, changes: Open) -> None:
    table = store / "games.csv"
    table.write_text(
        "id,name,path,tags,adult\n" + "".join(f"{k},{k},{k}.jpg,,\n" for k in "abcdef") + "x,x,,,1\n"
    )
    add(gallery, table)
    assert len(changes()) == 0
    assert len(changes(only=Filter(adult=True))) == 1


def test_without_a_snapshot_changes_are_found_and_nothing_is_compared(
    store: Path, gallery: Path, paint: Paint
) -> None:
    paint(store / "a.jpg", 77)
    add(gallery, store / "games.csv")
    with Gallery.open(gallery) as opened:
        (change,) = Changes(opened, None, EVER).page(0, 10)
    assert (change.what, change.similarity) == (ART, None)


def test_pages_join_to_the_whole_list(store: Path, gallery: Path, paint: Paint, changes: Open) -> None:
    for number, key in enumerate("abcdef"):
        paint(store / f"{key}.jpg", 100 + number)
    add(gallery, store / "games.csv")
    build(gallery)
    found = changes()
    whole = found.page(0, 100)
    assert len(whole) == len(found) == 6
    assert [one for start in (0, 2, 4) for one in found.page(start, 2)] == whole
    assert found.page(6, 10) == []


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_the_closest_older_game_is_the_one_that_a_loop_finds(built: Path, data: st.DataObject) -> None:
    snapshot = Snapshot.open(built)
    seed = data.draw(st.integers(0, 2**32 - 1))
    share = data.draw(st.sampled_from([0.0, 0.02, 0.5, 1.0]))
    rng = np.random.default_rng(seed)
    days = np.where(rng.random(len(snapshot)) < share, rng.integers(1, 28, len(snapshot)), 28)
    added = {key: f"2026-10-{day:02}T00:00:00+00:00" for key, day in zip(snapshot.ids, days, strict=True)}
    rows = rng.choice(len(snapshot), 5, replace=False)
    wanted = [(snapshot.ids[row], None, added[snapshot.ids[row]]) for row in rows]
    found = closest_older(snapshot, wanted, added, Filter(adult=True))
    for row, match in zip(rows, found, strict=True):
        older = np.flatnonzero(days < days[row])
        if not len(older):
            assert match is None
            continue
        cosines = snapshot.vectors[older] @ snapshot.vectors[row]
        assert match is not None
        assert match.similarity == pytest.approx(float(cosines.max()), abs=1e-5)
        assert days[snapshot.row(match.id)] < days[row]
