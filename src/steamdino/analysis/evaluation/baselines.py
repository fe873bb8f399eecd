"""Baseline descriptors that need no model. A recipe has to beat them to be worth its cost.

====================  ===============================================================================
``colour-histogram``  square roots of the shares of 8 x 8 x 8 bins of red, green and blue, so that a dot
                      product is the Bhattacharyya coefficient
``thumbnails``        the picture scaled to 16 x 24 pixels, minus its mean: a dot product is the
                      correlation of two thumbnails
``difference-hash``   scaled to 17 x 16 grey pixels; whether each is brighter than its right neighbour:
                      256 bits as +1 and -1, so that a dot product is 1 - Hamming distance / 128
====================  ===============================================================================
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from steamdino.analysis.evaluation.metrics import Floats
from steamdino.features.pooling import unit

BINS = 8
THUMBNAIL = (16, 24)  # width and height in pixels, upright like a banner
GREYS = (17, 16)

HASH_VERSION = 2
"""Of `difference_hash`: hashes that galleries store are computed again when it rises."""


def colour_histogram(image: Image.Image) -> Floats:
    """Describe an RGB picture by its colours: float32, shape (512,), length 1."""
    levels = np.asarray(image).reshape(-1, 3) >> 5
    codes = (levels[:, 0].astype(np.intp) * BINS + levels[:, 1]) * BINS + levels[:, 2]
    counts = np.bincount(codes, minlength=BINS**3)
    shares: Floats = np.sqrt(counts / len(codes)).astype(np.float32)
    return shares


def thumbnail(image: Image.Image) -> Floats:
    """Describe an RGB picture by a thumbnail: float32, shape (1152,), length 1; zeros for a picture of one grey."""
    pixels = np.asarray(image.resize(THUMBNAIL, Image.Resampling.BICUBIC), np.float32).reshape(1, -1)
    described: Floats = unit(pixels - pixels.mean())[0]
    return described


def difference_hash(image: Image.Image) -> NDArray[np.uint8]:
    """Compute the difference hash of a picture: 256 bits, packed row by row, uint8, shape (32,)."""
    greys = np.asarray(image.convert("L").resize(GREYS, Image.Resampling.BICUBIC))
    return np.packbits(greys[:, 1:] > greys[:, :-1])


def signs(hashes: NDArray[np.uint8]) -> Floats:
    """Convert hashes to vectors of length 1: uint8, shape (..., 32), to float32, shape (..., 256)."""
    bits = np.unpackbits(hashes, axis=-1).astype(np.float32)
    signed: Floats = (bits * 2 - 1) / np.float32(bits.shape[-1] ** 0.5)
    return signed


def _hashed(image: Image.Image) -> Floats:
    return signs(difference_hash(image))


BASELINES: dict[str, tuple[Callable[[Image.Image], Floats], int]] = {
    "colour-histogram": (colour_histogram, BINS**3 * 4),
    "thumbnails": (thumbnail, THUMBNAIL[0] * THUMBNAIL[1] * 3 * 4),
    "difference-hash": (_hashed, 32),
}
"""For each baseline its function, and the bytes that one of its descriptors takes."""
