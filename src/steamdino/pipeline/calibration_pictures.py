"""Pictures to calibrate and to compare a quantised model on: a gallery's banners, or those of the fictional store."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PIL import Image

from steamdino.banners.decode import decode
from steamdino.errors import PictureError, UsageError
from steamdino.gallery import Gallery
from steamdino.gallery.vectors import Pending

FEWEST = 12
"""Minimum number of readable pictures, both to calibrate and to compare on: more than the ten neighbours of one."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture.

    Attributes:
        key: 64 hex digits, different for each.
        load: decodes it; None if it cannot be read.
    """

    key: str
    load: Callable[[], Image.Image | None]


def pictures_of(gallery: Path | None) -> list[Picture]:
    """Return all pictures of a gallery, or of the fictional store, in an order that is random and always the same.

    Raises:
        GalleryError: the gallery cannot be read.
    """
    found = _drawn() if gallery is None else _banners(gallery)
    return sorted(found, key=lambda picture: hashlib.sha256(picture.key.encode()).digest())


def fewest(readable: int) -> None:
    """Check that there are enough pictures.

    Raises:
        UsageError: there are not.
    """
    if readable < FEWEST:
        raise UsageError(
            f"{readable} readable pictures are left to calibrate or to compare on, and each takes at least {FEWEST};"
            " name a gallery with more banners, or leave out --gallery to use drawn pictures"
        )


def _banners(gallery: Path) -> list[Picture]:
    with Gallery.open(gallery) as opened:
        return [Picture(banner.sha256, partial(_banner, banner)) for banner in opened.vectors.pending(None)]


def _banner(banner: Pending) -> Image.Image | None:
    for location in banner.locations:
        try:
            content = location.read()
            if content.sha256 == banner.sha256:
                return decode(content.data)
        except PictureError:
            continue
    return None


def _drawn() -> list[Picture]:
    from steamdino.sample.files import banner_bytes
    from steamdino.sample.truth import Job, jobs

    def draw(job: Job) -> Image.Image | None:
        try:
            return decode(banner_bytes(job))
        except PictureError:
            return None

    return [
        Picture(hashlib.sha256(job.game.id.encode()).hexdigest(), partial(draw, job))
        for job in jobs()
        if not job.game.duplicate_of
    ]
