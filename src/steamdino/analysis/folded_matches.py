"""Folds near-copies among matches into the first of each, so that one picture does not fill a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from steamdino.records import Match
from steamdino.search import Snapshot

FOLDED = 0.72
"""Lowest standardised similarity, ``(cosine - median) / (1 - median)``, of near-copies."""


@dataclass(frozen=True, slots=True)
class FoldedMatch:
    """A match, and the matches after it that show the same picture, the most similar to the query first."""

    match: Match
    copies: tuple[Match, ...] = ()


def folded(snapshot: Snapshot, matches: Sequence[Match]) -> list[FoldedMatch]:
    """Fold near-copies of a match into it.

    A match is a near-copy of an earlier one if their standardised similarity is at least `FOLDED`. It is compared with
    those that lead a fold, and not with their copies, so that a chain of small changes does not end in one fold.

    Args:
        snapshot: the snapshot that was searched.
        matches: some of its matches, the most similar first. Their number is squared, so pass a page of them.
    """
    known = snapshot.manifest.similarity
    usual = known.usual["pairs"] if known else 0.0
    least = usual + FOLDED * (1 - usual)
    rows = [row for match in matches if (row := snapshot.row(match.id)) is not None]
    vectors = snapshot.vectors[rows]
    alike = vectors @ vectors.T >= least
    leaders: dict[int, list[Match]] = {}
    for place, match in enumerate(matches):
        head = next((one for one in leaders if alike[place, one]), place)
        if head == place:
            leaders[place] = []
        else:
            leaders[head].append(match)
    return [FoldedMatch(matches[place], tuple(copies)) for place, copies in leaders.items()]
