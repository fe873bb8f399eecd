"""Compare libraries that propose candidates for re-ranking, to choose a search index for all of Steam.

    python benchmarks/index.py --covers GALLERY [--set steam --set blanks ...] [--only NAME ...]

Needs faiss-cpu, turbovec and usearch. Every library runs in a process of its own, on one thread except that usearch
builds on all, one after another in one run. Each proposes candidates, which are ranked again by their float32 vectors.
The queries are rows, as in `similar` by id. Recall counts matches whose cosine reaches the k-th of the exact search.
`GALLERY` is one of real covers that was built. Prints a JSON object a line.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from index_candidates import CANDIDATES, Candidate, Mask, Rows, UnsupportedError, Vectors
from index_data import data_sets

ASKED, SINGLY = 1_000, 200
"""Queries of a batch, and queries that are asked one by one."""

PROPOSED = (50, 200, 1_000)
"""Candidates that are proposed for ten matches, and for a hundred where they are enough."""

MANY = 1_000, 4_000
"""The largest number of matches, and the candidates proposed for it."""

SHARES = (0.01, 0.1)
"""Shares of the rows that a mask lets through."""

ROUNDING = 2e-6
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"), "1")


def seconds(work: Callable[[], object]) -> float:
    """Time one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def private_megabytes() -> float:
    """Memory of this process that it shares with no other and that no file backs."""
    status = Path("/proc/self/status").read_text("utf-8")
    return int(status.partition("RssAnon:")[2].split()[0]) / 1e3


def edges(vectors: Vectors, asked: Rows, mask: Mask | None) -> dict[int, Vectors]:
    """The cosine of the k-th nearest other row of each query, by k, from all cosines."""
    found: dict[int, list[Vectors]] = {k: [] for k in (10, 100, MANY[0])}
    for row in asked:
        scores = vectors @ vectors[row]
        scores[row] = -np.inf
        if mask is not None:
            scores = scores[mask]
        for k, values in found.items():
            values.append(np.partition(scores, -min(k, len(scores)))[-min(k, len(scores))])
    return {k: np.array(values, np.float32) for k, values in found.items()}


def ranked(vectors: Vectors, row: int, proposed: Rows, k: int) -> Vectors:
    """The cosines of the best candidates, computed from their float32 vectors."""
    proposed = proposed[(proposed >= 0) & (proposed != row)]
    cosines = vectors[proposed] @ vectors[row]
    kept: Vectors = -np.sort(-cosines)[:k]
    return kept


def one_by_one(
    candidate: Candidate,
    vectors: Vectors,
    asked: Rows,
    count: int,
    k: int,
    edge: Vectors,
    mask: Mask | None = None,
) -> dict[str, float]:
    """Ask queries singly: the median and the least milliseconds, with re-ranking, and the recall."""
    times, found = [], 0
    for row, least in zip(asked, edge, strict=True):
        started = time.perf_counter()
        proposed = candidate.propose(vectors[row : row + 1], count, mask)
        cosines = ranked(vectors, row, proposed[0], k)
        times.append(time.perf_counter() - started)
        found += int((cosines >= least - ROUNDING).sum())
    possible = min(k, len(vectors) - 1 if mask is None else int(mask.sum()))
    return {
        "ms": round(1e3 * float(np.median(times)), 3),
        "least ms": round(1e3 * min(times), 3),
        "recall": round(found / (possible * len(asked)), 4),
    }


def measure(candidate: Candidate, folder: Path) -> dict[str, Any]:
    """Build, save, open and ask one library's index over the vectors in a folder."""
    vectors = np.load(folder / "vectors.npy", mmap_mode="r").view(np.ndarray)
    vectors[:].sum()  # so that no measurement pays for reading the file
    path = folder / "index"
    importlib.import_module(candidate.library)
    record: dict[str, Any] = {"build s": round(seconds(partial(candidate.build, vectors)), 2)}
    candidate.save(path)
    record["bytes a row"] = round(path.stat().st_size / len(vectors), 1)
    del candidate
    return record | {"peak MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3)}


def ask(candidate: Candidate, folder: Path) -> dict[str, Any]:
    """Open a saved index, and measure its answers."""
    vectors = np.load(folder / "vectors.npy", mmap_mode="r").view(np.ndarray)
    vectors[:].sum()
    asked, truth = np.load(folder / "asked.npy"), np.load(folder / "truth.npz")
    singly = asked[: len(truth["all 10"])]
    record: dict[str, Any] = {"load": round(os.getloadavg()[0], 2)}
    record["import ms"] = round(1e3 * seconds(partial(importlib.import_module, candidate.library)), 1)
    before = private_megabytes()
    record["open ms"] = round(1e3 * seconds(partial(candidate.open, folder / "index")), 1)
    candidate.propose(vectors[:1], 10, None)
    record["private MB"] = round(private_megabytes() - before, 1)
    for count in PROPOSED:
        for k in (10, 100):
            if count > k:
                record[f"{k} of {count}"] = one_by_one(
                    candidate, vectors, singly, count, k, truth[f"all {k}"]
                )
    few = singly[: len(singly) // 4]
    record[f"{MANY[0]} of {MANY[1]}"] = one_by_one(
        candidate, vectors, few, MANY[1], MANY[0], truth[f"all {MANY[0]}"][: len(few)]
    )
    for share in SHARES:
        mask = np.load(folder / f"mask {share}.npy")
        try:
            record[f"10 of 200, mask {share}"] = one_by_one(
                candidate, vectors, singly, 200, 10, truth[f"{share} 10"], mask
            )
        except UnsupportedError:
            record[f"10 of 200, mask {share}"] = None
    batch = np.ascontiguousarray(vectors[asked])
    record["batch, ms a query"] = round(
        1e3 * seconds(lambda: candidate.propose(batch, 200, None)) / len(asked), 3
    )
    return record


def prepare(name: str, make: Callable[[], Vectors], folder: Path) -> dict[str, Any]:
    """Write the vectors of a set, its queries, and what an exact search finds; return the figures of that search."""
    vectors = make()
    np.save(folder / "vectors.npy", vectors)
    rng = np.random.default_rng(2)
    asked = rng.permutation(len(vectors))[:ASKED]
    np.save(folder / "asked.npy", asked)
    singly = asked[:SINGLY]
    truth = {f"all {k}": found for k, found in edges(vectors, singly, None).items()}
    for share in SHARES:
        mask = rng.random(len(vectors)) < share
        np.save(folder / f"mask {share}.npy", mask)
        truth |= {f"{share} {k}": found for k, found in edges(vectors, singly, mask).items()}
    np.savez(folder / "truth.npz", allow_pickle=False, **truth)
    times = [seconds(lambda row=row: vectors @ vectors[row]) for row in singly[:50]]  # type: ignore[misc]
    return {
        "set": name,
        "rows": len(vectors),
        "dim": vectors.shape[1],
        "all cosines, ms": round(1e3 * float(np.median(times)), 2),
        "median cosine of the 10th": round(float(np.median(truth["all 10"])), 3),
        "load": round(os.getloadavg()[0], 2),
    }


def main() -> None:
    """Print the figures of each set and library as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--covers", type=Path, help="a gallery of real covers that was built")
    parser.add_argument("--set", action="append", help="default: all but million")
    parser.add_argument("--only", action="append", help="a library; default: all")
    parser.add_argument(
        "--run", nargs=3, help=argparse.SUPPRESS
    )  # one step of one library, in its own process
    given = parser.parse_args()
    if given.run:
        step, name, folder = given.run
        work = {"build": measure, "ask": ask}[step]
        print(json.dumps(work(CANDIDATES[name](), Path(folder))))
        return
    sets = data_sets(given.covers)
    for name in given.set or [name for name in sets if name != "million"]:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(prepare(name, sets[name], Path(folder))), flush=True)
            for library in given.only or CANDIDATES:
                record = {"set": name, "library": library}
                for step in ("build", "ask"):
                    command = [sys.executable, __file__, "--run", step, library, folder]
                    done = subprocess.run(
                        command,
                        env={**os.environ, **ONE_THREAD},
                        stdout=subprocess.PIPE,
                        text=True,
                        check=False,
                    )
                    record |= json.loads(done.stdout) if done.returncode == 0 else {"failed": step}
                print(json.dumps(record), flush=True)


if __name__ == "__main__":
    os.environ.update(ONE_THREAD)
    main()
