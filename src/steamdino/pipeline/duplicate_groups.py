"""Groups the games of a gallery whose banners show the same, under a person's decisions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from steamdino.analysis.duplicate_detection import (
    IDENTICAL,
    RE_ENCODED,
    TIERS,
    DuplicatePair,
    Group,
    find_pairs,
    groups,
)
from steamdino.analysis.evaluation.baselines import difference_hash
from steamdino.banners.read import read_picture
from steamdino.errors import PictureError, UsageError
from steamdino.gallery import Gallery
from steamdino.gallery.curation import KEEP, SAME, Decision, Shown
from steamdino.gallery.layout import VERTICAL, located, location
from steamdino.index.snapshot_reader import SnapshotReader
from steamdino.index.snapshot_selection import open_newest
from steamdino.records import EVERYTHING, Filter, Progress


@dataclass(frozen=True, slots=True)
class Member:
    """A game in a group of duplicates.

    Attributes:
        game_id, name: the game's.
        picture: its banner's file.
        width, height: of the banner, in pixels.
        similarity: cosine to the representative; None for the representative itself.
        removable: whether removing it loses no picture: the representative shows the same, and nobody decided to keep
            this one.
    """

    game_id: str
    name: str
    picture: Path
    width: int
    height: int
    similarity: float | None
    removable: bool


@dataclass(frozen=True, slots=True)
class Duplicates:
    """A group of games whose banners show the same: the one to keep, and the others."""

    tier: str
    representative: Member
    others: tuple[Member, ...]

    @property
    def members(self) -> tuple[Member, ...]:
        """All of them, the one to keep first."""
        return (self.representative, *self.others)


def duplicates(
    gallery: str | Path,
    recipe: str | None = None,
    *,
    kind: str = VERTICAL,
    tiers: Sequence[str] = TIERS[:3],
    only: Filter = EVERYTHING,
    progress: Progress | None = None,
) -> list[Duplicates]:
    """Group the games whose banners show the same, the strictest tier first.

    Args:
        gallery: its folder.
        recipe: whose vectors to compare; None for the newest.
        kind: of banner.
        tiers: which to look for, of `analysis.duplicate_detection.TIERS`.
        only: among which games; by default all, hidden ones included.
        progress: called with (done, total) of the games.

    Raises:
        SnapshotError: the gallery is not built yet.
        UsageError: there is no such tier.
    """
    for tier in tiers:
        if tier not in TIERS:
            raise UsageError(f"there is no tier {tier!r}; there are: {', '.join(TIERS)}")
    reader = open_newest(Path(gallery), recipe, kind=kind)
    with Gallery.open(gallery) as opened:
        known = {one.game_id: one for one in opened.curation.shown(kind)}
        decisions = list(opened.curation.decisions())
        root = opened.root
    allowed = reader.allowed(only)
    grouping = _Grouping(reader, known, decisions, str(root))
    return grouping.find(tiers, allowed, progress)


def duplicate_ids(
    gallery: str | Path, recipe: str | None = None, *, kind: str = VERTICAL, progress: Progress | None = None
) -> set[str]:
    """The ids of games whose banner is a copy of another's, identical or re-encoded; one of each group is left out.

    Raises:
        SnapshotError: the gallery is not built yet.
    """
    same = duplicates(gallery, recipe, kind=kind, tiers=(IDENTICAL, RE_ENCODED), progress=progress)
    # A group's own representative may be a copy in a group of another tier.
    return {member.game_id for group in same for member in group.others}


class _Grouping:
    """A snapshot's rows, with what the gallery knows of their banners."""

    def __init__(
        self, reader: SnapshotReader, known: Mapping[str, Shown], decisions: Sequence[Decision], root: str
    ) -> None:
        self._reader = reader
        self._ids = reader.ids
        self._index = reader.index
        self._known = known
        self._decisions = decisions
        self._kept = {one.game for one in decisions if one.verdict == KEEP}
        self._root = root

    def find(
        self, tiers: Sequence[str], allowed: NDArray[np.bool_] | None, progress: Progress | None
    ) -> list[Duplicates]:
        similarity = self._reader.manifest.similarity
        usual = similarity.usual["pairs"] if similarity else 0.0
        found = find_pairs(
            self._index, self._reader.sha256s, usual, self._hashes(), tiers=tiers, progress=progress
        )
        pairs = [
            pair
            for pair in self._decided(found)
            if allowed is None or (allowed[pair.first] and allowed[pair.second])
        ]
        rows = sorted({row for pair in pairs for row in (pair.first, pair.second)})
        names = {game.id: game.name for game in self._reader.games(rows)}
        return [self._described(group, names) for group in groups(pairs, self._rank) if group.tier in tiers]

    def _rank(self, row: int) -> tuple[object, ...]:
        """What makes a row a group's representative: kept by a person, many pixels, a short id."""
        game_id = self._ids[row]
        one = self._known.get(game_id)
        pixels = one.width * one.height if one else 0
        return (game_id not in self._kept, -pixels, len(game_id), game_id)

    def _hashes(self) -> Callable[[int], NDArray[np.uint8] | None]:
        """Difference hashes of pictures, computed on demand: only those of close pairs are needed."""
        made: dict[int, NDArray[np.uint8] | None] = {}

        def hash_of(row: int) -> NDArray[np.uint8] | None:
            if row not in made:
                made[row] = self._hash(row)
            return made[row]

        return hash_of

    def _hash(self, row: int) -> NDArray[np.uint8] | None:
        one = self._known.get(self._ids[row])
        if one is None:
            return None
        try:
            return difference_hash(read_picture(location(one.path, self._root)))
        except PictureError:
            return None

    def _decided(self, pairs: Sequence[DuplicatePair]) -> list[DuplicatePair]:
        """Pairs after a person's decisions: "different" removes a pair, "same" makes it count as re-encoded."""
        row_of = {game_id: row for row, game_id in enumerate(self._ids)}
        verdicts = {
            tuple(sorted((row_of[one.game], row_of[one.other]))): one.verdict
            for one in self._decisions
            if one.other and one.game in row_of and one.other in row_of
        }
        left = [pair for pair in pairs if verdicts.get((pair.first, pair.second)) is None]
        return left + [
            DuplicatePair(first, second, RE_ENCODED, self._index.similarity(first, second))
            for (first, second), verdict in sorted(verdicts.items())
            if verdict == SAME
        ]

    def _described(self, group: Group, names: Mapping[str, str]) -> Duplicates:
        best = group.representative
        return Duplicates(
            group.tier,
            self._member(group.tier, best, names, None),
            tuple(
                self._member(group.tier, row, names, self._index.similarity(row, best))
                for row in group.others
            ),
        )

    def _member(self, tier: str, row: int, names: Mapping[str, str], similarity: float | None) -> Member:
        """One member; the representative has no similarity."""
        game_id = self._ids[row]
        one = self._known.get(game_id)
        is_copy = similarity is not None and tier in (IDENTICAL, RE_ENCODED)
        return Member(
            game_id,
            names[game_id],
            located(one.path, self._root) if one else Path(),
            one.width if one else 0,
            one.height if one else 0,
            similarity,
            is_copy and game_id not in self._kept,
        )
