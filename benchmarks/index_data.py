"""The sets of vectors that `index.py` measures search structures on: made up, hostile, and real covers'."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

import steamdino

Vectors = NDArray[np.float32]

BLOCK = 50_000
"""Rows that are made at a time."""


def unit(rows: Vectors) -> Vectors:
    """Scale rows to length 1."""
    scaled: Vectors = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32, copy=False)
    return scaled


def clustered(count: int, dim: int, *, spread: float = 1.2, common: float = 0.0, seed: int = 0) -> Vectors:
    """Rows around a hundredth as many centres.

    Args:
        count: number of rows.
        dim: number of dimensions.
        spread: deviation of the rows in a cluster, relative to that of the centres.
        common: length of a vector that is added to all rows, relative to that of the rest: 10 makes all cosines 0.99.
        seed: of the generator.
    """
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((max(10, count // 100), dim), np.float32)
    shared = rng.standard_normal(dim, np.float32) * np.float32(common * np.hypot(1, spread))
    rows = np.empty((count, dim), np.float32)
    for start in range(0, count, BLOCK):
        size = min(BLOCK, count - start)
        block = centres[rng.integers(0, len(centres), size)]
        block = block + np.float32(spread) * rng.standard_normal((size, dim), np.float32) + shared
        rows[start : start + size] = unit(block)
    return rows


def with_blanks(count: int, dim: int, blanks: int) -> Vectors:
    """Clustered rows, and one banner that many games share."""
    rows = clustered(count, dim)
    rows[np.random.default_rng(1).permutation(count)[:blanks]] = rows[0]
    return rows


def with_near_copies(count: int, dim: int, copies: int, groups: int) -> Vectors:
    """Clustered rows, and groups of rows whose cosines are 0.999."""
    rows = clustered(count, dim)
    rng = np.random.default_rng(1)
    chosen = rng.permutation(count)[: groups * copies].reshape(groups, copies)
    for group in chosen:
        noise = rng.standard_normal((copies, dim), np.float32) * np.float32(np.sqrt(0.001 / dim))
        rows[group] = unit(rows[group[0]] + noise)
    return rows


def of_gallery(gallery: Path) -> Vectors:
    """The vectors of a gallery that was built."""
    return np.array(steamdino.Snapshot.open(gallery).vectors)


def of_pixels(gallery: Path) -> Vectors:
    """The pixels of a gallery's banners at 16 x 24, neither centred nor whitened: most cosines are above 0.5."""
    snapshot = steamdino.Snapshot.open(gallery)
    rows = np.empty((len(snapshot), 16 * 24 * 3), np.float32)
    for row, game in enumerate(snapshot.games(range(len(snapshot)))):
        if game.picture is None:
            raise SystemExit(f"{game.id} has no picture file")
        with Image.open(game.picture) as image:
            image.draft("RGB", (64, 96))
            rows[row] = np.asarray(image.convert("RGB").resize((16, 24)), np.float32).ravel() + 1
    return unit(rows)


def data_sets(covers: Path | None, rows: int = 30_000) -> dict[str, Callable[[], Vectors]]:
    """What makes each set, by its name.

    Args:
        covers: a gallery of real covers that was built.
        rows: of each of the hostile sets.
    """
    sets: dict[str, Callable[[], Vectors]] = {
        "steam": partial(clustered, 184_000, 512),
        "steam-shapeless": partial(clustered, 184_000, 512, spread=1000.0),
        "million": partial(clustered, 1_000_000, 512),
        "blanks": partial(with_blanks, rows, 512, rows // 3),
        "near-copies": partial(with_near_copies, rows, 512, rows // 6, 4),
        "near-one": partial(clustered, rows, 384, common=10.0),
        "shapeless": partial(clustered, rows, 512, spread=1000.0),
        "384-dims": partial(clustered, rows, 384),
        "1536-dims": partial(clustered, rows, 1536),
    }
    if covers:
        sets["covers"] = partial(of_gallery, covers)
        sets["pixels"] = partial(of_pixels, covers)
    return sets
