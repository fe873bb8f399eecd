"""Measure name search: speed, quality, size and memory, over 184,000 names and what people type to find them.

    python benchmarks/names.py NAMES.json [--against SRC] [--tantivy] [--count 400]

The file is a JSON list of real names, which `name_queries.catalogue` repeats with suffixes. `--against` also measures
the program in another checkout's `src` folder, and `--tantivy` a search by tantivy's fuzzy prefix terms (needs `pip
install tantivy`). Each candidate runs in a process of its own.

Times are those of the processor, which other programs on the machine disturb least. An answer is a success if the game
that was meant, or one made of the same real name, is among the first ten.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from name_queries import GAMES, Catalogue, Typed, catalogue, typed

LIMIT, DIM = 10, 8
Suggest = Callable[[str], list[int]]


def own(folder: Path, games: Catalogue) -> tuple[Suggest, float, int]:
    """Build and open a snapshot with the program's own writer and reader; return seconds and bytes of its games."""
    from steamdino.features.recipe_parser import named
    from steamdino.gallery.vectors import Row
    from steamdino.index.manifest import GAMES as FILE
    from steamdino.index.manifest import VECTORS
    from steamdino.index.snapshot_reader import SnapshotReader
    from steamdino.index.snapshot_writer import Draft

    def rows() -> Iterator[Row]:
        for row, (name, reviews) in enumerate(zip(games.names, games.reviews, strict=True)):
            yield Row(str(row), name, "steam", None, "", f"{row:064x}", json.dumps({"reviews": reviews}))

    recipe = replace(named("bundled"), dim=DIM)
    with Draft(folder / recipe.hash) as draft:
        np.save(draft.folder / VECTORS, np.eye(DIM, dtype=np.float32)[np.arange(len(games.names)) % DIM])
        started = time.process_time()
        draft.write_games(rows(), [])
        seconds = time.process_time() - started
        snapshot = draft.commit(recipe, revision=1, precisions={})
    reader = SnapshotReader(snapshot)
    return lambda text: reader.suggested(text, LIMIT), seconds, (snapshot / FILE).stat().st_size


def by_tantivy(folder: Path, games: Catalogue) -> tuple[Suggest, float, int]:
    """Index the folded names with tantivy: prefixes by a regular expression, typos by fuzzy prefix terms."""
    import re

    import tantivy

    from steamdino.index.name_folding import fold

    started = time.process_time()
    schema = (
        tantivy.SchemaBuilder()
        .add_text_field("whole", tokenizer_name="raw", index_option="basic")
        .add_text_field("words", tokenizer_name="whitespace", index_option="basic")
        .add_integer_field("reviews", fast=True)
        .add_integer_field("row", fast=True)
        .build()
    )
    index = tantivy.Index(schema, path=str(folder))
    writer = index.writer(heap_size=200_000_000, num_threads=1)
    for row, (name, reviews) in enumerate(zip(games.names, games.reviews, strict=True)):
        folded = fold(name)
        writer.add_document(tantivy.Document(whole=folded, words=folded, reviews=reviews, row=row))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    seconds = time.process_time() - started
    searcher = index.searcher()

    def found(query: tantivy.Query) -> list[int]:
        hits = searcher.search(query, LIMIT, count=False, order_by_field="reviews").hits
        return list(searcher.fast_field_values("row", [address for _, address in hits]))

    def all_of(queries: list[tantivy.Query]) -> tantivy.Query:
        return tantivy.Query.boolean_query([(tantivy.Occur.Must, query) for query in queries])

    def suggest(text: str) -> list[int]:
        folded = fold(text)
        if not folded:
            return []
        *whole, last = folded.split()
        begins = tantivy.Query.regex_query(schema, "whole", re.escape(folded).replace("\\ ", " ") + ".*")
        rows = dict.fromkeys(found(begins))
        parts = [tantivy.Query.term_query(schema, "words", word) for word in whole]
        parts.append(tantivy.Query.regex_query(schema, "words", re.escape(last) + ".*"))
        rows.update(dict.fromkeys(found(all_of(parts))))
        for distance in (1, 2):
            if len(rows) < LIMIT:
                fuzzy = [
                    tantivy.Query.fuzzy_term_query(
                        schema, "words", word, min(distance, len(word) // 4), True, place == len(whole)
                    )
                    for place, word in enumerate([*whole, last])
                ]
                rows.update(dict.fromkeys(found(all_of(fuzzy))))
        return list(rows)[:LIMIT]

    return suggest, seconds, sum(file.stat().st_size for file in folder.iterdir())


CANDIDATES = {"own": own, "tantivy": by_tantivy}


def resident() -> float:
    """Return the resident memory of this process in megabytes."""
    return int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]) / 1024


def measure(candidate: str, label: str, games: Catalogue, queries: list[Typed]) -> None:
    """Print one JSON line for the candidate and one for each kind of query."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        suggest, seconds, size = CANDIDATES[candidate](Path(folder), games)
        before = resident()
        for query in queries[:: len(queries) // 50]:  # warm-up
            suggest(query.text)
        every: list[float] = []
        for kind in dict.fromkeys(query.kind for query in queries):
            times, successes = [], 0
            chosen = [query for query in queries if query.kind == kind]
            for query in chosen:
                started = time.thread_time()
                found = suggest(query.text)
                times.append(1000 * (time.thread_time() - started))
                successes += games.base[query.meant] in {games.base[row] for row in found}
            every += times
            p50, p99 = np.percentile(times, [50, 99])
            record = {
                "candidate": label,
                "kind": kind,
                "p50 ms": round(p50, 2),
                "p99 ms": round(p99, 2),
                "mean ms": round(float(np.mean(times)), 2),
                "success@10": round(successes / len(chosen), 3),
            }
            print(json.dumps(record, ensure_ascii=False), flush=True)
        record = {
            "candidate": label,
            "mean ms": round(float(np.mean(every)), 2),
            "build s": round(seconds, 1),
            "MB on disk": round(size / 1e6, 1),
            "MB of memory for queries": round(resident() - before, 1),
        }
        print(json.dumps(record), flush=True)


def main() -> None:
    """Measure each candidate in a process of its own."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", type=Path)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--tantivy", action="store_true")
    parser.add_argument("--games", type=int, default=GAMES)
    parser.add_argument("--count", type=int, default=400, help="queries of each kind")
    parser.add_argument(
        "--only", nargs=2, help=argparse.SUPPRESS
    )  # a candidate and its label, in this process
    given = parser.parse_args()
    if given.only:
        games = catalogue(given.names, given.games)
        candidate, label = given.only
        measure(candidate, label, games, typed(games, given.count))
        return
    source = Path(__file__).parent.parent / "src"
    runs = [("own", "this checkout", source)]
    if given.against:
        runs.insert(0, ("own", str(given.against), given.against))
    if given.tantivy:
        runs.append(("tantivy", "tantivy", source))
    for candidate, label, path in runs:
        command = [sys.executable, __file__, str(given.names), "--only", candidate, label]
        command += ["--count", str(given.count), "--games", str(given.games)]
        subprocess.run(command, check=True, env={**os.environ, "PYTHONPATH": str(path.resolve())})


if __name__ == "__main__":
    main()
