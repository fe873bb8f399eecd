"""Re-encoding of banners at the widths that pages need, so that no untrusted bytes reach a browser."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import Any

import PIL
from PIL import Image

from steamdino import __version__
from steamdino.banners.decode import decode
from steamdino.present.web.picture_cache import PictureCache
from steamdino.storage.location import Location

WIDTHS = (150, 200, 300, 600)
QUALITY = 85
"""JPEG quality."""
WEBP_QUALITY = 80
"""WebP quality. It looks like the JPEG's and takes 60 to 70 % of its bytes."""
JPEG, WEBP = "image/jpeg", "image/webp"


@dataclass(frozen=True, slots=True)
class Drawn:
    """A scaled banner.

    Attributes:
        data: JPEG or WebP.
        is_current: whether the picture has the digest that was asked for. False if it was replaced since.
    """

    data: bytes
    is_current: bool = True


class Redraw:
    """Scales banners, and keeps what it made in a cache."""

    def __init__(self, cache: PictureCache) -> None:
        self._cache = cache

    def draw(self, picture: Location, sha256: str, width: int, media_type: str) -> Drawn:
        """Return a picture, at most so wide and twice as high, from the cache if it is there.

        A file that was changed or removed is noticed, because its size and times are part of the entry's name.

        Args:
            picture: where it is.
            sha256: of its bytes, as the snapshot has it.
            width: in pixels.
            media_type: `JPEG` or `WEBP`.

        Raises:
            PictureError: it cannot be read.
        """
        # A file's status takes microseconds. That of an object on another server would take a request.
        mark = picture.status() if picture.path else None
        name = hashlib.sha256(f"{version_of(sha256)} {mark} {width} {media_type}".encode()).hexdigest()
        if (kept := self._cache.get(name)) is not None:
            return Drawn(kept)
        content = picture.read()
        data = encoded(content.data, width, media_type)
        is_current = content.sha256 == sha256
        if is_current:
            self._cache.put(name, data)
        return Drawn(data, is_current)


def preferred(accept: str) -> str:
    """Return the media type to send, given an Accept header: WebP only to clients that name it."""
    for one in accept.split(","):
        name, *parameters = (part.strip().lower() for part in one.split(";"))
        if name == WEBP:
            return JPEG if any(_is_refusal(parameter) for parameter in parameters) else WEBP
    return JPEG


def version_of(sha256: str) -> str:
    """Return a version that changes with the picture's content and with the way of drawing it."""
    way = f"{__version__} {PIL.__version__} {QUALITY} {WEBP_QUALITY} {sha256}"
    return hashlib.sha256(way.encode()).hexdigest()[:12]


def encoded(data: bytes, width: int, media_type: str) -> bytes:
    """Return a picture, at most so wide and twice as high, as JPEG or WebP.

    Raises:
        PictureError: it cannot be read.
    """
    image = decode(data, (width, 2 * width))
    image.thumbnail((width, 2 * width), Image.Resampling.BICUBIC)
    form, options = _form(media_type)
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def _form(media_type: str) -> tuple[str, dict[str, Any]]:
    return ("WEBP", {"quality": WEBP_QUALITY}) if media_type == WEBP else ("JPEG", {"quality": QUALITY})


def _is_refusal(parameter: str) -> bool:
    """Return whether a parameter of a media type is a weight of zero (RFC 9110, 12.4.2)."""
    key, _, value = parameter.partition("=")
    return key.strip() == "q" and value.strip().rstrip("0") in ("", "0", "0.")
