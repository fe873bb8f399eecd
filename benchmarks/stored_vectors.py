"""Measure what the vectors in a gallery's database cost: bytes, and processor time to write and to read them.

    python benchmarks/stored_vectors.py [--against SRC] [--vectors 50000]

`SRC` is the `src` folder of an earlier checkout, which is measured in turns with this one.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve()
ROUNDS = 3
MEASURE = """
import hashlib, json, sys, time
from pathlib import Path
import numpy as np
from steamdino.features.recipe_parser import named
from steamdino.gallery import Gallery

folder, count, recipe = Path(sys.argv[1]), int(sys.argv[2]), named("bundled")
sha256s = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(count)]
rows = np.random.default_rng(0).standard_normal((count, recipe.dim), np.float32)
rows /= np.linalg.norm(rows, axis=1, keepdims=True)
with Gallery.write(folder, "measure", create=True) as opened:
    with opened.transaction():
        key = opened.vectors.put_recipe(recipe)
    started = time.process_time()
    for start in range(0, count, 256):
        part = slice(start, start + 256)
        with opened.transaction():
            opened.vectors.put(key, "f32", sha256s[part], rows[part])
    written = time.process_time() - started
    started = time.process_time()
    read = sum(1 for _ in opened.vectors.read(key, iter(sha256s)))
    assert read == count
    took = time.process_time() - started
    opened.compact()
size = sum(path.stat().st_size for path in folder.glob("gallery.sqlite*"))
print(json.dumps({"bytes": size / count, "write us": 1e6 * written / count, "read us": 1e6 * took / count}))
"""


def measured(src: Path, count: int) -> dict[str, float]:
    """Return the figures of the package in a folder, for each vector."""
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(
            [sys.executable, "-c", MEASURE, str(Path(folder) / "gallery"), str(count)],
            env={**os.environ, "PYTHONPATH": str(src)},
            capture_output=True,
            text=True,
            check=True,
        )
    found: dict[str, float] = json.loads(run.stdout)
    return found


def main() -> None:
    """Print the least of each figure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--against", type=Path, help="the src folder of an earlier checkout")
    parser.add_argument("--vectors", type=int, default=50_000)
    given = parser.parse_args()
    sources = {"before": given.against} if given.against else {}
    sources["now"] = HERE.parent.parent / "src"
    best: dict[str, dict[str, float]] = {}
    for _ in range(ROUNDS):
        for name, src in sources.items():
            for figure, value in measured(src.resolve(), given.vectors).items():
                least = best.setdefault(figure, {})
                least[name] = min(value, least.get(name, value))
    for figure, values in best.items():
        columns = "  ".join(f"{name} {value:,.1f}" for name, value in values.items())
        ratio = f"  {values['before'] / values['now']:.2f} times" if given.against else ""
        print(f"{figure}: {columns}{ratio}")


if __name__ == "__main__":
    main()
