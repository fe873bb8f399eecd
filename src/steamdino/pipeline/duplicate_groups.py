"""Groups the games of a gallery whose banners show the same, under a person's decisions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np

from steamdino.analysis.duplicate_detection import (
    IDENTICAL,
    NO_TIER,
    RE_ENCODED,
    TIERS,
    DuplicatePairs,
)
from steamdino.analysis.duplicate_grouping import Group, groups, paired_rows
from steamdino.banners.lossless import is_lossless
from steamdino.gallery import Gallery
from steamdino.gallery.curation import KEEP, SAME, Decision, Original
from steamdino.gallery.layout import located, location
from steamdino.index.snapshot_reader import SnapshotReader
from steamdino.index.vector_index import Index
from steamdino.pipeline.keep_rules import AS_USUAL, Candidate, KeepRules
from steamdino.pipeline.stored_descriptions import RowBanners
from steamdino.storage.location import Location


@dataclass(frozen=True, slots=True)
class Member:
    """A game in a group of duplicates.

    Attributes:
        game_id, name: the game's.
        location: where its banner can be read: the gallery's copy if it was copied. None if that is unknown.
        path: the file that it was added from, or its address at a store; empty if it is unknown.
        width, height: of the banner, in pixels.
        similarity: cosine to the representative; None for the representative itself.
        removable: whether removing it loses nothing: the representative shows the same, in at least as many pixels
            unless rules were given by which it is kept, and nobody decided to keep this one.
        sha256: of the banner's bytes.
    """

    game_id: str
    name: str
    location: Location | None
    path: str
    width: int
    height: int
    similarity: float | None
    removable: bool
    sha256: str


@dataclass(frozen=True, slots=True)
class Duplicates:
    """A group of games whose banners show the same.

    Attributes:
        tier: of `TIERS`.
        representative: the one to keep.
        others: the others.
        reason: why it is kept, as a part of a sentence.
    """

    tier: str
    representative: Member
    others: tuple[Member, ...]
    reason: str

    @property
    def members(self) -> tuple[Member, ...]:
        """All of them, the one to keep first."""
        return (self.representative, *self.others)


@dataclass(frozen=True, slots=True, eq=False)
class FoundDuplicates:
    """Pairs of games whose banners show the same, whatever a person decided about them. Threads may share it."""

    reader: SnapshotReader
    pairs: tuple[DuplicatePairs, ...]
    kind: str
    tiers: tuple[str, ...]

    def decided(self, decisions: Sequence[Decision]) -> list[DuplicatePairs]:
        """Return the pairs as they are under a person's decisions."""
        pairs = [replace(part, tiers=part.tiers.copy()) for part in self.pairs]
        return pairs + _decided(pairs, self.reader, decisions)

    def groups(self, opened: Gallery, rules: KeepRules = AS_USUAL) -> list[Duplicates]:
        """Group the games under the decisions of a gallery that is open for reading.

        Args:
            opened: the gallery.
            rules: by which the one to keep is chosen.
        """
        index = self.reader.index
        decisions = list(opened.curation.decisions())
        pairs = self.decided(decisions)
        banners = RowBanners(self.reader, opened, self.kind)
        paired = paired_rows(pairs, len(index))
        banners.load(paired)
        kept = {one.game for one in decisions if one.verdict == KEEP}
        originals = dict(banners.originals(paired))
        grouping = _Grouping(index, banners, originals, kept, str(opened.root), rules)
        return [
            grouping.described(group)
            for group in groups(pairs, len(index), grouping.rank, index.similarity, self.tiers)
        ]


def _decided(
    pairs: Iterable[DuplicatePairs], reader: SnapshotReader, decisions: Sequence[Decision]
) -> list[DuplicatePairs]:
    """Leave out the pairs that a person decided on; return those that count as re-encoded, since they are the same."""
    verdicts: dict[tuple[int, int], str] = {}
    for one in decisions:
        rows = [reader.row(game) for game in (one.game, one.other) if game]
        if len(rows) == 2 and rows[0] is not None and rows[1] is not None:
            verdicts[min(rows[0], rows[1]), max(rows[0], rows[1])] = one.verdict
    if not verdicts:
        return []
    count = len(reader.index)
    keys = np.array([first * count + second for first, second in verdicts])
    for part in pairs:
        for chunk in part.chunks():
            chunk.tiers[np.isin(chunk.first * count + chunk.second, keys)] = NO_TIER
    same = np.array(sorted(pair for pair, verdict in verdicts.items() if verdict == SAME), np.intp).reshape(
        -1, 2
    )
    tiers = np.full(len(same), TIERS.index(RE_ENCODED), np.uint8)
    return [DuplicatePairs(same[:, 0], same[:, 1], tiers)]


class _Grouping:
    """Describes groups of rows by what the gallery knows of their banners."""

    def __init__(
        self,
        index: Index,
        banners: RowBanners,
        originals: Mapping[int, Original],
        kept: Collection[str],
        root: str,
        rules: KeepRules,
    ) -> None:
        self._index, self._banners, self._originals = index, banners, originals
        self._kept, self._root, self._rules = kept, root, rules
        self._candidate = cache(self._candidate_of)

    def rank(self, row: int) -> tuple[object, ...]:
        """What makes a row a group's representative."""
        return self._rules.rank(self._candidate(row))

    def described(self, group: Group) -> Duplicates:
        """A group's games and their pictures."""
        best = group.representative
        second = min(group.others, key=self.rank)
        return Duplicates(
            group.tier,
            self._member(group.tier, best, best),
            tuple(self._member(group.tier, row, best) for row in group.others),
            self._rules.reason(self._candidate(best), self._candidate(second)),
        )

    def _member(self, tier: str, row: int, best: int) -> Member:
        one, kept = self._banners[row], self._banners[best]
        is_copy = row != best and tier in (IDENTICAL, RE_ENCODED)
        loses = not self._rules.rules and one.width * one.height > kept.width * kept.height
        return Member(
            one.game_id,
            one.name,
            location(one.path, self._root) if one.path else None,
            self._candidate(row).path,
            one.width,
            one.height,
            None if row == best else self._index.similarity(row, best),
            is_copy and not loses and one.game_id not in self._kept,
            one.sha256,
        )

    def _candidate_of(self, row: int) -> Candidate:
        one = self._banners[row]
        original = self._originals.get(row) or Original(
            one.game_id, "", True, 0, 0, 0, "", one.mode, one.width, one.height
        )
        picture = located(one.path, self._root) if one.path else Path()
        if original.from_store or not original.origin:
            path = original.origin
        else:
            path = location(original.origin, self._root).address
        return Candidate(
            original,
            path,
            is_lossless(original.format, original.mode, picture),
            one.game_id in self._kept,
        )
