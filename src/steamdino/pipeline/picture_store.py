"""Stores pictures in the gallery's own folder, named by their content."""

from __future__ import annotations

import os
from pathlib import Path

from steamdino.errors import GalleryError, PictureError
from steamdino.gallery import Gallery
from steamdino.gallery.layout import BANNERS, copy_path
from steamdino.picture_formats import suffix_of
from steamdino.records import Banner
from steamdino.storage.atomic import replacing
from steamdino.storage.location import LocalFile, Location


def lost(gallery: Gallery) -> list[tuple[int, str]]:
    """Find the pictures from Steam whose copies are missing or cut off, as (appid, kind).

    No file is opened, so that this takes a second or two for all of Steam; `doctor --deep` finds corrupted copies.
    """
    present: dict[str, int] = {}
    for folder in gallery.root.joinpath(BANNERS).glob("*/"):
        with os.scandir(folder) as listing:
            present |= {f"{BANNERS}/{folder.name}/{child.name}": child.stat().st_size for child in listing}
    return [
        (int(game_id), kind)
        for game_id, kind, path, size in gallery.banners.copied_from_stores()
        if present.get(path) != size
    ]


def is_kept(copy: Location, size: int) -> bool:
    """Whether a copy exists and has the expected size."""
    try:
        return copy.status().size == size
    except PictureError:
        return False


def keep(root: Path, banner: Banner, data: bytes, done: str) -> Location:
    """Write a picture's bytes into the gallery at `root`, unless they are stored already; returns the copy.

    A file with this name but another content (a disk failed, or somebody edited it) is replaced.

    `done` says in the error what happened to the pictures before it: "added", "fetched".

    Raises:
        GalleryError: it cannot be written.
    """
    target = root / copy_path(banner.sha256, suffix_of(banner.format, Path(banner.location.name).suffix))
    copy = LocalFile(target)
    try:
        if _holds(copy, data):
            return copy
        with replacing(target) as file:
            file.write(data)
    except OSError as error:
        raise GalleryError(
            f"{target} cannot be written: {error.strerror}; what was {done} before is kept"
        ) from None
    return copy


def _holds(copy: Location, data: bytes) -> bool:
    try:
        return copy.status().size == len(data) and copy.read().data == data
    except PictureError:
        return False
