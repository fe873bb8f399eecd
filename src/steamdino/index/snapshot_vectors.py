"""Writes the vectors of a snapshot. Those of games that an older one has with the same pictures are copied from it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from steamdino.errors import GalleryError
from steamdino.index.manifest import GAMES, VECTORS
from steamdino.index.older_snapshot import OlderSnapshot

COPIED = 4096
"""Rows that are copied at a time."""

VectorsOf = Callable[[Iterable[str]], Iterator[NDArray[np.float32]]]
"""Reads the vectors of pictures, given by their sha256s, in their order: float32, shape (dim,)."""


def write_vectors(
    path: Path,
    db: sqlite3.Connection,
    vectors: Iterable[NDArray[np.float32]] | VectorsOf,
    dim: int,
    older: OlderSnapshot | None,
) -> None:
    """Write the vectors of the games in a draft's database.

    Args:
        path: the file to write.
        db: the draft's database.
        vectors: as `snapshot_writer.write` takes them.
        dim: of the vectors.
        older: a snapshot whose vectors may be copied; None if there is none.

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
        if older is not None and older.is_intact(VECTORS, GAMES) and (old := older.vectors(dim)) is not None:
            before = older.before(db)
            known = np.where(before.same_picture, before.rows, -1)
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
