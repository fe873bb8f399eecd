"""`min_similarity` and `min_percentile`: a ranking ends where the first match fails, whatever else shortens it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from fakes.snapshots import clustered, snapshot_of
from steamdino import Snapshot
from steamdino.analysis.neighbourhood import Neighbourhood
from steamdino.errors import UsageError
from steamdino.index.exact import ExactIndex
from steamdino.records import EVERYTHING, Filter
from steamdino.search.cutoff import Cutoff

COUNT = 80
DECIMALS = 1e-6
"""Cosines nearer to a limit than this may fall on either side of it, since answers show six decimals."""


@pytest.fixture(scope="module", params=[0, 20], ids=lambda listed: f"{listed} listed")
def snapshot(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    columns = [{"adult": row % 3 == 0, "tags": ["odd"] if row % 2 else []} for row in range(COUNT)]
    return snapshot_of(tmp_path_factory.mktemp("snapshots"), clustered(COUNT), columns, listed=request.param)


def percentile(snapshot: Snapshot, cosine: float) -> float:
    """Read a percentile off the stored quantiles: the share where the line through them reaches the cosine."""
    shares, cosines = zip(*snapshot.manifest.similarity.quantiles, strict=True)  # type: ignore[union-attr]
    if cosine <= cosines[0]:
        return 100 * shares[0]
    for (low, left), (high, right) in zip(
        zip(shares, cosines, strict=True), [*zip(shares, cosines, strict=True)][1:], strict=False
    ):
        if left <= cosine < right:
            return 100 * (low + (high - low) * (cosine - left) / (right - left))
    return 100 * shares[-1]


@settings(max_examples=80)
@given(
    row=st.integers(0, COUNT - 1),
    k=st.integers(1, COUNT + 5),
    tag=st.booleans(),
    hidden=st.booleans(),
    without=st.sets(st.integers(0, COUNT - 1), max_size=10),
    similarity=st.none() | st.floats(-1, 1),
    share=st.none() | st.floats(0, 100),
)
def test_it_finds_all_that_reach_both_minima_and_nothing_else(
    snapshot: Snapshot,
    row: int,
    k: int,
    tag: bool,
    hidden: bool,
    without: set[int],
    similarity: float | None,
    share: float | None,
) -> None:
    only = Filter(tags=("odd",) if tag else (), adult=not hidden, delisted=True)
    scores = snapshot.vectors.astype(np.float64) @ snapshot.vectors[row].astype(np.float64)
    expected = []
    for other in np.argsort(-scores, kind="stable").tolist():
        allowed = (not hidden or other % 3 != 0) and (not tag or other % 2 == 1)
        if other == row or other in without or not allowed:
            continue
        cosine = float(scores[other])
        found = percentile(snapshot, cosine)
        assume(similarity is None or abs(cosine - similarity) > DECIMALS)
        assume(share is None or abs(found - share) > 1e-3)
        if (similarity is None or cosine >= similarity) and (share is None or found >= share):
            expected.append(cosine)
    matches = snapshot.similar(
        f"g{row:03}",
        k,
        min_similarity=similarity,
        min_percentile=share,
        only=only,
        without=[f"g{other:03}" for other in without],
    )
    np.testing.assert_allclose(matches.similarities, expected[:k], atol=1e-6)
    assert [match.rank for match in matches] == list(range(1, len(matches) + 1))
    whole = snapshot.similar(f"g{row:03}", k, only=only, without=[f"g{other:03}" for other in without])
    assert list(matches) == list(whole)[: len(matches)]


def test_the_value_of_a_match_finds_it_as_it_is_and_as_answers_show_it(snapshot: Snapshot) -> None:
    for row in range(0, COUNT, 7):
        whole = snapshot.similar(f"g{row:03}", 40, only=EVERYTHING)
        for match in list(whole)[:15]:
            for similarity in (match.similarity, round(match.similarity, 6)):
                found = snapshot.similar(f"g{row:03}", 40, min_similarity=similarity, only=EVERYTHING)
                assert match in list(found)
            assert match.percentile is not None
            for share in (match.percentile, round(match.percentile, 5)):
                found = snapshot.similar(f"g{row:03}", 40, min_percentile=share, only=EVERYTHING)
                assert match in list(found)


def test_a_list_of_neighbours_answers_it_without_comparing_vectors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = snapshot_of(tmp_path, clustered(COUNT), listed=12)
    expected = snapshot.similar("g005", 12, only=EVERYTHING)
    least = expected[4].similarity
    monkeypatch.setattr(ExactIndex, "nearest", lambda *_, **__: pytest.fail("vectors were compared"))
    assert snapshot.similar("g005", 12, min_similarity=least, only=EVERYTHING).ids == expected.ids[:5]


def test_it_applies_to_mixtures_and_to_pictures(built: Path) -> None:
    snapshot = Snapshot.open(built)
    picture = snapshot.game("neonoir").picture
    assert picture is not None
    for ask in (
        lambda **least: snapshot.similar("neonoir", 40, plus=["hollow-avenue"], **least),
        lambda **least: snapshot.similar(picture, 40, **least),
    ):
        whole = ask()
        middle = whole[20]
        assert ask(min_similarity=middle.similarity).ids == whole.ids[:21]
        assert set(ask(min_percentile=whole[5].percentile).ids) >= set(whole.ids[:6])
        assert len(ask(min_percentile=whole[5].percentile)) < 40


def test_alike_is_a_minimum_beside_the_others(snapshot: Snapshot) -> None:
    assert Cutoff.of(None, 50, alike=True) == Cutoff(None, 99.9)
    assert Cutoff.of(0.3, 99.99, alike=True) == Cutoff(0.3, 99.99)
    assert not Cutoff.of(None, None, alike=False)
    assert Cutoff.of(None, 0, alike=False)  # leaves out what has no percentile


@pytest.mark.parametrize(
    ("least", "told"),
    [
        ({"min_similarity": 1.5}, "the minimum similarity is 1.5; it must be from -1 to 1"),
        ({"min_similarity": -1.01}, "the minimum similarity is -1.01; it must be from -1 to 1"),
        ({"min_similarity": float("nan")}, "the minimum similarity is nan; it must be from -1 to 1"),
        ({"min_percentile": 100.5}, "the minimum percentile is 100.5; it must be from 0 to 100"),
        ({"min_percentile": -1}, "the minimum percentile is -1; it must be from 0 to 100"),
        ({"min_percentile": float("inf")}, "the minimum percentile is inf; it must be from 0 to 100"),
    ],
)
def test_a_minimum_out_of_range_is_refused(snapshot: Snapshot, least: dict[str, float], told: str) -> None:
    with pytest.raises(UsageError) as raised:
        snapshot.similar("g000", **least)  # type: ignore[arg-type]
    assert str(raised.value) == told


def test_nothing_reaches_a_percentile_where_none_is_known(gallery: Path) -> None:
    manifest = next(gallery.glob("snapshots/*/*/manifest.json"))
    record = json.loads(manifest.read_text())
    del record["similarity"]
    manifest.write_text(json.dumps(record))
    snapshot = Snapshot.open(gallery)
    assert len(snapshot.similar("Rainproof", 3, min_similarity=-1)) == 3
    assert len(snapshot.similar("Rainproof", 3, min_percentile=0)) == 0
    assert (Neighbourhood.of(snapshot, 3, cutoff=Cutoff(None, 0)).rows == -1).all()


def test_many_queries_at_once_are_cut_like_one(snapshot: Snapshot) -> None:
    for cutoff in (Cutoff(0.5), Cutoff(None, 90), Cutoff(0.4, 80)):
        table = Neighbourhood.of(snapshot, 15, only=EVERYTHING, cutoff=cutoff)
        lengths = set()
        for query, rows, _ in table:
            alone = snapshot.similar(
                f"g{query:03}",
                15,
                min_similarity=cutoff.min_similarity,
                min_percentile=cutoff.min_percentile,
                only=EVERYTHING,
            )
            assert [f"g{row:03}" for row in rows] == alone.ids
            lengths.add(len(rows))
        assert len(lengths) > 3, "the cutoff cut nothing"
