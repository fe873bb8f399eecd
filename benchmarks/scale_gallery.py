"""Made-up galleries of any size: a table, pictures, and vectors from a made-up encoder.

As a script it is the encoder. It runs with the package of the program that is measured, and uses only what all
versions have:

    python benchmarks/scale_gallery.py GALLERY RECIPE CENTRES

The encoder makes a vector of a picture's SHA-256 alone, so that every program gets the same ones: a centre, of which
there are a hundredth as many as games, and noise, as in `index_data.clustered`. They are stored under a real recipe,
and `steam-dino build` then finds nothing left to encode.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import random
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RECIPES = {384: "dino-vits16", 512: "bundled", 768: "dino-vitb16", 1024: "dinov2-large"}
"""A recipe of each number of dimensions."""
SPREAD = 1.2
"""Deviation of the vectors around a centre, relative to that of the centres, as in `index_data.clustered`."""
BATCH = 4096
PER_FOLDER = 1000
SHARED = 100
"""One game of so many has the same picture as the one before it."""
WORDS = [
    "Iron",
    "Silent",
    "Last",
    "Ember",
    "Star",
    "Deep",
    "Wild",
    "Lost",
    "Crystal",
    "Shadow",
    "Dragon",
    "Empire",
    "Legend",
    "Knight",
    "Forest",
    "Galaxy",
    "Machine",
    "Winter",
    "Harbor",
    "Island",
    "Phantom",
    "Raider",
    "Kingdom",
    "Colony",
    "Horizon",
    "Thunder",
    "Garden",
    "Puzzle",
    "Racing",
    "Tactics",
]
ENDINGS = ["", " II", " Online", " of the North"]
CJK = ["東京物語", "真夏の夜", "星空の旅", "가나다라", "黄金時代"]


def names_file(folder: Path, given: Path | None) -> Path:
    """Return a JSON list of names: the given folder's `app_names.json`, or one of invented names."""
    if given:
        return given / "app_names.json"
    dice, path = random.Random(0), folder / "invented_names.json"
    made = [" ".join(dice.sample(WORDS, dice.randint(1, 3))) + dice.choice(ENDINGS) for _ in range(29_000)]
    made += [f"{one} {number}" for number, one in enumerate(CJK * 200)]
    dice.shuffle(made)
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(made, ensure_ascii=False), "utf-8")
    return path


def appid(row: int) -> str:
    """Return the appID of a game: multiples of ten, as Steam's are."""
    return str(10 * (row + 1))


def picture(row: int) -> str:
    """Return the path of a game's picture, relative to its table's folder."""
    return f"pictures/{row // PER_FOLDER:04}/{row}.jpg"


def write_table(path: Path, names: list[str], reviews: list[int]) -> None:
    """Write a table of games with their pictures and reviews."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "name", "path", "reviews"])
        for row, (name, count) in enumerate(zip(names, reviews, strict=True)):
            table.writerow([appid(row), name, picture(row), count])


def draw_pictures(folder: Path, games: int, size: tuple[int, int]) -> None:
    """Draw the pictures that are not there yet, in two processes.

    Args:
        folder: the table's.
        games: how many.
        size: width and height in pixels.
    """
    starts = range(0, games, PER_FOLDER)
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(partial(_draw_folder, folder, games, size), starts))


def _draw_folder(folder: Path, games: int, size: tuple[int, int], start: int) -> None:
    from PIL import Image

    (folder / picture(start)).parent.mkdir(parents=True, exist_ok=True)
    for row in range(start, min(games, start + PER_FOLDER)):
        target = folder / picture(row)
        if target.exists():
            continue
        drawn = row - 1 if row % SHARED == SHARED - 1 else row
        pixels = np.random.default_rng(drawn).integers(0, 256, (6, 4, 3), np.uint8)
        content = io.BytesIO()
        Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC).save(content, "JPEG", quality=80)
        part = target.with_suffix(".part")
        part.write_bytes(content.getvalue())
        part.rename(target)


class MadeUpEncoder:
    """Vectors of pictures, each of its SHA-256 alone."""

    def __init__(self, dim: int, centres: int) -> None:
        self._centres = np.random.default_rng(0).standard_normal((centres, dim), np.float32)

    def encode(self, sha256s: list[str]) -> NDArray[np.float32]:
        """Return unit vectors: float32, shape (len(sha256s), dim)."""
        made = np.empty((len(sha256s), self._centres.shape[1]), np.float32)
        for row, sha256 in enumerate(sha256s):
            seed = int(sha256[:16], 16)
            noise = np.random.default_rng(seed).standard_normal(made.shape[1], np.float32)
            made[row] = self._centres[seed % len(self._centres)] + np.float32(SPREAD) * noise
        made /= np.linalg.norm(made, axis=1, keepdims=True)
        return made


def put_vectors(gallery: Path, recipe: str, centres: int) -> int:
    """Encode all pending pictures of a gallery; return how many."""
    from steamdino.features.recipe_parser import named
    from steamdino.gallery import Gallery

    chosen = named(recipe)
    encoder = MadeUpEncoder(chosen.dim, centres)
    with Gallery.write(gallery, "encode") as opened:
        with opened.transaction():
            key = opened.vectors.put_recipe(chosen)
        pending = (one.sha256 for one in opened.vectors.pending(key))
        done = 0
        while batch := list(itertools.islice(pending, BATCH)):
            with opened.transaction():
                opened.vectors.put(key, "f32", batch, encoder.encode(batch))
            done += len(batch)
    return done


if __name__ == "__main__":
    print(put_vectors(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
