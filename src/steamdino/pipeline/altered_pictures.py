"""Finds pictures that are missing or have changed since they were added, and repairs them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum

from steamdino.banners.read import inspect
from steamdino.engines.decoding import ahead
from steamdino.errors import PictureError
from steamdino.gallery import Gallery
from steamdino.gallery.banners import KnownBanner
from steamdino.pipeline.picture_store import keep, stored_beside
from steamdino.records import Progress
from steamdino.storage.location import Content, Location

READERS = 32
"""Pictures that are asked for at the same time if some are in object storage, since each answer is waited for."""


class State(Enum):
    """How a banner's file differs from what the gallery knows."""

    MISSING = "missing"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Altered:
    """A banner whose file differs from what the gallery knows.

    Attributes:
        banner: as the gallery knows it.
        state: how it differs.
    """

    banner: KnownBanner
    state: State

    @property
    def from_steam(self) -> bool:
        """Whether `sync` can download it again."""
        return self.banner.origin is None


def altered(gallery: Gallery, *, deep: bool, progress: Progress | None = None) -> Iterator[Altered]:
    """Check the file of each banner that a present game shows.

    Args:
        gallery: open.
        deep: read every file and compare its sha256, even if its size and times are as expected.
        progress: called with (banners done, total).

    Raises:
        SourceError: object storage in which `sync` keeps banners cannot be listed.
    """
    banners = list(gallery.banners.known())
    stored = stored_beside(
        one.location.address for one in banners if one.origin is None and one.location.path is None
    )

    def checked(banner: KnownBanner) -> tuple[KnownBanner, State | None]:
        location = stored.get(
            banner.location.address, banner.location
        )  # its status is known without a request
        return banner, _state(banner, location, deep)

    far = any(banner.location.path is None for banner in banners)
    states = ahead(checked, banners, threads=READERS, waiting=2 * READERS) if far else map(checked, banners)
    for done, (banner, state) in enumerate(states, 1):
        if state:
            yield Altered(banner, state)
        if progress:
            progress(done, len(banners))


def repair(gallery: Gallery, found: Altered) -> bool:
    """Make a banner's file and the gallery agree, if that loses nothing.

    A copy is made again from the file that it was a copy of. A picture outside the gallery is read again: what it shows
    now becomes the game's banner. A picture from Steam becomes due, for the next `sync` to download.

    Returns:
        whether the file and the gallery agree now.

    Raises:
        GalleryError: the gallery cannot be written to.
    """
    banner = found.banner
    if banner.origin is None:
        with gallery.transaction():
            gallery.steam_assets.lose([(int(banner.game_id), banner.kind)])
        return False
    if (content := _content(banner.origin)) is None:
        return False
    try:
        seen = inspect(banner.origin, content)
    except PictureError:
        return False
    if banner.copied:
        seen = replace(seen, location=keep(gallery.root, seen, content.data, "repaired"))
    with gallery.transaction():
        gallery.banners.put(banner.game_id, seen, banner.origin, banner.kind)
    return True


def _state(banner: KnownBanner, location: Location, deep: bool) -> State | None:
    try:
        status = location.status()
    except PictureError:
        return State.MISSING
    times = (status.mtime_ns, status.ctime_ns) == (banner.mtime_ns, banner.ctime_ns or status.ctime_ns)
    if not deep and status.size == banner.size and (banner.copied or times):
        return None
    # In a folder that was copied, files have new times and the old content.
    content = _content(location)
    return None if content and content.sha256 == banner.sha256 else State.CHANGED


def _content(location: Location) -> Content | None:
    try:
        return location.read()
    except PictureError:
        return None
