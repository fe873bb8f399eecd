"""Re-encoding of banners, so that no untrusted bytes reach a browser."""

from __future__ import annotations

import hashlib
import io

import PIL
from PIL import Image

from steamdino import __version__
from steamdino.banners.read import read_picture
from steamdino.storage.location import Location

QUALITY = 85
"""JPEG quality."""


def draw(picture: Location, width: int) -> bytes:
    """A picture as JPEG, at most so wide and twice as high.

    Raises:
        PictureError: it cannot be read.
    """
    image = read_picture(picture, (width, 2 * width))
    image.thumbnail((width, 2 * width), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()


def version_of(sha256: str) -> str:
    """Return a version that changes with the picture's content and with the way of drawing it."""
    way = f"{__version__} {PIL.__version__} {QUALITY} {sha256}"
    return hashlib.sha256(way.encode()).hexdigest()[:12]
