#!/usr/bin/env bash
# Pillow's BOX filter is no area average: each pixel counts wholly or not at all.
#
# Perceptual hashes and colour layouts shrink pictures to a few cells, often with Image.Resampling.BOX, which looks like the mean
# of each cell's area. A pixel that lies across the border of two cells is given to the one that has its centre, though. At small
# ratios this moves cells by up to half a pixel: of 33 pixels in 16 cells some cells get two pixels and some three, where each should
# get 2.06. Whole ratios are exact. So the same picture in two sizes gets other colours; BILINEAR, whose windows overlap, changes
# less.
#
# Pillow 13.0.0, smooth random pictures of 200 x 300 pixels, and their copies of a third of the size, in 16 x 24 cells. Seen:
#   33 x 50 pixels, BOX against the exact mean of each area: up to 68 of 255 levels apart
#   32 x 48 pixels: up to 1
#   a picture against its copy, the largest difference in any cell: BOX 30, BILINEAR 2
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet pillow==13.0.0 numpy==2.4.6
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
from PIL import Image

CELLS = (16, 24)
rng = np.random.default_rng(0)


def smooth(width, height):
    colours = rng.integers(0, 256, (36, 24, 3), dtype=np.uint8)
    return Image.fromarray(colours).resize((width, height), Image.Resampling.BICUBIC)


def shares(pixels, cells):
    """How much of each pixel lies in each cell, normalised."""
    edges = np.linspace(0, pixels, cells + 1)
    low, high = edges[:-1, None], edges[1:, None]
    start = np.arange(pixels)
    return np.clip(np.minimum(high, start + 1) - np.maximum(low, start), 0, None) * cells / pixels


def means(image):
    pixels = np.asarray(image, float)
    across, down = shares(image.width, CELLS[0]), shares(image.height, CELLS[1])
    return np.einsum("ij,jkc,lk->ilc", down, pixels, across)


def apart(one, other):
    return int(round(np.abs(np.asarray(one, float) - np.asarray(other, float)).max()))


def cells(image, how):
    return image.resize(CELLS, how)


box, bilinear = Image.Resampling.BOX, Image.Resampling.BILINEAR
found = {}
for size in ((33, 50), (32, 48)):
    images = [smooth(*size) for _ in range(20)]
    found[size] = max(apart(cells(image, box), means(image)) for image in images)
    print(f"{size[0]} x {size[1]}: BOX is up to {found[size]} levels from the mean of the area")
for name, how in (("BOX", box), ("BILINEAR", bilinear)):
    images = [smooth(200, 300) for _ in range(20)]
    thirds = [image.resize((66, 100), Image.Resampling.LANCZOS) for image in images]
    found[name] = max(apart(cells(a, how), cells(b, how)) for a, b in zip(images, thirds))
    print(f"a third of the size, {name}: up to {found[name]} levels from the whole picture")
assert found[33, 50] > 10 and found[32, 48] <= 1, found
assert found["BILINEAR"] < found["BOX"] / 2, found
PYTHON
