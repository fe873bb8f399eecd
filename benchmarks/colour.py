"""What reading colour profiles costs: milliseconds to decode a JPEG of 600 x 900 pixels.

    python benchmarks/colour.py [--pictures FOLDER]

All pictures are re-encoded: without a profile, with one that is sRGB, and with one that is not. Decoding without
looking at profiles is the baseline of the same run.
"""

from __future__ import annotations

import argparse
import io
import time
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms

from steamdino.banners.decode import decode
from steamdino.recipe import SRGB, STORED

SIZE = (600, 900)
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
OTHER = PROFILE.replace(b"rXYZ", b"tmpX").replace(b"bXYZ", b"rXYZ").replace(b"tmpX", b"bXYZ")


def sources(folder: Path | None, count: int) -> list[Image.Image]:
    """Return pictures of a folder, or made-up ones."""
    if folder is None:
        rng = np.random.default_rng(0)
        return [
            Image.fromarray(rng.integers(0, 256, (90, 60, 3), dtype=np.uint8)).resize(SIZE)
            for _ in range(count)
        ]
    files = sorted(folder.rglob("*.jpg"))[:count]
    return [Image.open(file).convert("RGB").resize(SIZE) for file in files]


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    images = sources(asked.pictures, asked.count)
    for enough, what in ((None, "whole"), ((480, 720), "enough for the bundled model")):
        for name, profile in (("no profile", b""), ("sRGB's profile", PROFILE), ("another profile", OTHER)):
            files = []
            for image in images:
                file = io.BytesIO()
                image.save(file, "JPEG", quality=90, icc_profile=profile)
                files.append(file.getvalue())
            spent = {STORED: [], SRGB: []}  # type: dict[str, list[float]]
            for _ in range(asked.rounds):
                for colours, times in spent.items():
                    started = time.perf_counter()
                    for data in files:
                        decode(data, enough, colours=colours)
                    times.append((time.perf_counter() - started) / len(files) * 1000)
            stored, srgb = min(spent[STORED]), min(spent[SRGB])
            print(
                f"{what}, {name}: {stored:.2f} ms without looking, {srgb:.2f} ms with it, {srgb / stored:.2f} times"
            )


if __name__ == "__main__":
    main()
