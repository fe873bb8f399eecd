"""Measure where `explain` points, with recoloured pieces of one banner pasted into another at a different place.

    python benchmarks/explain.py                  invented banners, drawn for this
    python benchmarks/explain.py --gallery DIR    the banners of a gallery

Print as JSON the fraction of the picture that the piece covers, how much of each kind of weight falls on it, and how
many of the best five pairs of places are on it in both pictures.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

import steamdino
from steamdino.analysis.cell_matching import exact_shares, likeness
from steamdino.analysis.explain import POWER, Explainer
from steamdino.banners.read import read_picture
from steamdino.features.cells import CellEncoder, Cells
from steamdino.features.transform import prepare
from steamdino.sample import draw_store

SIZE, PAIRS, BEST = (300, 450), 80, 5
Box = tuple[int, int, int, int]


def recoloured(image: Image.Image, by: int) -> Image.Image:
    """Return a picture with its hue rotated by so many of 256 steps."""
    hue, saturation, value = image.convert("HSV").split()
    return Image.merge("HSV", (hue.point(lambda level: (level + by) % 256), saturation, value)).convert("RGB")


def weights(cells: tuple[Cells, Cells]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return each kind of weight for both pictures: float64, shape (cells,)."""
    plain = np.maximum(cells[0].descriptors @ cells[1].descriptors.T, 0)
    parts = [replace(one, descriptors=one.parts) for one in cells if one.parts is not None]
    tables = {"best cosine": (plain, 1), f"power {POWER}": (plain, POWER)}
    tables |= {f"whitened, with surroundings, power {POWER}": (np.maximum(likeness(*parts), 0), POWER)}
    tables |= {f"with surroundings, power {POWER}": (np.maximum(likeness(*cells), 0), POWER)}
    found = {name: (table.max(axis=1) ** p, table.max(axis=0) ** p) for name, (table, p) in tables.items()}
    exact = exact_shares(*cells)
    assert exact is not None
    found["share of the similarity"] = tuple(np.maximum(share, 0).ravel() for share in exact[2])  # type: ignore[assignment]
    return found


def mask(box: Box, grid: tuple[int, int]) -> np.ndarray:
    """Return the fraction of each cell that is inside a box of the picture."""
    whole = Image.new("L", SIZE)
    whole.paste(255, box)
    return np.asarray(whole.resize(grid[::-1], Image.Resampling.BOX), np.float64).ravel() / 255


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--gallery", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        place = given.gallery or Path(name) / "gallery"
        if given.gallery is None:
            draw_store(Path(name) / "store")
            steamdino.add(place, Path(name) / "store" / "catalogue.csv")
            steamdino.build(place)
        measure(steamdino.Snapshot.open(place))


def measure(snapshot: steamdino.Snapshot) -> None:
    """Paste pieces, and measure where the weights fall."""
    rng, recipe = np.random.default_rng(7), snapshot.recipe
    explain, encode = Explainer(recipe), CellEncoder(recipe)
    inside: dict[str, list[float]] = {}
    hits = []
    for _ in range(PAIRS):
        chosen = [snapshot.game(key).picture for key in rng.choice(snapshot.ids, 2, replace=False)]
        source, target = (read_picture(path).resize(SIZE) for path in chosen if path)
        width, height = int(rng.integers(120, 200)), int(rng.integers(150, 230))
        corners = [
            (int(rng.integers(0, SIZE[0] - width)), int(rng.integers(0, SIZE[1] - height))) for _ in range(2)
        ]
        boxes = [(x, y, x + width, y + height) for x, y in corners]
        target.paste(recoloured(source.crop(boxes[0]), int(rng.integers(20, 60))), corners[1])
        pixels = [prepare(image, recipe.transform) for image in (source, target)]
        cells = encode(pixels[0]), encode(pixels[1])
        masks = [mask(box, cells[0].grid) for box in boxes]
        inside.setdefault("area", []).extend(one.mean() for one in masks)
        for kind, both in weights(cells).items():
            inside.setdefault(kind, []).extend(
                (w * m).sum() / w.sum() for w, m in zip(both, masks, strict=True)
            )
        for pair in explain(source, target).pairs[:BEST]:
            spots = [(x * SIZE[0], y * SIZE[1]) for x, y in (pair.first, pair.second)]
            hits.append(
                all(
                    box[0] <= x < box[2] and box[1] <= y < box[3]
                    for (x, y), box in zip(spots, boxes, strict=True)
                )
            )
    print(json.dumps({kind: round(float(np.mean(shares)), 3) for kind, shares in inside.items()}))
    print(json.dumps({"best pairs in the piece": round(float(np.mean(hits)), 3)}))


if __name__ == "__main__":
    main()
