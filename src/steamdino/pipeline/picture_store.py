"""Stores pictures, named by their content: in the gallery's own folder, or in object storage."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from steamdino.errors import GalleryError, OutputError, PictureError
from steamdino.gallery import Gallery
from steamdino.gallery.layout import BANNERS, copy_path
from steamdino.picture_formats import suffix_of
from steamdino.records import Banner
from steamdino.storage.atomic import replacing
from steamdino.storage.location import LocalFile, Location, is_address
from steamdino.storage.object_store import StoredObject, listed, write
from steamdino.wellformed import content_path

Keep = Callable[[Banner, bytes], Location]
"""Stores a picture's bytes; returns where."""


def lost(gallery: Gallery) -> list[tuple[int, str]]:
    """Find the pictures from Steam whose copies are missing or cut off, as (appid, kind).

    No picture is opened: folders are listed, which takes a second or two for all of Steam, and so are the prefixes of
    object storage, at 1,000 objects a request. `doctor --deep` finds corrupted copies.

    Raises:
        SourceError: object storage cannot be listed.
    """
    present: dict[str, int] = {}
    for folder in gallery.root.joinpath(BANNERS).glob("*/"):
        with os.scandir(folder) as listing:
            present |= {f"{BANNERS}/{folder.name}/{child.name}": child.stat().st_size for child in listing}
    copied = list(gallery.banners.copied_from_stores())
    stored = stored_beside(path for _, _, path, _ in copied if is_address(path))
    present |= {address: place.status().size for address, place in stored.items()}
    return [(int(game_id), kind) for game_id, kind, path, size in copied if present.get(path) != size]


def stored_beside(addresses: Iterable[str]) -> dict[str, StoredObject]:
    """List the prefixes of pictures that `keep_stored` wrote; returns all objects there, by address.

    Raises:
        SourceError: object storage cannot be listed.
    """
    prefixes = {address.rsplit("/", 2)[0] for address in addresses}
    return {place.address: place for prefix in prefixes for place in listed(prefix)}


def keeper(root: Path, prefix: str) -> Keep:
    """Return what stores the pictures of `sync`: in the gallery at `root`, or below a prefix of object storage.

    Raises:
        SourceError: object storage cannot be listed, so that pictures would be downloaded for nothing.
    """
    if not prefix:
        return lambda banner, data: keep(root, banner, data, "fetched")
    next(listed(prefix), None)
    return partial(keep_stored, prefix.rstrip("/"))


def is_kept(copy: Location, size: int) -> bool:
    """Whether a copy exists and has the expected size."""
    try:
        return copy.status().size == size
    except PictureError:
        return False


def keep(root: Path, banner: Banner, data: bytes, done: str) -> LocalFile:
    """Write a picture's bytes into the gallery at `root`, unless they are stored already; returns the copy.

    A file with this name but another content (a disk failed, or somebody edited it) is replaced.

    `done` says in the error what happened to the pictures before it: "added", "fetched".

    Raises:
        GalleryError: it cannot be written.
    """
    target = root / copy_path(banner.sha256, _suffix(banner))
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


def keep_stored(prefix: str, banner: Banner, data: bytes) -> Location:
    """Write a picture's bytes below a prefix of object storage, unless an object of that name and size is there.

    Raises:
        OutputError: it cannot be written.
    """
    copy = StoredObject(f"{prefix}/{content_path(banner.sha256, _suffix(banner))}")
    if not is_kept(copy, len(data)):
        try:
            write(copy, data)
        except PictureError as error:
            raise OutputError(
                f"{copy.address} cannot be written: {error}; what was fetched before is kept"
            ) from None
    return copy


def _suffix(banner: Banner) -> str:
    return suffix_of(banner.format, Path(banner.location.name).suffix).lower()


def _holds(copy: Location, data: bytes) -> bool:
    try:
        return copy.status().size == len(data) and copy.read().data == data
    except PictureError:
        return False
