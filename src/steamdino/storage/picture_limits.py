"""How large a picture may be. A program sets the limits once, when it starts, and all of its threads read them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PictureLimits:
    """The largest picture that is read.

    Attributes:
        file: bytes of its file. Steam's own banners have about 100 KB.
        pixels: that are decoded; 64 million take 192 MB as RGB. A JPEG with more is decoded at a half, a quarter or an
            eighth of its size.
    """

    file: int = 64 << 20
    pixels: int = 64_000_000


_limits = PictureLimits()


def picture_limits() -> PictureLimits:
    """Return the limits of this process."""
    return _limits


def set_picture_limits(limits: PictureLimits) -> None:
    """Set the limits of this process."""
    global _limits
    _limits = limits
