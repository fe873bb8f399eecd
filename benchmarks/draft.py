"""Measure JPEG decoding at reduced size: the time it saves, and the cosine to a full decoding.

The pictures are sheets of sixteen banners of the fictional store, so that they have detail at full size. They are
scaled so that half of their size is 1, 1.5, 2, ... times the sides of the model's input.
"""

from __future__ import annotations

import io
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from steamdino.banners.decode import decode
from steamdino.errors import PictureError
from steamdino.features.encoder import Encoder
from steamdino.features.recipe_parser import named
from steamdino.features.transform import DRAFT_MARGIN, prepare
from steamdino.sample import draw_store

SHEETS = 40


def sheets() -> list[Image.Image]:
    """Return pictures of 1200 x 1800 pixels, with sixteen banners each."""
    with tempfile.TemporaryDirectory() as folder:
        games = draw_store(Path(folder))
        banners = []
        for game in games:
            try:
                banners.append(decode((Path(folder) / game.file).read_bytes()) if game.file else None)
            except PictureError:
                continue
    usable = [banner for banner in banners if banner and banner.size == (300, 450)]
    made = []
    for start in range(SHEETS):
        sheet = Image.new("RGB", (1200, 1800))
        for n, banner in enumerate(usable[11 * start : 11 * start + 16]):
            sheet.paste(banner, (n % 4 * 300, n // 4 * 450))
        made.append(sheet)
    return made


def main() -> None:
    """Print the figures."""
    encoder = Encoder(named("bundled"))
    transform = encoder.recipe.transform
    pictures = sheets()
    print(f"sides after reduction, relative to the input (in use: {DRAFT_MARGIN} and more)")
    for margin in (1.0, 1.5, 2.0, 2.5, 3.0, 3.75):
        size = (round(transform.width * margin) * 2, round(transform.height * margin) * 2)
        ratios, cosines = [], []
        for picture in pictures:
            buffer = io.BytesIO()
            picture.resize(size, Image.Resampling.LANCZOS).save(buffer, "JPEG", quality=90)
            data = buffer.getvalue()
            half = (size[0] // 2, size[1] // 2)
            vectors, seconds = [], []
            for at_least in (None, half):
                started = time.perf_counter()
                pixels = prepare(decode(data, at_least), transform)
                seconds.append(time.perf_counter() - started)
                vectors.append(encoder([pixels])[0])
            ratios.append(seconds[0] / seconds[1])
            cosines.append(float(np.dot(*vectors)))
        print(
            f"{margin:5.3f}: {statistics.median(ratios):.2f} times as fast, lowest cosine {min(cosines):.5f}"
        )


if __name__ == "__main__":
    main()
