"""Looks for flaws in all banners of a gallery and stores what it measured."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from steamdino.analysis.duplicate_detection import IDENTICAL, RE_ENCODED
from steamdino.analysis.flaws import SHARED, Flaw, banner_flaws
from steamdino.analysis.usual_formats import Formats, usual_formats
from steamdino.banners.quality import VERSION
from steamdino.errors import NoSnapshotError
from steamdino.gallery import Gallery
from steamdino.gallery.layout import VERTICAL, check_kind
from steamdino.pipeline.duplicate_groups import Duplicates
from steamdino.pipeline.duplicate_search import duplicates
from steamdino.pipeline.measuring import measure_all
from steamdino.records import Progress
from steamdino.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of a check.

    Attributes:
        banners: number of banners checked.
        measured: number of pictures that were measured this time.
        sizes: the usual (width, height) of banners, the most common first; empty if there is no usual one.
        findings: the flaws.
        compared: whether there were vectors to find re-encoded pictures by.
    """

    banners: int
    measured: int
    sizes: tuple[tuple[int, int], ...]
    findings: tuple[Flaw, ...]
    compared: bool


def check(
    gallery: str | Path,
    *,
    kind: str = VERTICAL,
    size: tuple[int, int] | None = None,
    thresholds: Thresholds | None = None,
    threads: int = 1,
    progress: Progress | None = None,
) -> Checked:
    """Look for flaws in all banners of a gallery. Pictures that were measured before are not decoded again.

    Args:
        gallery: its folder.
        kind: of banner.
        size: expected (width, height) of banners; None for the usual ones of the gallery.
        thresholds: the scores below which a banner has a flaw; None for the defaults.
        threads: pictures decoded at the same time.
        progress: called with (done, total).

    Raises:
        UsageError: there is no such kind of banner.
        GalleryError: there is none, it cannot be written to, or it has no banners of a kind other than vertical.
    """
    check_kind(kind)
    thresholds = thresholds or Thresholds()
    with Gallery.write(gallery, "check") as opened:
        opened.banners.require(kind)
        measured, unreadable = measure_all(opened, kind, threads, progress)
        sizes = opened.curation.sizes(kind)
        usual = usual_formats(sizes)
        if size:
            usual = Formats((size,), usual.aspects)
        shared = opened.curation.shared(kind, SHARED)
        found = [
            flaw
            for one, measures in opened.curation.measured(kind, VERSION)
            for flaw in banner_flaws(
                one,
                measures,
                usual,
                thresholds=thresholds,
                unreadable=unreadable.get(one.sha256, ""),
                names=shared.get(one.sha256, 1),
            )
        ]
        try:
            same = duplicates(opened.root, kind=kind, tiers=(IDENTICAL, RE_ENCODED), writable=opened)
            compared = True
        except NoSnapshotError:
            same, compared = [], False
        found += _copies(opened, kind, same)
        banners = sum(count for _, _, count in sizes)
        return Checked(banners, measured, usual.sizes, tuple(found), compared)


def expected_size(gallery: str | Path, kind: str = VERTICAL) -> tuple[int, int] | None:
    """Return the usual (width, height) of a gallery's banners; None if there is none, or more than one.

    Raises:
        GalleryError: there is no gallery.
    """
    with Gallery.open(gallery) as opened:
        sizes = usual_formats(opened.curation.sizes(kind)).sizes
        return sizes[0] if len(sizes) == 1 else None


def _copies(gallery: Gallery, kind: str, same: Sequence[Duplicates]) -> Iterator[Flaw]:
    """Each game whose banner is a copy of another's, as a flaw."""
    copies = (member.game_id for group in same for member in group.others)
    paths = {one.game_id: one.path for one in gallery.curation.shown_by(copies, kind)}
    reported: set[str] = set()
    for group in same:
        for member in group.others:
            if member.game_id in reported:  # identical to one, and re-encoded from another
                continue
            reported.add(member.game_id)
            score = 0.0 if group.tier == IDENTICAL else 1 - (member.similarity or 0.0)
            yield Flaw(
                member.game_id,
                member.name,
                paths.get(member.game_id, ""),
                group.tier,
                round(max(score, 0.0), 4),
                f"the same as {group.representative.game_id}",
            )
