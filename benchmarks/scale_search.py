"""How exact and how fast searches are, against an independent oracle.

As a script it measures one program, whose package it runs with, and prints JSON:

    python benchmarks/scale_search.py query GALLERY QUERIES
    python benchmarks/scale_search.py names GALLERY QUERIES.json
    python benchmarks/scale_search.py index GALLERY
    python benchmarks/scale_search.py recall COVERS-OR-EMPTY ROWS ASKED

The oracle is NumPy's matrix product over all rows. A match counts if its cosine reaches that of the k-th true one, less
a rounding error, so that neighbours that are equally near are equally right.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Rows = NDArray[np.intp]

ROUNDING = 2e-6
BLOCK = 65_536
NOISE = 0.3
"""Length of what is added to a row's vector to make that of a picture which the gallery does not have."""


def edges(vectors: Vectors, queries: Vectors, own: Rows | None, k: int) -> Vectors:
    """Compute the cosine of each query's k-th nearest row, from all cosines, in blocks.

    Args:
        vectors: float32, shape (n, d).
        queries: float32, shape (q, d).
        own: the row of each query, which does not count; None if they are no rows.
        k: number of neighbours.

    Returns:
        float32, shape (q,).
    """
    best = np.full((len(queries), k), -np.inf, np.float32)
    for start in range(0, len(vectors), BLOCK):
        cosines = queries @ vectors[start : start + BLOCK].T
        if own is not None:
            inside = np.flatnonzero((own >= start) & (own < start + cosines.shape[1]))
            cosines[inside, own[inside] - start] = -np.inf
        both = np.hstack([best, cosines])
        best = -np.partition(-both, k - 1, axis=1)[:, :k]
    least: Vectors = best.min(axis=1)
    return least


def recall(vectors: Vectors, queries: Vectors, own: Rows | None, found: Rows) -> float:
    """Return the share of true neighbours among those that were found.

    Args:
        vectors, queries, own: as in `edges`.
        found: intp, shape (q, k): rows; a row that comes twice counts once.
    """
    least = edges(vectors, queries, own, found.shape[1])
    right = 0
    for query, rows, edge in zip(queries, found, least, strict=True):
        distinct = np.unique(rows[rows >= 0])
        right += min(int((vectors[distinct] @ query >= edge - ROUNDING).sum()), found.shape[1])
    return right / found.size


def sample(count: int, asked: int) -> Rows:
    """Return rows to ask for, always the same ones, rising."""
    return np.sort(np.random.default_rng(7).permutation(count)[:asked]).astype(np.intp)


def query(gallery: Path, asked: int) -> dict[str, Any]:
    """Search for ten matches by id and by the vector of a new picture: median milliseconds, and recall."""
    from steamdino import Snapshot

    snapshot = Snapshot.open(gallery)
    index, vectors = snapshot.index, np.asarray(snapshot.vectors)
    rows = sample(len(vectors), asked)
    noise = np.random.default_rng(8).standard_normal((len(rows), vectors.shape[1]), np.float32)
    pictures = vectors[rows] + NOISE * noise / np.linalg.norm(noise, axis=1, keepdims=True)
    pictures = (pictures / np.linalg.norm(pictures, axis=1, keepdims=True)).astype(np.float32)
    ids = [snapshot.ids[row] for row in rows]
    snapshot.similar(ids[0], 10)
    index.nearest(pictures[0], 10)
    vectors.sum()  # so that no query pays for reading the file
    times: dict[str, list[float]] = {"id": [], "picture": []}
    of_ids, of_pictures = [], []
    for key, row, picture in zip(ids, rows, pictures, strict=True):
        started = time.perf_counter()
        matches = snapshot.similar(key, 10)
        between = time.perf_counter()
        of_pictures.append(index.nearest(picture, 10).rows)
        times["picture"].append(time.perf_counter() - between)
        times["id"].append(between - started)
        of_ids.append([snapshot.row(match.game.id) for match in matches])
        assert row not in of_ids[-1]
    return {
        "id ms": round(1e3 * float(np.median(times["id"])), 3),
        "picture ms": round(1e3 * float(np.median(times["picture"])), 3),
        "id recall": recall(vectors, vectors[rows], rows, np.array(of_ids, np.intp)),
        "picture recall": recall(vectors, pictures, None, np.array(of_pictures, np.intp)),
    }


def names(gallery: Path, paths: list[str]) -> dict[str, Any]:
    """Look up names as they are typed, given as paths of the API: median and 99th percentile in milliseconds."""
    from steamdino import Snapshot

    snapshot = Snapshot.open(gallery)
    typed = [unquote(path.partition("q=")[2]) for path in paths]
    snapshot.suggest(typed[0])
    times = []
    for text in typed:
        started = time.perf_counter()
        snapshot.suggest(text)
        times.append(1e3 * (time.perf_counter() - started))
    return {
        "name ms": round(float(np.median(times)), 3),
        "name p99 ms": round(float(np.percentile(times, 99)), 2),
    }


def index(gallery: Path) -> dict[str, Any]:
    """Build and save the search index of a snapshot again: seconds and bytes."""
    from steamdino import Snapshot
    from steamdino.index.index_registry import INDEXES

    snapshot = Snapshot.open(gallery)
    kind = INDEXES[snapshot.manifest.index]
    vectors = snapshot.vectors
    vectors.sum()
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        kind.build(vectors).save(Path(folder))
        seconds = time.perf_counter() - started
        size = sum(path.stat().st_size for path in Path(folder).iterdir())
    return {"kind": snapshot.manifest.index, "seconds": round(seconds, 2), "bytes": size}


def hostile(covers: Path | None, rows: int, asked: int) -> dict[str, Any]:
    """Measure recall@10 of the index for many games, on hostile data and real covers, of single and of all queries."""
    from index_data import data_sets
    from steamdino.index.index_registry import AUTO, INDEXES, MANY_GAMES, kind_for

    found = {}
    for name, make in data_sets(covers, rows).items():
        if name in ("steam", "steam-shapeless", "million"):
            continue
        vectors = make()
        kind = INDEXES[kind_for(AUTO, MANY_GAMES, vectors.shape[1])]
        made = kind.build(vectors)
        some = sample(len(vectors), asked)
        singly = [made.nearest(vectors[row], 10, exclude=[int(row)]).rows for row in some]
        together = made.neighbours(10, rows=some).rows
        found[name] = {
            "index": kind.name,
            "nearest": recall(vectors, vectors[some], some, np.array(singly, np.intp)),
            "neighbours": recall(vectors, vectors[some], some, together),
        }
    return found


if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    if what == "query":
        figures = query(Path(arguments[0]), int(arguments[1]))
    elif what == "names":
        figures = names(Path(arguments[0]), json.loads(Path(arguments[1]).read_text("utf-8")))
    elif what == "index":
        figures = index(Path(arguments[0]))
    else:
        figures = hostile(Path(arguments[0]) if arguments[0] else None, int(arguments[1]), int(arguments[2]))
    print(json.dumps(figures))
