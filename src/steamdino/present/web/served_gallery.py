"""The gallery behind a served snapshot, opened for each request that needs more than the snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from steamdino.errors import NoGalleryError, SteamDinoError
from steamdino.gallery import Gallery


class NotServedError(SteamDinoError):
    """The request is for something that this server does not offer."""


class ServedGallery:
    """A gallery that may be missing: a snapshot is served without one, too.

    Attributes:
        folder: the gallery's; None behind a packed snapshot.
    """

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    @contextmanager
    def open(self) -> Iterator[Gallery]:
        """Open the gallery's database for reading.

        Raises:
            NotServedError: a packed snapshot, or one without its gallery, is served.
        """
        reason = (
            "what changed is in a gallery's database, but this server serves a snapshot without its gallery"
        )
        if self.folder is None:
            raise NotServedError(reason)
        try:
            opened = Gallery.open(self.folder)
        except NoGalleryError:
            raise NotServedError(reason) from None
        with opened:
            yield opened

    def write(self, change: Callable[[Path], object]) -> None:
        """Change the gallery, given its folder; the change opens it for writing and closes it again.

        Raises:
            NotServedError: as for `open`.
            GalleryLockedError: another process is writing to it.
        """
        with self.open():
            folder = self.folder
        if folder is not None:  # which `open` has made sure of
            change(folder)
