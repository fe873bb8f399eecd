"""Small snapshots of given vectors, written by the program's own writer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from steamdino import Snapshot
from steamdino.features.recipe_parser import named
from steamdino.gallery.vectors import Row
from steamdino.index.exact import ExactIndex
from steamdino.index.snapshot_reader import SnapshotReader
from steamdino.index.snapshot_writer import write
from steamdino.index.vector_index import Neighbours


def snapshot_of(
    folder: Path, vectors: NDArray[np.float32], columns: Iterable[Mapping[str, Any]] = (), *, listed: int = 0
) -> Snapshot:
    """Writes and opens a snapshot; the id of row n is "g" and n in three digits.

    Args:
        folder: of the recipe's snapshots.
        vectors: float32, shape (n, d), unit rows.
        columns: what else is known of each game; nothing for games that it lacks.
        listed: how many neighbours of each row its index lists.
    """
    known = [*columns, *({} for _ in vectors)]
    rows = [
        Row(f"g{n:03}", f"Game {n}", "made up", None, "", f"{n:064x}", json.dumps(known[n]))
        for n in range(len(vectors))
    ]
    recipe = replace(named("bundled"), dim=vectors.shape[1])
    reader = SnapshotReader(write(folder, recipe, 1, rows, [], vectors, {"f32": len(rows)}))
    if listed:
        reader.index = ListedRows(reader.vectors, listed)
    return Snapshot(reader)


def gallery_of(
    folder: Path, name: str, games: int = 20, *, recipe: str = "bundled", seed: int = 0, dim: int = 8
) -> Path:
    """Writes the next snapshot of a gallery without a database; its games all have one name.

    Args:
        folder: the gallery's, which is returned.
        name: of the games; their ids are "g" and their row in three digits.
        games: how many.
        recipe: its name, and what its weights are made up of.
        seed: of the vectors.
        dim: of the vectors.
    """
    vectors = clustered(games, dim, seed=seed)
    rows = [Row(f"g{n:03}", name, "made up", None, "", f"{n + seed:064x}", "{}") for n in range(games)]
    weights = hashlib.sha256(recipe.encode()).hexdigest()
    made = replace(named("bundled"), dim=dim, name=recipe, weights=weights)
    write(folder / "snapshots" / made.hash, made, 1, sorted(rows), [], vectors, {"f32": games})
    return folder


class ListedRows(ExactIndex):
    """An index that lists neighbours, and counts the rows whose lists do not suffice."""

    def __init__(self, vectors: NDArray[np.float32], listed: int) -> None:
        super().__init__(vectors)
        self._listed = min(listed, len(vectors) - 1)
        self._lists = ExactIndex(vectors).neighbours(self._listed)
        self.searched = 0

    @property
    def listed(self) -> int:
        """See `Index.listed`."""
        return self._listed

    def neighbours(self, k: int, *, rows: Any = None, among: Any = None, progress: Any = None) -> Neighbours:
        """See `Index.neighbours`."""
        asked = np.arange(len(self)) if rows is None else rows
        if among is None and k <= self._listed:
            return Neighbours(self._lists.rows[asked, :k], self._lists.cosines[asked, :k])
        self.searched += len(asked)
        return super().neighbours(k, rows=rows, among=among, progress=progress)


def clustered(count: int, dim: int = 8, *, seed: int = 0) -> NDArray[np.float32]:
    """Unit vectors in clusters, some of them identical: float32, shape (count, dim)."""
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((max(1, count // 8), dim))[
        rng.integers(0, max(1, count // 8), count)
    ] + 0.5 * rng.standard_normal((count, dim))
    copies = rng.integers(0, count, (count // 8, 2))
    vectors[copies[:, 0]] = vectors[copies[:, 1]]
    unit: NDArray[np.float32] = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return unit
