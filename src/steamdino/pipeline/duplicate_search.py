"""Finds the games of a gallery whose banners show the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
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
from steamdino.analysis.duplicate_grouping import paired_rows
from steamdino.analysis.hashed_pairs import hashed_pairs, keep_alike
from steamdino.analysis.pair_narrowing import merge, narrowed
from steamdino.analysis.re_encoded import confirm
from steamdino.errors import NotComputedError, UsageError
from steamdino.gallery import Gallery
from steamdino.gallery.curation import Original
from steamdino.gallery.layout import VERTICAL
from steamdino.index.pair_cosines import pair_cosines
from steamdino.index.snapshot_reader import SnapshotReader
from steamdino.index.snapshot_selection import open_newest
from steamdino.pipeline.duplicate_groups import Duplicates, FoundDuplicates
from steamdino.pipeline.keep_rules import KeepRules
from steamdino.pipeline.same_files import other_names
from steamdino.pipeline.stored_descriptions import HASHES, MINIATURES, RowBanners, StoredDescriptions
from steamdino.records import EVERYTHING, Filter, Progress
from steamdino.search.cutoff import EVERY_MATCH, Cutoff
from steamdino.storage.scratch_array import scratch_array
from steamdino.thresholds import USUAL, DuplicateThresholds

COMPARISONS = ("all", "within-folders", "across-folders", "within-sources", "across-sources")
"""Which games are compared with each other."""


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


def _places(originals: Iterable[tuple[int, Original]], count: int, *, by_folder: bool) -> NDArray[np.intp]:
    """Number the folders or the sources of rows; -1 for a row without a file."""
    places = np.full(count, -1)
    numbers: dict[object, int] = {}
    for row, original in originals:
        place = original.origin.rpartition("/")[0] if by_folder else original.source
        places[row] = numbers.setdefault(place, len(numbers))
    return places
