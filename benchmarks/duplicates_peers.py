"""Hash pictures with imagededup and perception, for `duplicates.py --peers`; runs in an environment of their own.

    python benchmarks/duplicates_peers.py LIBRARY FOLDER OUTPUT

writes the distances of all close pairs of a folder's pictures under each hash of a library, with the seconds and the
megabytes that this took.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

ROWS = 256
"""Pictures that are compared with all others at a time."""

FARTHEST = 0.7
"""Fraction of the median distance of two pictures up to which pairs are written."""


def imagededup(paths: list[Path]) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield its hashes: names, and functions that return bits, shape (pictures, bits)."""
    from imagededup import methods

    for name in ("AHash", "DHash", "PHash", "WHash"):
        method = getattr(methods, name)(verbose=False)

        def bits(method: Any = method) -> Any:
            hexadecimal = [method.encode_image(image_file=str(path)) for path in paths]
            return np.unpackbits(
                np.array([list(bytes.fromhex(one)) for one in hexadecimal], np.uint8), axis=1
            )

        yield f"imagededup {name}", bits


def perception(paths: list[Path]) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Yield its hashes, like `imagededup`. Those of real numbers are compared by Euclidean distance."""
    from perception import hashers

    for name in (
        "AverageHash", "BlockMean", "ColorMoment", "DHash", "MarrHildreth", "PHash", "PHashF", "WaveletHash",
    ):  # fmt: skip
        hasher = getattr(hashers, name)()

        def numbers(hasher: Any = hasher) -> Any:
            return np.array([hasher.compute(str(path), hash_format="vector") for path in paths])

        yield f"perception {name}", numbers


def close(hashes: Any) -> tuple[Any, Any, Any]:
    """Return the pairs of rows that are closer than most, and their distances."""
    is_bits = hashes.dtype != np.float32
    made = hashes.astype(np.float32)
    squares = (made**2).sum(axis=1)
    found: list[tuple[Any, Any, Any]] = []
    farthest = None
    for start in range(0, len(made), ROWS):
        block = made[start : start + ROWS]
        distances = squares[start : start + ROWS, None] + squares - 2 * block @ made.T
        distances = np.maximum(distances, 0)
        if not is_bits:
            distances = np.sqrt(distances)
        if farthest is None:
            farthest = FARTHEST * np.median(distances)
        rows, mates = np.nonzero(distances <= farthest)
        later = mates > rows + start
        rows, mates = rows[later], mates[later]
        found.append((rows + start, mates, distances[rows, mates].astype(np.float32)))
    first, second, apart = (np.concatenate(part) for part in zip(*found, strict=True))
    return first, second, apart


def main() -> None:
    """Hash and compare."""
    library, folder, output = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    paths = sorted(folder.iterdir())
    arrays: dict[str, Any] = {}
    costs: dict[str, tuple[float, float]] = {}
    for name, hashed in {"imagededup": imagededup, "perception": perception}[library](paths):
        began = time.monotonic()
        found = close(hashed())
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        costs[name] = (time.monotonic() - began, peak)
        arrays |= {
            f"{name} {part}": values for part, values in zip(("first", "second", "apart"), found, strict=True)
        }
    np.savez(output, costs=json.dumps(costs), **arrays)


if __name__ == "__main__":
    main()
