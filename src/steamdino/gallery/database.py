"""The gallery: opens the database, holds the lock, counts revisions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from steamdino.errors import GalleryError
from steamdino.gallery import layout, schema
from steamdino.gallery.banners import Banners
from steamdino.gallery.connection import connected
from steamdino.gallery.curation import Curation
from steamdino.gallery.games import Games
from steamdino.gallery.history import History
from steamdino.gallery.lock import NO_LOCKS, writing
from steamdino.gallery.problems import Problems
from steamdino.gallery.statistics import GalleryStatistics, report
from steamdino.gallery.steam_apps import SteamApps
from steamdino.gallery.steam_assets import SteamAssets
from steamdino.gallery.vectors import Vectors
from steamdino.storage.atomic import make_folder


class Gallery:
    """A folder with everything that a search needs.

    Open it with `Gallery.open` to read and with `Gallery.write` to change it. After it was closed, all of its methods
    that need the database raise a `GalleryError`.

    Attributes:
        root: the gallery's folder, absolute and without "..".
        games: sources and their games.
        banners: the games' banners.
        problems: what could not be used.
        vectors: recipes and the vectors made with them.
        curation: the measurements and decisions of `check`.
        history: what changed: games that came and left, and earlier banners.
        steam_apps, steam_assets: what `sync` knows about Steam's apps and their pictures.
    """

    def __init__(self, root: Path, connection: sqlite3.Connection) -> None:
        self.root = layout.absolute(root)
        if self.root.is_symlink():
            self.root = layout.base(self.root, _locations(connection))
        self._connection = connection
        self.games = Games(connection, self.root)
        self.banners = Banners(connection, self.root)
        self.problems = Problems(connection)
        self.vectors = Vectors(connection, self.root)
        self.curation = Curation(connection)
        self.history = History(connection, self.root)
        self.steam_apps = SteamApps(connection)
        self.steam_assets = SteamAssets(connection)

    @classmethod
    def open(cls, path: str | Path) -> Gallery:
        """Open a gallery for reading; another process may write to it at the same time.

        Raises:
            GalleryError: there is no gallery at that path, it is damaged, or a newer program made it.
        """
        root = Path(path)
        database = root / layout.DATABASE
        if not database.is_file():
            raise layout.no_gallery(root)
        connection = _connect_reading(database)
        try:
            with _explained(root):
                version = schema.version_of(connection)
                if not version:  # whoever made it was killed before the first table
                    raise layout.no_gallery(root)
                if version < schema.VERSION:
                    raise GalleryError(f"its format is older; upgrade it with: steam-dino build -g {root}")
        except BaseException:
            connection.close()
            raise
        return cls(root, connection)

    @classmethod
    @contextmanager
    def write(cls, path: str | Path, purpose: str, *, create: bool = False) -> Iterator[Gallery]:
        """Open a gallery for writing and hold its lock until the block ends.

        Args:
            path: the gallery's folder.
            purpose: what this writer does, e.g. "build"; a second writer's error message quotes it.
            create: create the folder and the database if they do not exist.

        Raises:
            GalleryLockedError: another process is writing to it.
            GalleryError: there is no gallery, it is damaged, a newer program made it, or it cannot be written to.
        """
        root = Path(path)
        if not create and not (root / layout.DATABASE).is_file():
            raise layout.no_gallery(root)
        try:
            make_folder(root)
        except OSError as error:
            raise GalleryError(
                f"{root} cannot be made into a gallery: {error.strerror}; name another folder"
            ) from None
        with writing(root, purpose), _explained(root):
            connection = connected(root / layout.DATABASE, root)
            try:
                if not schema.version_of(connection) and not create:
                    raise layout.no_gallery(root)
                connection.execute("PRAGMA journal_mode = WAL")
                # NORMAL could lose the last commits in a power cut after they were reported as done.
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("PRAGMA foreign_keys = ON")
                schema.migrate(connection)
                yield cls(root, connection)
            finally:
                connection.close()

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def __enter__(self) -> Gallery:
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        self.close()
        if isinstance(error, sqlite3.DatabaseError):
            with _explained(self.root):
                raise error

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the block as one transaction: commit its writes when it ends, roll them back if it raises."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    @property
    def snapshots(self) -> Path:
        """The folder that holds all snapshots."""
        return self.root / layout.SNAPSHOTS

    def snapshots_of(self, recipe_hash: str, kind: str = layout.VERTICAL) -> Path:
        """Return the folder of a recipe's snapshots for a kind of banner."""
        return layout.snapshots_of(self.root, recipe_hash, kind)

    def complaints(self) -> list[str]:
        """Return the problems that SQLite's own checks find in the database; empty if it is sound."""
        found = [text for (text,) in self._connection.execute("PRAGMA integrity_check") if text != "ok"]
        broken = self._connection.execute("PRAGMA foreign_key_check").fetchall()
        return found + [f"{table}: a row refers to a missing row of {other}" for table, _, other, _ in broken]

    def compact(self) -> None:
        """Return the space of deleted rows to the file system."""
        self._connection.execute("VACUUM")
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def report(self) -> GalleryStatistics:
        """Count what the gallery holds."""
        return report(self._connection, self.root)


def _locations(connection: sqlite3.Connection) -> list[str]:
    try:
        return [
            place for (place,) in connection.execute("SELECT location FROM sources WHERE kind != 'store'")
        ]
    except sqlite3.DatabaseError:  # the next read reports what is wrong
        return []


def _connect_reading(database: Path) -> sqlite3.Connection:
    address = database.absolute().as_uri()
    for options in ("mode=ro", "mode=ro&immutable=1"):
        # Reading beside a writer needs a shared-memory file, which SQLite cannot create in a read-only folder.
        # Such a folder has no writer, so the database is opened as immutable there.
        connection = connected(f"{address}?{options}", database.parent, uri=True, check_same_thread=False)
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.OperationalError:
            connection.close()
            continue
        except sqlite3.DatabaseError:
            pass  # not a database: the next read reports it
        return connection
    raise GalleryError(f"{database} cannot be opened; check that you may read it")


_ADVICE = {
    **dict.fromkeys(
        (
            sqlite3.SQLITE_PROTOCOL,
            sqlite3.SQLITE_IOERR_LOCK,
            sqlite3.SQLITE_IOERR_RDLOCK,
            sqlite3.SQLITE_IOERR_UNLOCK,
            sqlite3.SQLITE_IOERR_CHECKRESERVEDLOCK,
            sqlite3.SQLITE_IOERR_SHMLOCK,
            sqlite3.SQLITE_IOERR_SHMMAP,
            sqlite3.SQLITE_IOERR_SHMOPEN,
        ),
        NO_LOCKS,
    ),
    sqlite3.SQLITE_FULL: "free some space and run the same command again; what was committed is kept",
    sqlite3.SQLITE_IOERR: "the disk is full or failing; free some space and run the same command again;"
    " what was committed is kept",
    sqlite3.SQLITE_READONLY: "make the folder writable",
    sqlite3.SQLITE_CANTOPEN: "make the folder writable",
    sqlite3.SQLITE_PERM: "make the folder writable",
    sqlite3.SQLITE_BUSY: "another program has locked it; try again when that program has finished",
}


@contextmanager
def _explained(root: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0)
        # Advice for the extended code, or for the code, which is its lower bits.
        advice = _ADVICE.get(code) or _ADVICE.get(
            code & 0xFF, "restore it from a backup, or move it away and add the pictures again"
        )
        raise GalleryError(f"{root / layout.DATABASE}: {error}; {advice}") from None
    except GalleryError as error:
        message = str(error)
        raise type(error)(
            message if str(root) in message else f"{root / layout.DATABASE}: {message}"
        ) from None
