from __future__ import annotations

from pathlib import Path

import numpy as np

from steamdino import Snapshot
from steamdino.analysis.folded_matches import folded


def test_each_match_is_shown_once_and_copies_come_after_what_they_are_copies_of(built: Path) -> None:
    snapshot = Snapshot.open(built)
    known = snapshot.manifest.similarity
    assert known is not None
    least = known.usual["pairs"] + 0.72 * (1 - known.usual["pairs"])
    some_copies = 0
    for key in snapshot.ids[::7]:
        matches = snapshot.similar(key, 30)
        folds = folded(snapshot, matches)
        ranks = [match.rank for fold in folds for match in (fold.match, *fold.copies)]
        assert sorted(ranks) == list(range(1, len(matches) + 1))
        assert [fold.match.rank for fold in folds] == sorted(fold.match.rank for fold in folds)
        heads = [fold.match for fold in folds]
        for place, fold in enumerate(folds):
            for copy in fold.copies:
                some_copies += 1
                assert copy.rank > fold.match.rank
                assert _cosine(snapshot, copy.id, fold.match.id) >= least - 1e-5
            for earlier in heads[:place]:  # what leads a fold is a copy of none before it
                assert fold.match.game.sha256 != earlier.game.sha256
                assert _cosine(snapshot, fold.match.id, earlier.id) < least + 1e-5
    assert some_copies > 20


def test_no_matches_make_no_folds(built: Path) -> None:
    assert folded(Snapshot.open(built), []) == []


def _cosine(snapshot: Snapshot, first: str, second: str) -> float:
    rows = [snapshot.row(first), snapshot.row(second)]
    one, two = (np.asarray(snapshot.vectors[row], np.float64) for row in rows)
    return float(one @ two)
