"""A snapshot as it is published: without paths of this machine, and with the places of uploaded pictures."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import IO

from steamdino.gallery import layout
from steamdino.index.manifest import GAMES, MANIFEST, facts_of
from steamdino.index.published_gallery import PublishedSnapshot
from steamdino.index.snapshot_reader import SnapshotReader, reason_without_path
from steamdino.pipeline.upload import Upload
from steamdino.storage.location import is_address


class PublishDraft:
    """A snapshot that is about to be published. A context manager; its files stay open, even if they are pruned.

    Attributes:
        reader: the snapshot in the gallery.
        published: what a published gallery says of it.
        bytes: of all its files.
    """

    def __init__(self, folder: Path, address: str, *, pictures: bool) -> None:
        """Copy the games, and name the places of their pictures.

        Args:
            folder: the snapshot's.
            address: of the published gallery.
            pictures: whether pictures in files will be uploaded; otherwise they have no place.

        Raises:
            FileNotFoundError: it was pruned this very moment.
            SnapshotError: it is damaged.
        """
        self.reader = SnapshotReader(folder, exact=True)
        manifest = self.reader.manifest
        with ExitStack() as stack:
            temporary = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="steam-dino-")))
            games = temporary / GAMES
            shutil.copyfile(folder / GAMES, games)
            _rewrite(games, address if pictures else None)
            files = {**manifest.files, GAMES: facts_of(games)}
            replace(manifest, files=files).write(temporary)
            self._manifest = temporary.joinpath(MANIFEST).read_bytes()
            self._files: dict[str, IO[bytes]] = {
                name: stack.enter_context((games if name == GAMES else folder / name).open("rb"))
                for name in files
            }
            self._stack = stack.pop_all()
        self.bytes = sum(facts["bytes"] for facts in files.values())
        self._sizes = {name: facts["bytes"] for name, facts in files.items()}
        self.published = PublishedSnapshot(
            layout.snapshots_of(Path(), manifest.recipe.hash, manifest.kind).name,
            hashlib.sha256(self._manifest).hexdigest(),
        )

    def send(self, upload: Upload, progress: Callable[[int], object]) -> None:
        """Upload the files, the manifest last.

        Args:
            upload: below the published gallery's address.
            progress: called with bytes that were sent, or were there.

        Raises:
            NetworkError: the store refuses or does not answer.
        """
        for name, file in self._files.items():
            upload.put(f"{self.published.folder}/{name}", file, self._sizes[name], progress)
        upload.put(f"{self.published.folder}/{MANIFEST}", self._manifest, len(self._manifest))

    def __enter__(self) -> PublishDraft:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


def picture_key(sha256: str, name: str) -> str:
    """Return the key of an uploaded picture, after the published gallery's address."""
    return str(layout.copy_path(sha256, PurePosixPath(name).suffix))


def _rewrite(games: Path, address: str | None) -> None:
    def place(picture: str, sha256: str) -> str | None:
        if is_address(picture):
            return picture
        return None if address is None else f"{address}/{picture_key(sha256, picture)}"

    with closing(sqlite3.connect(games, isolation_level=None)) as db:
        db.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")  # nobody else reads the file
        db.create_function("place", 2, place)
        db.create_function("without_path", 1, reason_without_path)
        db.execute("UPDATE games SET picture = place(picture, sha256) WHERE picture IS NOT NULL")
        db.execute("UPDATE absent SET reason = without_path(reason)")
