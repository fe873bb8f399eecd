"""A search by id reads lists of neighbours where there are any, and finds what an exact search does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.snapshots import clustered, snapshot_of
from steamdino import Snapshot
from steamdino.index.exact import ExactIndex
from steamdino.records import EVERYTHING, Filter

COUNT = 80


@pytest.fixture(scope="module", params=[0, 20], ids=lambda listed: f"{listed} listed")
def snapshot(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    columns = [{"adult": row % 3 == 0, "tags": ["odd"] if row % 2 else []} for row in range(COUNT)]
    return snapshot_of(tmp_path_factory.mktemp("snapshots"), clustered(COUNT), columns, listed=request.param)


@settings(max_examples=60)
@given(
    row=st.integers(0, COUNT - 1),
    k=st.integers(1, COUNT + 5),
    hidden=st.booleans(),
    tag=st.booleans(),
    without=st.sets(st.integers(0, COUNT - 1), max_size=20),
)
def test_it_finds_what_comparing_all_games_finds(
    snapshot: Snapshot, row: int, k: int, hidden: bool, tag: bool, without: set[int]
) -> None:
    tags = ("odd",) if tag else ()
    only = Filter(tags=tags, adult=not hidden, delisted=True)
    allowed = np.array(
        [(not hidden or other % 3 != 0) and (not tag or other % 2 == 1) for other in range(COUNT)]
    )
    allowed[[*without, row]] = False
    scores = snapshot.vectors.astype(np.float64) @ snapshot.vectors[row].astype(np.float64)
    expected = sorted(np.flatnonzero(allowed), key=lambda other: -scores[other])[:k]
    found = snapshot.similar(f"g{row:03}", k, only=only, without=[f"g{other:03}" for other in without])
    rows = [int(key[1:]) for key in found.ids]
    assert len(set(rows)) == len(rows) == len(expected)
    assert allowed[rows].all()
    np.testing.assert_allclose(scores[rows], scores[expected], atol=1e-6)
    np.testing.assert_allclose(found.similarities, scores[rows], atol=1e-6)
    assert [match.rank for match in found] == list(range(1, len(rows) + 1))


def test_lists_give_the_order_of_an_exact_search_among_identical_banners(tmp_path: Path) -> None:
    vectors = clustered(COUNT)
    vectors[20:60] = vectors[7]
    plain = snapshot_of(tmp_path / "plain", vectors)
    listed = snapshot_of(tmp_path / "listed", vectors, listed=50)
    for row in (7, 20, 59, 0):
        key = f"g{row:03}"
        out = ["g007", "g021", "g022"]
        assert listed.similar(key, 30, without=out).ids == plain.similar(key, 30, without=out).ids


def test_a_list_that_is_long_enough_is_read_and_no_vector_is_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = snapshot_of(tmp_path, clustered(COUNT), listed=12)
    expected = snapshot.similar("g005", 13).ids  # one more than is listed
    compared: list[int] = []
    monkeypatch.setattr(ExactIndex, "nearest", lambda *_, **__: compared.append(1))
    assert snapshot.similar("g005", 12, only=EVERYTHING).ids == expected[:12]
    assert snapshot.similar("g005", 10, without=expected[1:3]).ids == [expected[0], *expected[3:12]]
    assert not compared
    with pytest.raises(TypeError):
        snapshot.similar("g005", 10, without=expected[1:4])
    assert compared
