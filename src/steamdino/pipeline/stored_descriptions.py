"""What the gallery knows of the banners of a snapshot's rows: their files, hashes and miniatures."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from steamdino.analysis.evaluation.baselines import HASH_VERSION, difference_hash
from steamdino.banners import miniature as miniatures
from steamdino.banners.decode import decode
from steamdino.engines.cores import cores
from steamdino.engines.decoding import ahead
from steamdino.errors import GalleryError, NotComputedError, PictureError
from steamdino.gallery import Gallery
from steamdino.gallery.curation import PAGE, Curation, Original, Shown
from steamdino.index.snapshot_reader import SnapshotReader
from steamdino.pipeline.measuring import AHEAD, content_of
from steamdino.records import Progress
from steamdino.storage.scratch_array import scratch_array

FEW = 1000
"""Pictures that may be decoded where only stored hashes are wanted: those of Steam's size take two seconds."""


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


@dataclass(frozen=True, slots=True)
class Described:
    """What is computed of a picture and stored.

    Attributes:
        length: bytes.
        version: of the computation.
        compute: takes a picture's file, and returns so many bytes. May raise a PictureError.
        read, put: of `Curation`: return and store what there is, by sha256.
    """

    length: int
    version: int
    compute: Callable[[bytes], bytes]
    read: Callable[[Curation, int, Iterable[str]], dict[str, bytes]]
    put: Callable[[Curation, int, Iterable[tuple[str, bytes]]], None]


HASHES = Described(
    32,
    HASH_VERSION,
    lambda data: difference_hash(decode(data)).tobytes(),
    Curation.hashes,
    Curation.put_hashes,
)
"""Difference hashes."""

MINIATURES = Described(
    miniatures.LENGTH, miniatures.VERSION, miniatures.miniature, Curation.miniatures, Curation.put_miniatures
)
"""Miniatures; see `banners.miniature`."""


class StoredDescriptions:
    """Hashes or miniatures of pictures: read from the gallery, and computed where it has none."""

    def __init__(
        self, kind: Described, banners: RowBanners, gallery: Gallery, *, stored_only: bool = False
    ) -> None:
        """Prepare to read.

        Args:
            kind: what to read.
            banners: of the rows.
            gallery: open for reading until the last call of `of`.
            stored_only: compute at most `FEW`, and store none.
        """
        self._kind, self._banners, self._gallery, self._stored_only = kind, banners, gallery, stored_only
        self._root = gallery.root
        self._new: dict[str, bytes] = {}

    def of(
        self, rows: NDArray[np.intp], progress: Progress | None = None
    ) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
        """Return what rows have: uint8, shape (m, length), and which of it is known, bool, shape (m,).

        Much of it is mapped from a temporary file.

        Args:
            rows: which.
            progress: called with (done, total) of the pictures that have to be decoded.

        Raises:
            NotComputedError: too many are not stored.
        """
        made = scratch_array((len(rows), self._kind.length), np.uint8)
        known = np.zeros(len(rows), np.bool_)
        missing = np.zeros(len(rows), np.bool_)
        for start in range(0, len(rows), PAGE):
            page = [one for _, one in self._banners.read(rows[start : start + PAGE])]
            stored = self._kind.read(self._gallery.curation, self._kind.version, (one.sha256 for one in page))
            for place, one in enumerate(page, start):
                if written := stored.get(one.sha256) or self._new.get(one.sha256):
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
        for done, (place, (sha256, made_now)) in enumerate(zip(places.tolist(), looks, strict=True), 1):
            if made_now is not None:
                made[place] = np.frombuffer(made_now, np.uint8)
                known[place] = True
                self._new[sha256] = made_now
            if progress:
                progress(done, len(places))
        return made, known

    def store(self, writable: Gallery | None = None) -> None:
        """Store what had to be computed, if the gallery can be written to right now.

        Args:
            writable: the gallery, open for writing; None to open it.
        """
        if not self._new or self._stored_only:
            return
        # A gallery that another process writes to, or that is read-only, is left alone: nothing is lost but time.
        with (
            suppress(GalleryError, sqlite3.DatabaseError, OSError),
            nullcontext(writable) if writable else Gallery.write(self._root, "duplicates") as opened,
            opened.transaction(),
        ):
            self._kind.put(opened.curation, self._kind.version, self._new.items())

    def _look(self, found: tuple[int, Shown]) -> tuple[str, bytes | None]:
        _, one = found
        try:
            return one.sha256, self._kind.compute(content_of(one.sha256, (one.path,), str(self._root)))
        except PictureError:
            return one.sha256, None
