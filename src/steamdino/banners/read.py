"""Reads banners: the picture at a location, decoded, and what its header says."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from steamdino.banners.decode import decode, header
from steamdino.recipe import SRGB
from steamdino.records import Banner
from steamdino.storage.location import Content, LocalFile, Location


def read_picture(
    picture: Path | Location, at_least: tuple[int, int] | None = None, *, colours: str = SRGB
) -> Image.Image:
    """Read and decode a picture to RGB, upright.

    Args:
        picture: where it is; a path means a local file.
        at_least: (width, height) in pixels that are enough, as in `banners.decode.decode`.
        colours: as in `recipe.Transform`.

    Raises:
        PictureError: it is missing, unreadable or cannot be decoded. The text does not name the place.
    """
    location = LocalFile(picture) if isinstance(picture, Path) else picture
    return decode(location.read().data, at_least, colours=colours)


def inspect(location: Location, content: Content) -> Banner:
    """Describe a picture by its header, without decoding its pixels.

    Args:
        location: where the picture is; only recorded.
        content: its bytes.

    Raises:
        PictureError: it is not a picture, or exceeds the limits on size.
    """
    head = header(content.data)
    return Banner(
        location=location,
        size=len(content.data),
        mtime_ns=content.mtime_ns,
        ctime_ns=content.ctime_ns,
        sha256=content.sha256,
        width=head.width,
        height=head.height,
        mode=head.mode,
        format=head.format,
    )
