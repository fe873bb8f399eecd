"""Times the search for neighbours with estimates in single precision and in bfloat16, in turns.

    python benchmarks/score_products.py [GAMES]

Prints milliseconds of processor time for each game, their ratio, and whether the neighbours are equal bit by bit.
"""

from __future__ import annotations

import sys
import time
from unittest.mock import patch

import numpy as np

from index_data import clustered
from steamdino.index import all_neighbours
from steamdino.index.all_neighbours import find
from steamdino.index.bfloat16 import BFloat16Product, longest_rounding
from steamdino.index.score_products import Product, SinglePrecisionProduct

DIM, K, ASKED, RUNS = 512, 128, 2048, 3


def main() -> None:
    """Print the best of each."""
    vectors = clustered(int(sys.argv[1]) if len(sys.argv) > 1 else 184_000, DIM)
    products: dict[str, Product] = {
        "single precision": SinglePrecisionProduct(DIM),
        "bfloat16": BFloat16Product(DIM, longest_rounding(vectors)),
    }
    best = dict.fromkeys(products, np.inf)
    found = {}
    for _ in range(RUNS):
        for name, product in products.items():
            with patch.object(all_neighbours, "fastest_product", lambda *_, chosen=product: chosen):
                started = time.process_time()
                blocks = [block for _, block in find(vectors, np.arange(ASKED), K)]
                best[name] = min(best[name], (time.process_time() - started) / ASKED)
            found[name] = b"".join(block.rows.tobytes() + block.cosines.tobytes() for block in blocks)
    single, half = best.values()
    for name, seconds in best.items():
        print(f"{name}: {1e3 * seconds:.2f} ms")
    print(f"{single / half:.2f} times, equal: {len(set(found.values())) == 1}")


if __name__ == "__main__":
    main()
