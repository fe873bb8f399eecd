"""Groups the games of a gallery whose banners show the same, under a person's decisions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from steamdino.analysis.duplicate_detection import (
    IDENTICAL,
    NO_TIER,
    RE_ENCODED,
    TIERS,
    DuplicatePairs,
    find_pairs,
)
from steamdino.analysis.duplicate_grouping import Group, groups, paired_rows
from steamdino.errors import UsageError
from steamdino.gallery import Gallery
from steamdino.gallery.curation import KEEP, SAME, Decision
from steamdino.gallery.layout import VERTICAL, located
from steamdino.index.snapshot_reader import SnapshotReader
from steamdino.index.snapshot_selection import open_newest
from steamdino.index.vector_index import Index
from steamdino.pipeline.stored_hashes import RowBanners, StoredHashes
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
        sha256: of the banner's bytes.
    """

    game_id: str
    name: str
    picture: Path
    width: int
    height: int
    similarity: float | None
    removable: bool
    sha256: str


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
    stored_only: bool = False,
) -> list[Duplicates]:
    """Group the games whose banners show the same, the strictest tier first.

    Args:
        gallery: its folder.
        recipe: whose vectors to compare; None for the newest.
        kind: of banner.
        tiers: which to look for, of `analysis.duplicate_detection.TIERS`.
        only: among which games; by default all, hidden ones included.
        progress: called with (done, total) of the games.
        stored_only: decode at most `stored_hashes.FEW` pictures, and write nothing to the gallery.

    Raises:
        SnapshotError: the gallery is not built yet.
        UsageError: there is no such tier.
        NotComputedError: with `stored_only`, if `steam-dino check` has to decode more pictures first.
    """
    found = find_duplicates(
        gallery, recipe, kind=kind, tiers=tiers, only=only, progress=progress, stored_only=stored_only
    )
    with Gallery.open(gallery) as opened:
        return found.groups(opened)


def find_duplicates(
    gallery: str | Path,
    recipe: str | None = None,
    *,
    kind: str = VERTICAL,
    tiers: Sequence[str] = TIERS[:3],
    only: Filter = EVERYTHING,
    progress: Progress | None = None,
    stored_only: bool = False,
) -> FoundDuplicates:
    """Find the pairs of games whose banners show the same. Takes and raises the same as `duplicates`."""
    for tier in tiers:
        if tier not in TIERS:
            raise UsageError(f"there is no tier {tier!r}; there are: {', '.join(TIERS)}")
    reader = open_newest(Path(gallery), recipe, kind=kind)
    allowed = reader.allowed(only)
    with Gallery.open(gallery) as opened:
        hashes = StoredHashes(RowBanners(reader, opened, kind), opened, stored_only=stored_only)
        similarity = reader.manifest.similarity
        found = find_pairs(
            reader.index,
            reader.every_sha256(),
            similarity.usual["pairs"] if similarity else 0.0,
            hashes.of,
            tiers=tiers,
            progress=progress,
        )
    _leave_out(found, allowed)
    hashes.store()
    return FoundDuplicates(reader, tuple(found), kind, tuple(tiers))


@dataclass(frozen=True, slots=True, eq=False)
class FoundDuplicates:
    """Pairs of games whose banners show the same, whatever a person decided about them. Threads may share it."""

    reader: SnapshotReader
    pairs: tuple[DuplicatePairs, ...]
    kind: str
    tiers: tuple[str, ...]

    def groups(self, opened: Gallery) -> list[Duplicates]:
        """Group the games under the decisions of a gallery that is open for reading."""
        index = self.reader.index
        pairs = [replace(part, tiers=part.tiers.copy()) for part in self.pairs]
        decisions = list(opened.curation.decisions())
        pairs += _decided(pairs, self.reader, decisions)
        banners = RowBanners(self.reader, opened, self.kind)
        banners.load(paired_rows(pairs, len(index)))
        kept = {one.game for one in decisions if one.verdict == KEEP}
        grouping = _Grouping(index, banners, kept, str(opened.root))
        return [
            grouping.described(group)
            for group in groups(pairs, len(index), grouping.rank, index.similarity, self.tiers)
        ]


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


def _leave_out(pairs: Iterable[DuplicatePairs], allowed: NDArray[np.bool_] | None) -> None:
    """Keep the pairs of which a filter allows both games."""
    if allowed is None:
        return
    for part in pairs:
        for chunk in part.chunks():
            chunk.tiers[~(allowed[chunk.first] & allowed[chunk.second])] = NO_TIER


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

    def __init__(self, index: Index, banners: RowBanners, kept: Collection[str], root: str) -> None:
        self._index, self._banners, self._kept, self._root = index, banners, kept, root

    def rank(self, row: int) -> tuple[object, ...]:
        """What makes a row a group's representative: kept by a person, many pixels, a short id."""
        one = self._banners[row]
        return (one.game_id not in self._kept, -one.width * one.height, len(one.game_id), one.game_id)

    def described(self, group: Group) -> Duplicates:
        """A group's games and their pictures."""
        best = group.representative
        return Duplicates(
            group.tier,
            self._member(group.tier, best, None),
            tuple(self._member(group.tier, row, self._index.similarity(row, best)) for row in group.others),
        )

    def _member(self, tier: str, row: int, similarity: float | None) -> Member:
        """One member; the representative has no similarity."""
        one = self._banners[row]
        is_copy = similarity is not None and tier in (IDENTICAL, RE_ENCODED)
        return Member(
            one.game_id,
            one.name,
            located(one.path, self._root) if one.path else Path(),
            one.width,
            one.height,
            similarity,
            is_copy and one.game_id not in self._kept,
            one.sha256,
        )
