"""Writes snapshots: into a temporary folder first, then into place by one rename."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
from numpy.typing import NDArray

from steamdino.errors import GalleryError, SnapshotError
from steamdino.gallery.layout import VERTICAL
from steamdino.gallery.vectors import Absent, Row
from steamdino.index import facets, names
from steamdino.index.distribution import Distribution, distribution
from steamdino.index.snapshot import GAMES, VECTORS, WHITENING, Manifest, newest
from steamdino.recipe import Recipe
from steamdino.storage.atomic import make_folder, new_folder, replace_folder, sync_folder

KEPT = 2
"""Snapshots of a recipe that stay: the newest, and the one before for readers that have just chosen it."""

_SCHEMA = """
CREATE TABLE games (
    row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, folded TEXT NOT NULL, source TEXT NOT NULL,
    url TEXT, picture TEXT, sha256 TEXT NOT NULL, columns TEXT NOT NULL
);
CREATE TABLE absent (id TEXT PRIMARY KEY, name TEXT NOT NULL, folded TEXT NOT NULL, reason TEXT NOT NULL);
CREATE INDEX absent_by_folded ON absent (folded);
"""  # facets.SCHEMA and names.SCHEMA follow
_PREFIX = "new-"


def write(
    folder: Path,
    recipe: Recipe,
    revision: int,
    rows: Sequence[Row],
    absent: Iterable[Absent],
    vectors: Iterable[NDArray[np.float32]],
    precisions: dict[str, int],
    *,
    kind: str = VERTICAL,
    whitening: bytes | None = None,
    anew: bool = False,
) -> Path:
    """Writes the next snapshot into a recipe's folder and removes the oldest ones.

    If the newest one has the same pictures in the same rows, its vectors are taken over by a hard link.

    Args:
        folder: of all snapshots of the recipe; must be written to by one process at a time.
        recipe: whose space the vectors live in.
        revision: of the gallery's catalogue.
        rows: the games, in the order of the vectors.
        absent: games without a vector.
        vectors: float32, shape (dim,), one for each row; read only if there is nothing to take over.
        precisions: how many vectors were made in each.
        kind: of banner.
        whitening: the file of the one that the recipe names, where it is not a file of the model.
        anew: take nothing over from the newest one (it may be damaged).

    Returns:
        the new snapshot's folder.
    """
    with Draft(folder) as draft:
        content = _content(row.sha256 for row in rows)
        previous = draft.previous
        similarity = None
        if not anew and previous is not None and _take_over(previous, draft.folder, content):
            similarity = Manifest.read(previous).similarity
        else:
            _write_vectors(draft.folder / VECTORS, vectors, (len(rows), recipe.dim))
        draft.write_games(rows, absent)
        if whitening is not None:
            (draft.folder / WHITENING).write_bytes(whitening)
        target = draft.commit(
            recipe, revision=revision, precisions=precisions, kind=kind, similarity=similarity
        )
    prune(folder)
    return target


class Draft:
    """A snapshot that is being written: a hidden folder beside the older ones, which `commit` renames into place.

    A context manager; without `commit` nothing is left. Whoever fills it writes `VECTORS` and, where there is one,
    `WHITENING` into `folder`, and calls `write_games`. Games are taken one by one, so that memory does not grow with
    them.

    Attributes:
        folder: where it is written.
        previous: the newest snapshot beside it; None if it is the first.
    """

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        """Names the place.

        Args:
            home: the folder of all snapshots of the recipe; one process at a time may write to it.
            durable: whether the snapshot must survive a power cut.
        """
        self._home = home
        self._durable = durable

    def __enter__(self) -> Self:
        make_folder(self._home) if self._durable else self._home.mkdir(parents=True, exist_ok=True)
        remove_leftovers(self._home)
        self.previous = newest(self._home)
        self.folder = new_folder(self._home, _PREFIX)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)  # no longer there after `commit`

    def write_games(self, rows: Iterable[Row], absent: Iterable[Absent]) -> None:
        """Writes the games, in the order of the vectors, and those without a vector."""
        _write_games(self.folder / GAMES, rows, absent)

    def commit(
        self,
        recipe: Recipe,
        *,
        revision: int,
        precisions: dict[str, int],
        kind: str = VERTICAL,
        similarity: Distribution | None = None,
        created_at: str | None = None,
    ) -> Path:
        """Writes the manifest and renames the folder into place.

        Args:
            recipe: whose space the vectors live in.
            revision: of the gallery's catalogue.
            precisions: how many vectors were made in each.
            kind: of banner.
            similarity: how the cosines are distributed, where that is known already.
            created_at: ISO 8601, UTC; None for now.

        Returns:
            the snapshot's folder.
        """
        vectors = np.load(self.folder / VECTORS, mmap_mode="r")
        with closing(sqlite3.connect(self.folder / GAMES)) as db:
            content = _content(_sha256s(db))
            if similarity is None:
                similarity = distribution(vectors, _sha256s(db))
        games = len(vectors)
        del vectors
        Manifest(
            recipe=recipe,
            revision=revision,
            content=content,
            games=games,
            created_at=created_at or datetime.now(UTC).isoformat(timespec="microseconds"),
            precisions=precisions,
            files={
                name: _facts(self.folder / name)
                for name in (VECTORS, GAMES, WHITENING)
                if (self.folder / name).is_file()
            },
            similarity=similarity,
            kind=kind,
        ).write(self.folder)
        target = self._home / str(1 if self.previous is None else int(self.previous.name) + 1)
        if self._durable:
            replace_folder(self.folder, target)
        else:
            self.folder.rename(target)
        return target


def prune(folder: Path, kept: int = KEPT) -> None:
    """Removes all but the newest snapshots of a recipe. What a reader holds open on Windows goes the next time."""
    numbers = sorted((int(child.name) for child in folder.iterdir() if child.name.isdigit()), reverse=True)
    for number in numbers[kept:]:
        with suppress(OSError):
            # Renamed first, so that nobody chooses a snapshot that is half removed.
            doomed = (folder / str(number)).rename(folder / f"{_PREFIX}{number}")
            sync_folder(folder)
            shutil.rmtree(doomed)


def remove_all(folder: Path) -> None:
    """Removes a recipe's folder with all its snapshots; readers that have one open keep it."""
    prune(folder, kept=0)
    remove_leftovers(folder)
    with suppress(OSError):  # something is left that a reader holds open on Windows, or that is not ours
        folder.rmdir()


def remove_leftovers(folder: Path) -> None:
    """Removes what a killed writer left in a recipe's folder; to be called by the one who may write."""
    for leftover in folder.glob(f"{_PREFIX}*"):
        shutil.rmtree(leftover, ignore_errors=True)


def _take_over(previous: Path, work: Path, content: str) -> bool:
    try:
        manifest = Manifest.read(previous)
        source = previous / VECTORS
        if manifest.content != content or source.stat().st_size != manifest.files[VECTORS]["bytes"]:
            return False
        os.link(source, work / VECTORS)
    except (OSError, SnapshotError):  # no hard links here, or the old one is damaged: write anew
        return False
    return True


def _write_vectors(path: Path, vectors: Iterable[NDArray[np.float32]], shape: tuple[int, int]) -> None:
    if shape[0] == 0:
        np.save(path, np.empty(shape, np.float32))
        return
    mapped = np.lib.format.open_memmap(path, "w+", np.float32, shape)
    count = 0
    for count, row in enumerate(vectors, 1):
        if row.shape != shape[1:]:
            raise GalleryError(
                f"a stored vector has {row.size} numbers, not {shape[1]}: the gallery is damaged"
            )
        mapped[count - 1] = row / np.linalg.norm(row)  # rounding in the gallery moved its length a little
    if count != shape[0]:
        raise GalleryError(f"{shape[0] - count} stored vectors are missing; run the same command again")
    mapped.flush()


def _content(sha256s: Iterable[str]) -> str:
    """The sha256 of the rows' sha256s, with a line break between each two."""
    digest = hashlib.sha256()
    for number, sha256 in enumerate(sha256s):
        digest.update(f"\n{sha256}".encode() if number else sha256.encode())
    return digest.hexdigest()


def _sha256s(db: sqlite3.Connection) -> Iterator[str]:
    return (sha256 for (sha256,) in db.execute("SELECT sha256 FROM games ORDER BY row"))


def _write_games(path: Path, rows: Iterable[Row], absent: Iterable[Absent]) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = OFF")  # the file is not anybody's yet
        db.executescript(_SCHEMA + facets.SCHEMA)
        db.execute("BEGIN")
        db.executemany(
            "INSERT INTO games VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (n, r.id, r.name, names.fold(r.name), r.source, r.url, r.picture, r.sha256, r.columns)
                for n, r in enumerate(rows)
            ),
        )
        db.executemany(
            "INSERT INTO absent VALUES (?, ?, ?, ?)",
            ((a.id, a.name, names.fold(a.name), a.reason) for a in absent),
        )
        facets.fill(db, (columns for (columns,) in db.execute("SELECT columns FROM games ORDER BY row")))
        db.execute("COMMIT")
        db.executescript(names.SCHEMA)


def _facts(path: Path) -> dict[str, object]:
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}
