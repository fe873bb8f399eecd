"""Writes snapshots: into a temporary folder first, then into place by one rename."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from steamdino.errors import GalleryError, SnapshotError
from steamdino.gallery.layout import VERTICAL
from steamdino.gallery.vectors import Absent, Row
from steamdino.index import facets, names
from steamdino.index.distribution import distribution
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
    make_folder(folder)
    remove_leftovers(folder)
    previous = newest(folder)
    work = new_folder(folder, _PREFIX)
    try:
        content = hashlib.sha256("\n".join(row.sha256 for row in rows).encode()).hexdigest()
        taken = not anew and previous is not None and _take_over(previous, work, content)
        if not taken:
            _write_vectors(work / VECTORS, vectors, (len(rows), recipe.dim))
        similarity = Manifest.read(previous).similarity if taken and previous else None
        if similarity is None:
            similarity = distribution(np.load(work / VECTORS, mmap_mode="r"), [row.sha256 for row in rows])
        _write_games(work / GAMES, rows, absent)
        written = [VECTORS, GAMES]
        if whitening is not None:
            (work / WHITENING).write_bytes(whitening)
            written.append(WHITENING)
        Manifest(
            recipe=recipe,
            revision=revision,
            content=content,
            games=len(rows),
            created_at=datetime.now(UTC).isoformat(timespec="microseconds"),
            precisions=precisions,
            files={name: _facts(work / name) for name in written},
            similarity=similarity,
            kind=kind,
        ).write(work)
        target = folder / str(1 if previous is None else int(previous.name) + 1)
        replace_folder(work, target)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise
    prune(folder)
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
        mapped[count - 1] = row / np.linalg.norm(
            row
        )  # stored as float16, whose rounding moved its length a little
    if count != shape[0]:
        raise GalleryError(f"{shape[0] - count} stored vectors are missing; run the same command again")
    mapped.flush()


def _write_games(path: Path, rows: Sequence[Row], absent: Iterable[Absent]) -> None:
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
        facets.fill(db, (row.columns for row in rows))
        db.execute("COMMIT")
        db.executescript(names.SCHEMA)


def _facts(path: Path) -> dict[str, object]:
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}
