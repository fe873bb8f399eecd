"""Groups the games of a gallery whose banners show the same, under a person's decisions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from steamdino.analysis.duplicate_detection import (
    IDENTICAL,
    NEAR,
    NO_TIER,
    RE_ENCODED,
    TIERS,
    DuplicatePairs,
    find_pairs,
)
from steamdino.analysis.duplicate_grouping import Group, groups, paired_rows
from steamdino.analysis.hashed_pairs import hashed_pairs, keep_alike
from steamdino.analysis.pair_narrowing import merge, narrowed
from steamdino.analysis.re_encoded import confirm
from steamdino.banners.lossless import is_lossless
from steamdino.errors import NotComputedError, UsageError
from steamdino.gallery import Gallery
from steamdino.gallery.curation import KEEP, SAME, Decision, Original
from steamdino.gallery.layout import VERTICAL, located, location
from steamdino.index.pair_cosines import pair_cosines
from steamdino.index.snapshot_reader import SnapshotReader
from steamdino.index.snapshot_selection import open_newest
from steamdino.index.vector_index import Index
from steamdino.pipeline.keep_rules import AS_USUAL, Candidate, KeepRules
from steamdino.pipeline.same_files import other_names
from steamdino.pipeline.stored_descriptions import HASHES, MINIATURES, RowBanners, StoredDescriptions
from steamdino.records import EVERYTHING, Filter, Progress
from steamdino.search.cutoff import EVERY_MATCH, Cutoff
from steamdino.storage.location import Location
from steamdino.storage.scratch_array import scratch_array
from steamdino.thresholds import USUAL, DuplicateThresholds

COMPARISONS = ("all", "within-folders", "across-folders", "within-sources", "across-sources")
"""Which games are compared with each other."""


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


def duplicates(
    gallery: str | Path,
    recipe: str | None = None,
    *,
    kind: str = VERTICAL,
    tiers: Sequence[str] = TIERS[:3],
    only: Filter = EVERYTHING,
    compare: str = COMPARISONS[0],
    keep: Sequence[str] = (),
    least: Cutoff = EVERY_MATCH,
    thresholds: DuplicateThresholds = USUAL,
    progress: Progress | None = None,
    stored_only: bool = False,
    writable: Gallery | None = None,
) -> list[Duplicates]:
    """Group the games whose banners show the same, the strictest tier first.

    Args:
        gallery: its folder.
        recipe: whose vectors to compare; None for the newest.
        kind: of banner.
        tiers: which to look for, of `analysis.duplicate_detection.TIERS`.
        only: among which games; by default all, hidden ones included.
        compare: which of them to compare with each other, of `COMPARISONS`.
        keep: rules by which the one to keep is chosen, the most important first; see `keep_rules`.
        least: the similarity and the percentile that a pair must have.
        thresholds: how alike pictures must be.
        progress: called with (done, total) of the games, and before that of the pictures that have to be decoded.
        writable: the gallery, if it is open for writing already.
        stored_only: decode at most `stored_descriptions.FEW` pictures, and write nothing to the gallery.

    Raises:
        SnapshotError: the gallery is not built yet.
        UsageError: there is no such tier, comparison or rule.
        NotComputedError: with `stored_only`, if `steam-dino check` has to decode more pictures first.
    """
    rules = KeepRules.parse(keep)
    found = find_duplicates(
        gallery,
        recipe,
        kind=kind,
        tiers=tiers,
        only=only,
        compare=compare,
        least=least,
        thresholds=thresholds,
        progress=progress,
        stored_only=stored_only,
        writable=writable,
    )
    with Gallery.open(gallery) as opened:
        return found.groups(opened, rules)


def find_duplicates(
    gallery: str | Path,
    recipe: str | None = None,
    *,
    kind: str = VERTICAL,
    tiers: Sequence[str] = TIERS[:3],
    only: Filter = EVERYTHING,
    compare: str = COMPARISONS[0],
    names: bool = False,
    least: Cutoff = EVERY_MATCH,
    thresholds: DuplicateThresholds = USUAL,
    progress: Progress | None = None,
    stored_only: bool = False,
    writable: Gallery | None = None,
) -> FoundDuplicates:
    """Find the pairs of games whose banners show the same. Takes and raises the same as `duplicates`.

    With `names`, a game whose banner is the same file as another's, by another name, counts as a duplicate, too.
    """
    if compare not in COMPARISONS:
        raise UsageError(f"{compare!r} cannot be compared; choose from: {', '.join(COMPARISONS)}")
    for tier in tiers:
        if tier not in TIERS:
            raise UsageError(f"there is no tier {tier!r}; there are: {', '.join(TIERS)}")
    reader = open_newest(Path(gallery), recipe, kind=kind)
    allowed = reader.allowed(only)
    with Gallery.open(gallery) as opened:
        banners = RowBanners(reader, opened, kind)
        hashes, miniatures = (
            StoredDescriptions(what, banners, opened, stored_only=stored_only)
            for what in (HASHES, MINIATURES)
        )
        try:
            found = _pairs(reader, hashes, miniatures, tiers, allowed, thresholds, progress)
            _leave_out_below(found, reader, least)
        finally:
            for computed in (hashes, miniatures):  # of an interrupted comparison, too
                computed.store(writable)
        paired = paired_rows(found, len(reader.index))
        if not names:
            merge(found, *other_names(banners.originals(paired), str(opened.root)), len(reader.index))
        if compare != COMPARISONS[0]:
            places = _places(
                banners.originals(paired), len(reader.index), by_folder=compare.endswith("folders")
            )
            found = narrowed(found, places, across=compare.startswith("across"))
    return FoundDuplicates(reader, tuple(found), kind, tuple(tiers))


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


def duplicate_ids(
    gallery: str | Path, recipe: str | None = None, *, kind: str = VERTICAL, progress: Progress | None = None
) -> set[str]:
    """The ids of games whose banner is a copy of another's, identical or re-encoded; one of each group is left out.

    Raises:
        SnapshotError: the gallery is not built yet.
    """
    found = find_duplicates(
        gallery, recipe, kind=kind, tiers=(IDENTICAL, RE_ENCODED), names=True, progress=progress
    )
    with Gallery.open(gallery) as opened:
        same = found.groups(opened)
    # A group's own representative may be a copy in a group of another tier.
    return {member.game_id for group in same for member in group.others}


def _pairs(
    reader: SnapshotReader,
    hashes: StoredDescriptions,
    miniatures: StoredDescriptions,
    tiers: Sequence[str],
    allowed: NDArray[np.bool_] | None,
    thresholds: DuplicateThresholds,
    progress: Progress | None,
) -> list[DuplicatePairs]:
    """Find the pairs of games that a filter allows, by vectors and by hashes, and compare their pixels."""
    count = len(reader.index)
    usual = reader.manifest.similarity.usual["pairs"] if reader.manifest.similarity else 0.0
    every = None
    if set(tiers) & {RE_ENCODED, NEAR}:
        with suppress(NotComputedError):  # then copies that only hashes find are missing
            every = _hashes_of(hashes, count, allowed, progress)
    found = find_pairs(
        reader.index,
        reader.every_sha256(),
        usual,
        (lambda rows: (every[0][rows], every[1][rows])) if every else hashes.of,
        tiers=tiers,
        thresholds=thresholds,
        progress=progress,
    )
    _leave_out(found, allowed)
    if every:
        found.append(
            hashed_pairs(
                reader.index, reader.every_sha256(), usual, *every, tiers=tiers, thresholds=thresholds
            )
        )
        keep_alike(found[-1], count, miniatures.of)
    confirm(found, count, miniatures.of, near=NEAR in tiers, thresholds=thresholds)
    return found


def _hashes_of(
    hashes: StoredDescriptions,
    count: int,
    allowed: NDArray[np.bool_] | None,
    progress: Progress | None,
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Return the hashes of the rows that a filter allows, and which rows have one."""
    if allowed is None:
        return hashes.of(np.arange(count), progress)
    rows = np.flatnonzero(allowed)
    made, known = scratch_array((count, HASHES.length), np.uint8), np.zeros(count, np.bool_)
    made[rows], known[rows] = hashes.of(rows, progress)
    return made, known


def _leave_out(pairs: Iterable[DuplicatePairs], allowed: NDArray[np.bool_] | None) -> None:
    """Keep the pairs of which a filter allows both games."""
    if allowed is None:
        return
    for part in pairs:
        for chunk in part.chunks():
            chunk.tiers[~(allowed[chunk.first] & allowed[chunk.second])] = NO_TIER


def _leave_out_below(pairs: Iterable[DuplicatePairs], reader: SnapshotReader, least: Cutoff) -> None:
    """Keep the pairs that are as alike as a cutoff asks for."""
    if not least:
        return
    known = reader.manifest.similarity
    for part in pairs:
        for chunk in part.chunks():
            cosines = pair_cosines(reader.index.vectors, chunk.first, chunk.second)
            percentiles = known.percentiles(cosines) if known else [None] * len(cosines)
            chunk.tiers[~least.passes(cosines, percentiles)] = NO_TIER


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


def _places(originals: Iterable[tuple[int, Original]], count: int, *, by_folder: bool) -> NDArray[np.intp]:
    """Number the folders or the sources of rows; -1 for a row without a file."""
    places = np.full(count, -1)
    numbers: dict[object, int] = {}
    for row, original in originals:
        place = original.origin.rpartition("/")[0] if by_folder else original.source
        places[row] = numbers.setdefault(place, len(numbers))
    return places


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
