"""Measures pictures, and computes their difference hashes, in threads; stores both in the gallery."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from PIL import Image

from steamdino.analysis.evaluation.baselines import HASH_VERSION, difference_hash
from steamdino.banners.decode import decode
from steamdino.banners.quality import VERSION, measure
from steamdino.engines.decoding import ahead
from steamdino.errors import PictureError
from steamdino.gallery import Gallery
from steamdino.gallery.curation import Unmeasured
from steamdino.gallery.layout import location
from steamdino.records import Progress

COMMIT_EVERY = 500
"""Pictures between two commits of what was measured."""

AHEAD = 16
"""Pictures per thread that may be in progress, or measured and not stored yet."""

CHANGED = "its picture has changed since it was added; add its source again"


@dataclass(frozen=True, slots=True)
class Measured:
    """What one picture shows.

    Attributes:
        sha256: of the picture.
        measures: as `banners.quality.measure` returns them.
        hash: its difference hash, 32 bytes.
    """

    sha256: str
    measures: Mapping[str, float]
    hash: bytes


def measure_all(
    gallery: Gallery, kind: str, threads: int, progress: Progress | None = None
) -> tuple[int, dict[str, str]]:
    """Measure the pictures that were not measured yet, and store what is found every `COMMIT_EVERY` pictures.

    Args:
        gallery: open for writing.
        kind: of banner.
        threads: pictures decoded at the same time.
        progress: called with (done, total).

    Returns:
        the number of pictures looked at, and why some of them cannot be measured, by sha256.
    """
    total = gallery.curation.count_unmeasured(kind, VERSION, HASH_VERSION)
    pictures = gallery.curation.unmeasured(kind, VERSION, HASH_VERSION)
    look = partial(_look, str(gallery.root))
    unreadable: dict[str, str] = {}
    waiting: list[Measured] = []
    done = 0
    looks = ahead(look, pictures, threads=threads, waiting=AHEAD * threads)
    try:
        for done, (sha256, result) in enumerate(looks, 1):
            if isinstance(result, Measured):
                waiting.append(result)
            else:
                unreadable[sha256] = result
            if progress:
                progress(done, total)
            if len(waiting) >= COMMIT_EVERY:
                ready, waiting = waiting, []
                _store(gallery, ready)
    finally:
        looks.close()
        _store(gallery, waiting)  # of an interrupted check, too
    return done, unreadable


def measure_some(gallery: Gallery, pictures: Sequence[Unmeasured], threads: int) -> None:
    """Measure some pictures, and store what is found; those that cannot be read are skipped.

    Args:
        gallery: open for writing.
        pictures: which.
        threads: pictures decoded at the same time.
    """
    looks = ahead(partial(_look, str(gallery.root)), pictures, threads=threads, waiting=AHEAD * threads)
    _store(gallery, [found for _, found in looks if isinstance(found, Measured)])


def picture_of(sha256: str, paths: Iterable[str], root: str) -> Image.Image:
    """Decode a picture. Takes the same as `content_of`.

    Raises:
        PictureError: no place holds that content, or it cannot be decoded.
    """
    return decode(content_of(sha256, paths, root))


def content_of(sha256: str, paths: Iterable[str], root: str) -> bytes:
    """Read a picture's file from the first of some places that still holds it.

    Args:
        sha256: its content.
        paths: where it may be, as `layout.portable` wrote them; at least one.
        root: the gallery's folder.

    Raises:
        PictureError: no place holds that content.
    """
    reason = ""
    for path in paths:
        try:
            content = location(path, root).read()
        except PictureError as error:
            reason = str(error)
            continue
        if content.sha256 == sha256:
            return content.data
        reason = CHANGED
    raise PictureError(reason)


def _look(root: str, one: Unmeasured) -> tuple[str, Measured | str]:
    try:
        image = picture_of(one.sha256, one.paths, root)
        return one.sha256, Measured(one.sha256, measure(image), difference_hash(image).tobytes())
    except PictureError as error:
        return one.sha256, str(error)


def _store(gallery: Gallery, measured: Iterable[Measured]) -> None:
    with gallery.transaction():
        gallery.curation.put_measures(VERSION, ((one.sha256, one.measures) for one in measured))
        gallery.curation.put_hashes(HASH_VERSION, ((one.sha256, one.hash) for one in measured))
