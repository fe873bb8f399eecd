"""What a model sees of a picture, and where its heads look, on one sheet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from steamdino.present.export.heatmap import over

MARGIN, LABEL, ACROSS = 12, 26, 4
SMALLEST = 160
"""Pixels of a tile's shorter side: smaller inputs are enlarged, so that a label fits above them."""
BACKGROUND, INK = (23, 26, 33), (214, 219, 226)


def sheet(
    original: Image.Image, seen: Image.Image, maps: Sequence[NDArray[np.float32]], title: str
) -> Image.Image:
    """Draw the sheet.

    Args:
        original: the picture as it is.
        seen: the model's input.
        maps: one per head, shape (rows, columns), over the model's input; may be empty.
        title: heading of the sheet.
    """
    scale = max(1.0, SMALLEST / min(seen.size))
    size = (round(seen.width * scale), round(seen.height * scale))
    seen = seen.resize(size, Image.Resampling.BICUBIC)
    shown = original.copy()
    shown.thumbnail(size)
    tiles = [(f"the picture, {original.width}x{original.height}", shown), ("what the model sees", seen)]
    if maps:
        tiles.append(("all heads", over(seen, np.mean(maps, axis=0))))
    tiles += [(f"head {number}", over(seen, values)) for number, values in enumerate(maps, 1)]
    across = min(ACROSS, len(tiles))
    lines = -(-len(tiles) // across)
    canvas = Image.new(
        "RGB",
        (MARGIN + across * (size[0] + MARGIN), MARGIN + LABEL + lines * (LABEL + size[1] + MARGIN)),
        BACKGROUND,
    )
    pen = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(15)
    pen.text((MARGIN, MARGIN), title, INK, ImageFont.load_default(17))
    for number, (label, tile) in enumerate(tiles):
        x = MARGIN + number % across * (size[0] + MARGIN)
        y = MARGIN + LABEL + number // across * (LABEL + size[1] + MARGIN)
        pen.text((x, y + 4), label, INK, font)
        canvas.paste(tile, (x, y + LABEL))
    return canvas
