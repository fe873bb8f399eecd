"""Pairs of games whose banners show the same, each with its scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from steamdino.analysis.duplicate_detection import TIERS
from steamdino.analysis.duplicate_grouping import paired_rows
from steamdino.gallery import Gallery
from steamdino.gallery.curation import PAGE
from steamdino.gallery.layout import VERTICAL
from steamdino.index.bit_counts import differing_bits
from steamdino.index.pair_cosines import pair_cosines
from steamdino.pipeline.duplicate_groups import FoundDuplicates
from steamdino.pipeline.duplicate_search import COMPARISONS, find_duplicates
from steamdino.pipeline.stored_descriptions import HASHES, RowBanners, StoredDescriptions
from steamdino.records import EVERYTHING, Filter, Progress
from steamdino.search.cutoff import EVERY_MATCH, Cutoff
from steamdino.thresholds import USUAL, DuplicateThresholds


@dataclass(frozen=True, slots=True)
class ScoredPair:
    """Two games whose banners show the same.

    Attributes:
        tier: of `TIERS`.
        first, second: ids of the games.
        similarity: cosine of their vectors.
        hash_bits: bits, of 256, in which their difference hashes differ; None if a picture cannot be read.
    """

    tier: str
    first: str
    second: str
    similarity: float
    hash_bits: int | None


def duplicate_pairs(
    gallery: str | Path,
    recipe: str | None = None,
    *,
    kind: str = VERTICAL,
    tiers: Sequence[str] = TIERS[:3],
    only: Filter = EVERYTHING,
    compare: str = COMPARISONS[0],
    least: Cutoff = EVERY_MATCH,
    thresholds: DuplicateThresholds = USUAL,
    progress: Progress | None = None,
) -> list[ScoredPair]:
    """Return the pairs of games whose banners show the same, the strictest tier first.

    Takes and raises the same as `duplicates`.
    """
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
    )
    with Gallery.open(gallery) as opened:
        return list(scored_pairs(found, opened))


def scored_pairs(found: FoundDuplicates, opened: Gallery) -> Iterator[ScoredPair]:
    """Yield pairs under a person's decisions, the strictest tier first. Of identical banners, each is in one pair.

    Args:
        found: the pairs.
        opened: the gallery, open for reading until the last pair.
    """
    pairs = found.decided(list(opened.curation.decisions()))
    count = len(found.reader.index)
    rows = paired_rows(pairs, count)
    banners = RowBanners(found.reader, opened, found.kind)
    hashes, known = StoredDescriptions(HASHES, banners, opened).of(rows)
    place = np.zeros(count, np.intp)
    place[rows] = np.arange(len(rows))
    for tier in found.tiers:
        for part in pairs:
            for first, second in part.of_tier(tier):
                for start in range(0, len(first), PAGE):
                    one, other = first[start : start + PAGE], second[start : start + PAGE]
                    ids = [[game.id for game in found.reader.games(side.tolist())] for side in (one, other)]
                    cosines = pair_cosines(found.reader.index.vectors, one, other).tolist()
                    bits = differing_bits(hashes[place[one]], hashes[place[other]]).tolist()
                    both = (known[place[one]] & known[place[other]]).tolist()
                    for key, mate, cosine, differing, known_ in zip(*ids, cosines, bits, both, strict=True):
                        yield ScoredPair(tier, key, mate, cosine, differing if known_ else None)
