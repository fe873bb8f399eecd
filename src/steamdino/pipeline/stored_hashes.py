"""What the gallery knows of the banners of a snapshot's rows: their files and sizes, and difference hashes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from steamdino.analysis.evaluation.baselines import HASH_VERSION, difference_hash
from steamdino.engines.cores import cores
from steamdino.engines.decoding import ahead
from steamdino.errors import GalleryError, NotComputedError, PictureError
from steamdino.gallery import Gallery
from steamdino.gallery.curation import PAGE, Original, Shown
from steamdino.index.snapshot_reader import SnapshotReader
from steamdino.pipeline.measuring import AHEAD, picture_of

FEW = 200
"""Pictures that may be decoded where only stored hashes are wanted: it takes less than a second."""

HASH_BYTES = 32


class RowBanners:
    """The banners of some rows of a snapshot, as the gallery knows them now."""

    def __init__(self, reader: SnapshotReader, gallery: Gallery, kind: str) -> None:
        """Take the snapshot and its gallery, open for reading until the last `load`."""
        self._reader, self._gallery, self._kind = reader, gallery, kind
        self._known: dict[int, Shown] = {}

    def __getitem__(self, row: int) -> Shown:
        """The banner of a row that was loaded; path, size and mode are empty if the gallery has none any more."""
        return self._known[row]

    def load(self, rows: NDArray[np.intp]) -> None:
        """Load the banners of rows."""
        for page in self._pages(rows):
            self._known.update(page)

    def read(self, rows: NDArray[np.intp]) -> Iterator[tuple[int, Shown]]:
        """Yield the banners of rows one by one, in their order, without keeping them."""
        for page in self._pages(rows):
            yield from page.items()

    def originals(self, rows: NDArray[np.intp]) -> Iterator[tuple[int, Original]]:
        """Yield the files that the banners of rows were added from; none for a row whose game has no banner now."""
        for start in range(0, len(rows), PAGE):
            page = rows[start : start + PAGE].tolist()
            ids = [game.id for game in self._reader.games(page)]
            known = self._gallery.curation.originals(ids, self._kind)
            yield from ((row, known[key]) for row, key in zip(page, ids, strict=True) if key in known)

    def _pages(self, rows: NDArray[np.intp]) -> Iterator[dict[int, Shown]]:
        for start in range(0, len(rows), PAGE):
            page = rows[start : start + PAGE].tolist()
            games = self._reader.games(page)
            known = {
                one.game_id: one
                for one in self._gallery.curation.shown_by((game.id for game in games), self._kind)
            }
            yield {
                row: known.get(game.id) or Shown(game.id, game.name, "", game.sha256, 0, 0, "")
                for row, game in zip(page, games, strict=True)
            }


class StoredHashes:
    """Difference hashes of pictures: read from the gallery, and computed where it has none."""

    def __init__(self, banners: RowBanners, gallery: Gallery, *, stored_only: bool = False) -> None:
        """Prepare to read.

        Args:
            banners: of the rows.
            gallery: open for reading until the last call of `of`.
            stored_only: compute at most `FEW` hashes, and store none.
        """
        self._banners, self._gallery, self._stored_only = banners, gallery, stored_only
        self._root = gallery.root
        self._new: dict[str, bytes] = {}

    def of(self, rows: NDArray[np.intp]) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Return the hashes of rows: uint8, shape (m, 32), and which of them are known, bool, shape (m,).

        Raises:
            NotComputedError: too many are not stored.
        """
        made = np.zeros((len(rows), HASH_BYTES), np.uint8)
        known = np.zeros(len(rows), np.bool_)
        missing = np.zeros(len(rows), np.bool_)
        for start in range(0, len(rows), PAGE):
            page = [one for _, one in self._banners.read(rows[start : start + PAGE])]
            stored = self._gallery.curation.hashes(HASH_VERSION, (one.sha256 for one in page))
            for place, one in enumerate(page, start):
                if written := stored.get(one.sha256):
                    made[place] = np.frombuffer(written, np.uint8)
                    known[place] = True
                else:
                    missing[place] = bool(one.path)
        places = np.flatnonzero(missing)
        if self._stored_only and len(places) > FEW:
            # Without the gallery's path: a server shows the message to strangers.
            raise NotComputedError(
                f"{len(places):,} pictures have to be decoded to compare them; run: steam-dino check"
            )
        threads = cores()
        looks = ahead(self._look, self._banners.read(rows[places]), threads=threads, waiting=AHEAD * threads)
        for place, (sha256, made_now) in zip(places.tolist(), looks, strict=True):
            if made_now is not None:
                made[place] = np.frombuffer(made_now, np.uint8)
                known[place] = True
                self._new[sha256] = made_now
        return made, known

    def store(self) -> None:
        """Store what had to be computed, if the gallery can be written to right now."""
        if not self._new or self._stored_only:
            return
        # A gallery that another process writes to, or that is read-only, is left alone: nothing is lost but time.
        with (
            suppress(GalleryError, sqlite3.DatabaseError, OSError),
            Gallery.write(self._root, "duplicates") as opened,
            opened.transaction(),
        ):
            opened.curation.put_hashes(HASH_VERSION, self._new.items())

    def _look(self, found: tuple[int, Shown]) -> tuple[str, bytes | None]:
        _, one = found
        try:
            return one.sha256, difference_hash(picture_of(one.sha256, (one.path,), str(self._root))).tobytes()
        except PictureError:
            return one.sha256, None
