"""Looks for flaws in all banners of a gallery and stores what it measured."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from steamdino.analysis.duplicate_detection import IDENTICAL, RE_ENCODED
from steamdino.analysis.flaws import Flaw, findings, usual_size
from steamdino.analysis.picture_loading import each
from steamdino.banners.quality import VERSION, measure
from steamdino.banners.read import read_picture
from steamdino.errors import NoSnapshotError, PictureError
from steamdino.gallery import Gallery
from steamdino.gallery.curation import Shown
from steamdino.gallery.layout import VERTICAL, check_kind, location
from steamdino.pipeline.duplicate_groups import Duplicates, duplicates
from steamdino.records import Progress

COMMIT_EVERY = 500
"""Pictures between two commits of what was measured."""


@dataclass(frozen=True, slots=True)
class Checked:
    """The result of a check.

    Attributes:
        banners: number of banners checked.
        measured: number of pictures that were measured this time.
        size: expected (width, height) of banners; None if there is no usual one.
        findings: the flaws.
        compared: whether there were vectors to find re-encoded pictures by.
    """

    banners: int
    measured: int
    size: tuple[int, int] | None
    findings: tuple[Flaw, ...]
    compared: bool


def check(
    gallery: str | Path,
    *,
    kind: str = VERTICAL,
    size: tuple[int, int] | None = None,
    threads: int = 1,
    progress: Progress | None = None,
) -> Checked:
    """Look for flaws in all banners of a gallery. Pictures that were measured before are not decoded again.

    Args:
        gallery: its folder.
        kind: of banner.
        size: expected (width, height) of banners; None for the most common one.
        threads: pictures decoded at the same time.
        progress: called with (done, total).

    Raises:
        UsageError: there is no such kind of banner.
        GalleryError: there is none, it cannot be written to, or it has no banners of a kind other than vertical.
    """
    check_kind(kind)
    with Gallery.write(gallery, "check") as opened:
        opened.banners.require(kind)
        shown = opened.curation.shown(kind)
        known = opened.curation.measures(VERSION)
        missing = list({one.sha256: one for one in shown if one.sha256 not in known}.values())
        unreadable = _measure(opened, missing, known, threads, progress)
        expected = size or usual_size(shown)
        found = list(findings(shown, known, unreadable, expected))
        try:
            same = duplicates(opened.root, kind=kind, tiers=(IDENTICAL, RE_ENCODED))
            compared = True
        except NoSnapshotError:
            same, compared = [], False
        found += _copies(same, {one.game_id: one.path for one in shown})
        return Checked(len(shown), len(missing), expected, tuple(found), compared)


def expected_size(gallery: str | Path, kind: str = VERTICAL) -> tuple[int, int] | None:
    """The (width, height) that most banners of a gallery have; None if there is no such size.

    Raises:
        GalleryError: there is no gallery.
    """
    with Gallery.open(gallery) as opened:
        return usual_size(opened.curation.shown(kind))


def _copies(same: Iterable[Duplicates], paths: Mapping[str, str]) -> Iterator[Flaw]:
    """Each game whose banner is a copy of another's, as a flaw."""
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


def _measure(
    gallery: Gallery,
    missing: Sequence[Shown],
    known: dict[str, dict[str, float]],
    threads: int,
    progress: Progress | None,
) -> dict[str, str]:
    """Measure pictures, store the measures and add them to `known`; returns why some cannot be decoded, by sha256."""
    unreadable: dict[str, str] = {}
    root = str(gallery.root)

    def look(one: Shown) -> tuple[Shown, dict[str, float] | str]:
        try:
            return one, measure(read_picture(location(one.path, root)))
        except PictureError as error:
            return one, str(error)

    waiting: list[tuple[str, Mapping[str, float]]] = []
    for done, (one, result) in enumerate(each(look, missing, threads), 1):
        if isinstance(result, str):
            unreadable[one.sha256] = result
        else:
            known[one.sha256] = result
            waiting.append((one.sha256, result))
        if progress:
            progress(done, len(missing))
        if len(waiting) >= COMMIT_EVERY or done == len(missing):
            with gallery.transaction():
                gallery.curation.put_measures(VERSION, waiting)
            waiting = []
    return unreadable
