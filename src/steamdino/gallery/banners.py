"""The banners of games, as rows: the file, the file it came from, and its content."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from steamdino.errors import GalleryError
from steamdino.gallery import layout
from steamdino.gallery.recording import record_banner
from steamdino.gallery.revision import bump
from steamdino.records import Banner
from steamdino.storage.location import Location


@dataclass(frozen=True, slots=True)
class KnownBanner:
    """A banner of a present game, as the gallery knows it.

    Attributes:
        game_id, kind: the game and the kind of banner.
        location: the picture that is read.
        copied: whether that picture is the gallery's own copy.
        origin: the picture that it was added from; None if it came from a store.
        size, mtime_ns, ctime_ns: of the picture that it was added from.
        sha256: SHA-256 of the picture's bytes.
    """

    game_id: str
    kind: str
    location: Location
    copied: bool
    origin: Location | None
    size: int
    mtime_ns: int
    ctime_ns: int
    sha256: str


class Banners:
    """The table of banners. Call every method that writes inside `Gallery.transaction`."""

    def __init__(self, connection: sqlite3.Connection, root: Path) -> None:
        self._db = connection
        self._root = root

    def put(
        self,
        game_id: str,
        banner: Banner,
        origin: Location | str,
        kind: str = layout.VERTICAL,
        *,
        keep_old: bool = False,
    ) -> None:
        """Set a game's banner of a kind; the history records which banner it replaces.

        Args:
            game_id: the game's id.
            banner: the picture, where it is stored now.
            origin: the picture that it was added from, or its address at a store.
            kind: one of `layout.KINDS`.
            keep_old: keep the gallery's copy of the picture that is replaced.
        """
        record_banner(self._db, game_id, kind, banner.sha256, keep_old=keep_old)
        written = layout.stored(banner.location, self._root)
        shown = self._db.execute(
            "SELECT path, sha256 FROM banners WHERE game_id = ? AND kind = ?", (game_id, kind)
        ).fetchone()
        self._db.execute(
            "INSERT OR REPLACE INTO banners"
            " (game_id, kind, path, origin, size, mtime_ns, ctime_ns, sha256, width, height, mode, format)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                game_id,
                kind,
                written,
                origin if isinstance(origin, str) else layout.stored(origin, self._root),
                banner.size,
                banner.mtime_ns,
                banner.ctime_ns,
                banner.sha256,
                banner.width,
                banner.height,
                banner.mode,
                banner.format,
            ),
        )
        if shown != (written, banner.sha256):  # restoring a lost file changes nothing that is shown
            bump(self._db)

    def touch(self, game_id: str, mtime_ns: int, ctime_ns: int, kind: str = layout.VERTICAL) -> None:
        """Record the new times of a banner's file whose content is unchanged."""
        self._db.execute(
            "UPDATE banners SET mtime_ns = ?, ctime_ns = ? WHERE game_id = ? AND kind = ?",
            (mtime_ns, ctime_ns, game_id, kind),
        )

    def drop(self, game_id: str, kind: str = layout.VERTICAL, *, keep_old: bool = False) -> None:
        """Remove a game's banner of a kind; the history records which one, and keeps its vectors.

        Args:
            game_id: the game's id.
            kind: one of `layout.KINDS`.
            keep_old: keep the gallery's copy of the picture.
        """
        record_banner(self._db, game_id, kind, None, keep_old=keep_old)
        if self._db.execute("DELETE FROM banners WHERE game_id = ? AND kind = ?", (game_id, kind)).rowcount:
            bump(self._db)

    def location(self, game_id: str, kind: str = layout.VERTICAL) -> Location | None:
        """Return where a game's banner of a kind is stored; None if it has none."""
        row = self._db.execute(
            "SELECT path FROM banners WHERE game_id = ? AND kind = ?", (game_id, kind)
        ).fetchone()
        return layout.location(row[0], str(self._root)) if row else None

    def added_from(self, path: Path) -> list[str]:
        """Return the ids of the games whose banner was added from a file."""
        rows = self._db.execute(
            "SELECT DISTINCT game_id FROM banners WHERE origin = ? ORDER BY game_id",
            (layout.portable(path, self._root),),
        )
        return [key for (key,) in rows]

    def require(self, kind: str) -> None:
        """Check that a present game has a banner of a kind that only `sync` gets.

        Raises:
            GalleryError: none has; the message says how to get them.
        """
        sql = "SELECT 1 FROM banners JOIN games USING (game_id) WHERE gone_at IS NULL AND kind = ? LIMIT 1"
        if kind != layout.VERTICAL and not self._db.execute(sql, (kind,)).fetchone():
            raise GalleryError(
                f"the gallery {self._root} has no {kind} banners; download Steam's with: steam-dino sync -g"
                f" {self._root} --kind {kind}"
            )

    def known(self) -> Iterator[KnownBanner]:
        """Yield every banner of every present game, in the order of game ids."""
        root = str(self._root)
        for key, kind, path, origin, store, *facts in self._db.execute(
            "SELECT game_id, banners.kind, path, origin, sources.kind = 'store', size, mtime_ns, ctime_ns, sha256"
            " FROM banners JOIN games USING (game_id) JOIN sources USING (source_id)"
            " WHERE gone_at IS NULL ORDER BY game_id, banners.kind"
        ):
            place = None if store else layout.location(origin, root)
            yield KnownBanner(key, kind, layout.location(path, root), path != origin, place, *facts)

    def copied_from_stores(self) -> Iterator[tuple[str, str, str, int]]:
        """Yield the copied pictures of present games from stores: (game's id, kind, where it is, bytes).

        Where it is: a path relative to the gallery, or an address.
        """
        yield from self._db.execute(
            "SELECT game_id, banners.kind, path, size"
            " FROM banners JOIN games USING (game_id) JOIN sources USING (source_id)"
            " WHERE gone_at IS NULL AND sources.kind = 'store' AND path != origin"
        )

    def copies(self) -> set[Location]:
        """Return the copies that any game uses: in the gallery's own folder, or where `sync` keeps them."""
        rows = self._db.execute("SELECT path FROM banners WHERE path != origin")
        return {layout.location(path, str(self._root)) for (path,) in rows}
