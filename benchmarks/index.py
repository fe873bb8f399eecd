"""Compare libraries that propose candidates for re-ranking, to choose a search index for all of Steam.

    python benchmarks/index.py --covers GALLERY [--set steam --set blanks ...] [--only NAME ...]

Needs faiss-cpu, turbovec and usearch. Every library runs in a process of its own, on one thread except that usearch
builds on all, one after another in one run. Each proposes candidates, which are ranked again by their float32 vectors.
The program's own indexes, which take as many candidates as they need, come first.
The queries are rows, as in `similar` by id. Recall counts matches whose cosine reaches the k-th of the exact search.
All times are those of the processor, so that other programs on the machine matter less. `GALLERY` is one of real
covers that was built. Prints a JSON object a line.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from index_candidates import CANDIDATES, Mask, Rows, UnsupportedError, Vectors
from index_data import data_sets
from steamdino.index.index_registry import INDEXES

ASKED, SINGLY = 1_000, 100
"""Queries of a batch, and queries that are asked one by one."""

PROPOSED = {10: (50, 200), 100: (200, 1_000), 1_000: (4_000,)}
"""Candidates that a library proposes, by the number of matches."""

SHARES = (0.01, 0.1)
"""Shares of the rows that a mask lets through."""

ROUNDING = 2e-6
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"), "1")


def seconds(work: Callable[[], object]) -> float:
    """Time one call, in seconds of the processor."""
    started = time.process_time()
    work()
    return time.process_time() - started


def private_megabytes() -> float:
    """Memory of this process that it shares with no other and that no file backs."""
    status = Path("/proc/self/status").read_text("utf-8")
    return int(status.partition("RssAnon:")[2].split()[0]) / 1e3


def edges(vectors: Vectors, asked: Rows, mask: Mask | None) -> dict[int, Vectors]:
    """The cosine of the k-th nearest other row of each query, by k, from all cosines."""
    found: dict[int, list[Vectors]] = {k: [] for k in PROPOSED}
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
    answer: Callable[[int], Vectors], asked: Rows, edge: Vectors, possible: int
) -> dict[str, float]:
    """Ask queries singly: the median and the least milliseconds of the processor, and the recall.

    Args:
        answer: the cosines of a row's matches.
        asked: the rows.
        edge: the cosine of the last true match of each row.
        possible: number of true matches of each row.
    """
    times, found = [], 0
    for row, least in zip(asked, edge, strict=True):
        started = time.process_time()
        cosines = answer(int(row))
        times.append(time.process_time() - started)
        found += int((cosines >= least - ROUNDING).sum())
    return {
        "ms": round(1e3 * float(np.median(times)), 3),
        "least ms": round(1e3 * min(times), 3),
        "recall": round(found / (possible * len(asked)), 4),
    }


def build(name: str, folder: Path) -> dict[str, Any]:
    """Build and save one index over the vectors in a folder."""
    vectors = loaded(folder)
    path = folder / "index"
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    if name in INDEXES:
        started = time.process_time()
        INDEXES[name].build(vectors).save(path)
        took = time.process_time() - started
    else:
        candidate = CANDIDATES[name]()
        importlib.import_module(candidate.library)
        took = seconds(partial(candidate.build, vectors))
        candidate.save(path / "index")
    return {
        "build s": round(took, 2),
        "bytes a row": round(sum(file.stat().st_size for file in path.iterdir()) / len(vectors), 1),
        "peak MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3),
    }


def loaded(folder: Path) -> Vectors:
    """The vectors in a folder, read once so that no measurement pays for reading the file."""
    vectors: Vectors = np.load(folder / "vectors.npy", mmap_mode="r").view(np.ndarray)
    vectors.sum()
    return vectors


def ask(name: str, folder: Path) -> dict[str, Any]:
    """Open a saved index, and measure its answers."""
    record: dict[str, Any] = {"load": round(os.getloadavg()[0], 2)}
    vectors, truth = loaded(folder), np.load(folder / "truth.npz")
    asked = np.load(folder / "asked.npy")
    singly = asked[: len(truth["all 10"])]
    batch = np.ascontiguousarray(vectors[asked])
    before = private_megabytes()
    if name in INDEXES:
        started = time.process_time()
        index = INDEXES[name].open(folder / "index", vectors)
        record["open ms"] = round(1e3 * (time.process_time() - started), 1)

        def answer(row: int, k: int, count: int, mask: Mask | None) -> Vectors:
            return index.nearest(vectors[row], k, exclude=[row], among=mask).cosines

        def together() -> object:
            return index.neighbours(10, rows=asked)

    else:
        candidate = CANDIDATES[name]()
        record["import ms"] = round(1e3 * seconds(partial(importlib.import_module, candidate.library)), 1)
        record["open ms"] = round(1e3 * seconds(partial(candidate.open, folder / "index" / "index")), 1)

        def answer(row: int, k: int, count: int, mask: Mask | None) -> Vectors:
            return ranked(vectors, row, candidate.propose(vectors[row : row + 1], count, mask)[0], k)

        def together() -> object:
            return candidate.propose(batch, PROPOSED[10][-1], None)

    answer(0, 10, 50, None)
    record["private MB"] = round(private_megabytes() - before, 1)
    for k, counts in PROPOSED.items():
        some = singly[: len(singly) // 4] if k > 100 else singly
        for count in counts[-1:] if name in INDEXES else counts:
            label = f"k={k}" if name in INDEXES else f"k={k} of {count}"
            work = partial(answer, k=k, count=count, mask=None)
            record[label] = one_by_one(work, some, truth[f"all {k}"][: len(some)], k)
    for share in SHARES:
        mask = np.load(folder / f"mask {share}.npy")
        work = partial(answer, k=10, count=PROPOSED[10][-1], mask=mask)
        try:
            record[f"k=10, mask {share}"] = one_by_one(
                work, singly, truth[f"{share} 10"], min(10, int(mask.sum()) - 1)
            )
        except UnsupportedError:
            record[f"k=10, mask {share}"] = None
    record["batch, ms a query"] = round(1e3 * seconds(together) / len(asked), 3)
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
        print(json.dumps({"build": build, "ask": ask}[step](name, Path(folder))))
        return
    sets = data_sets(given.covers)
    for name in given.set or [name for name in sets if name != "million"]:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(prepare(name, sets[name], Path(folder))), flush=True)
            for library in given.only or [*INDEXES, *CANDIDATES]:
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
