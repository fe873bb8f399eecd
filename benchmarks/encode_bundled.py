"""Print how many pictures a second the bundled model of the imported version encodes, from JPEG files to vectors.

`encode_ratios.py` runs it with the source of two versions in turns. The vectors are saved, to be compared.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

import numpy as np

from encode import Vectors, batches, in_streams, rate, usable
from steamdino.engines.cores import cores
from steamdino.features.encoder import BATCH, Encoder
from steamdino.features.recipe_parser import named

IMAGES, ROUNDS = 480, 3


def main(pictures: Path, save: Path) -> None:
    """Measure, and print one number."""
    paths = sorted(pictures.rglob("*.jpg"))
    pending = usable(paths[:: max(1, len(paths) // IMAGES)], IMAGES)
    encoder = Encoder(named("bundled"), streams=cores())

    def encode() -> Vectors:
        return in_streams(encoder, batches(pending, encoder.recipe.transform, BATCH))

    np.save(save, encode())
    print(statistics.median(rate(len(pending), encode) for _ in range(ROUNDS)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
