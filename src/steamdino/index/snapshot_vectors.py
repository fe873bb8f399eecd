"""Writes the vectors of a snapshot. Those of games that an older one has with the same pictures are copied from it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from steamdino.errors import GalleryError, SnapshotError
from steamdino.index.manifest import GAMES, VECTORS, Manifest

COPIED = 4096
"""Rows that are copied at a time."""

VectorsOf = Callable[[Iterable[str]], Iterator[NDArray[np.float32]]]
"""Reads the vectors of pictures, given by their sha256s, in their order: float32, shape (dim,)."""

_LISTED = "SELECT id, sha256 FROM games ORDER BY row"


def write_vectors(
    path: Path,
    db: sqlite3.Connection,
    vectors: Iterable[NDArray[np.float32]] | VectorsOf,
    dim: int,
    previous: Path | None,
) -> None:
    """Write the vectors of the games in a draft's database.

    Args:
        path: the file to write.
        db: the draft's database.
        vectors: as `snapshot_writer.write` takes them.
        dim: of the vectors.
        previous: an older snapshot, whose vectors may be copied; None if there is none.

    Raises:
        GalleryError: a vector is missing or has the wrong length.
    """
    (count,) = db.execute("SELECT count(*) FROM games").fetchone()
    if not count:
        np.save(path, np.empty((0, dim), np.float32))
        return
    mapped = np.lib.format.open_memmap(path, "w+", np.float32, (count, dim))
    rows: Sequence[int] = range(count)
    if callable(vectors):
        known = np.full(count, -1)
        if previous is not None and (old := _known_vectors(previous, dim)) is not None:
            known = _known_rows(db, previous)
            _copy_rows(old, known, mapped)
        missing = np.flatnonzero(known < 0)
        vectors, rows = vectors(_sha256s_of(db, missing)), missing.tolist()
    written = 0
    for row, vector in zip(rows, vectors, strict=False):
        if vector.shape != (dim,):
            raise GalleryError(
                f"a stored vector has {vector.size} numbers, not {dim}: the gallery is damaged"
            )
        # The gallery stores float16, whose rounding changed the length a little.
        mapped[row] = vector / np.linalg.norm(vector)
        written += 1
    if missing_ones := len(rows) - written:
        raise GalleryError(f"{missing_ones} stored vectors are missing; run the same command again")
    mapped.flush()


def _sha256s_of(db: sqlite3.Connection, rows: NDArray[np.intp]) -> Iterator[str]:
    for row in rows.tolist():
        yield db.execute("SELECT sha256 FROM games WHERE row = ?", (row,)).fetchone()[0]


def _known_vectors(snapshot: Path, dim: int) -> NDArray[np.float32] | None:
    """Map a snapshot's vectors if its files are as they were written.

    Returns:
        float32, shape (games, dim); None if a file is missing or damaged.
    """
    try:
        manifest = Manifest.read(snapshot)
        if not all(manifest.describes(name, snapshot) for name in (VECTORS, GAMES)):
            return None
        vectors = np.load(snapshot / VECTORS, mmap_mode="r", allow_pickle=False).view(np.ndarray)
    except (OSError, ValueError, KeyError, SnapshotError):
        return None
    return vectors if vectors.dtype == np.float32 and vectors.shape == (manifest.games, dim) else None


def _known_rows(db: sqlite3.Connection, snapshot: Path) -> NDArray[np.intp]:
    """Find the rows of an older snapshot that show the same picture for the same game.

    Both are listed by rising ids. Where they are not, fewer rows are found.

    Args:
        db: with the table ``games`` of the new snapshot.
        snapshot: the older one.

    Returns:
        intp, shape (games,): a row of the older snapshot for each new one, or -1.
    """
    (count,) = db.execute("SELECT count(*) FROM games").fetchone()
    found = np.full(count, -1)
    address = f"{(snapshot / GAMES).absolute().as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(address, uri=True)) as older:
        remaining: Iterator[tuple[int, tuple[str, str]]] = enumerate(older.execute(_LISTED))
        row, known = next(remaining, (0, None))
        for new_row, game in enumerate(db.execute(_LISTED)):
            while known is not None and known[0] < game[0]:
                row, known = next(remaining, (0, None))
            if known == game:
                found[new_row] = row
    return found


def _copy_rows(source: NDArray[np.float32], rows: NDArray[np.intp], target: NDArray[np.float32]) -> None:
    """Copy rows in blocks, those that follow each other in one go.

    Args:
        source: float32, shape (m, dim).
        rows: intp, shape (n,): of the source, or -1 for rows that are left as they are.
        target: float32, shape (n, dim).
    """
    for start in range(0, len(rows), COPIED):
        block = rows[start : start + COPIED]
        ends = [*(np.flatnonzero((np.diff(block) != 1) | (block[:-1] < 0)) + 1).tolist(), len(block)]
        for first, end in zip([0, *ends], ends, strict=False):
            if (row := int(block[first])) >= 0:
                target[start + first : start + end] = source[row : row + end - first]
