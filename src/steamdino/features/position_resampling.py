"""Resample position embeddings of vision transformers as the code of each model's authors does it.

=============  =========================================================================================================
``offset``     Bicubic (coefficient -0.75), without antialiasing, by the factor ``(cells + 0.1) / side``: the same for
               both sides of the picture, each with its own cells. DINO (``interpolate_pos_encoding`` in
               facebookresearch/dino, vision_transformer.py) and DINOv2 without registers (facebookresearch/dinov2,
               hub/backbones.py: ``interpolate_offset=0.1``, ``interpolate_antialias=False``).
``antialias``  Bicubic (coefficient -0.5), stretched where the grid shrinks, to exactly the new cells. DINOv2 with
               registers (hub/backbones.py: ``interpolate_offset=0.0``, ``interpolate_antialias=True``).
=============  =========================================================================================================

Both keep the embeddings of a picture of the trained size as they are, and the CLS token's at every size. transformers
computes ``antialias`` the same way, but resamples DINO and DINOv2 to exactly the new cells, without the offset, and so
did older versions of this program. DINOv3 has no position embeddings: it rotates queries and keys by the places of the
patches (RoPE), at any size alike. CLIP takes pictures of the trained size only.

Each side is resampled by itself, so a resampling is two matrix products, which every runtime computes alike.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from steamdino.recipe import ANTIALIAS

EXTRA = 0.1
"""What `offset` adds to the number of cells."""

REACH = 2
"""Places on each side that a new place is computed from. Beyond the border, `offset` repeats its last place."""

CUBIC, ANTIALIASED_CUBIC = -0.75, -0.5
"""Coefficients with which PyTorch interpolates bicubically, without and with antialiasing."""


def weights(cells: int, side: int, rule: str) -> NDArray[np.float32]:
    """Return the weights of the trained places in each new place, for one side of a picture.

    Args:
        cells: patches along this side of the picture.
        side: of the trained grid.
        rule: "offset" or "antialias".

    Returns:
        float32, shape (cells, side); each row adds up to 1.
    """
    if rule == ANTIALIAS:
        scale = side / cells
        centres = (np.arange(cells) + 0.5) * scale - 0.5
        distances = np.abs(np.arange(side) - centres[:, None]) / max(scale, 1.0)
        made = cubic(distances.astype(np.float64), ANTIALIASED_CUBIC)
        made /= made.sum(1, keepdims=True)
        return made.astype(np.float32)
    centres = (np.arange(cells) + 0.5) * side / (cells + EXTRA) - 0.5
    places = np.arange(-REACH, side + REACH)
    made = cubic(np.abs(places - centres[:, None]), CUBIC)
    made[:, REACH] += made[:, :REACH].sum(1)
    made[:, -REACH - 1] += made[:, -REACH:].sum(1)
    return made[:, REACH:-REACH].astype(np.float32)


def cubic(distances: NDArray[np.float64], a: float) -> NDArray[np.float64]:
    """Return Keys' cubic at distances of 0 and more (IEEE Trans. ASSP 29, 1981, equation 4, for any coefficient)."""
    x = distances
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    made: NDArray[np.float64] = np.where(x <= 1, near, np.where(x < 2, far, 0.0))
    return made
