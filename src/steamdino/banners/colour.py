"""Converts pictures to sRGB, which every viewer assumes, from the colours of their embedded profile.

The conversion is LittleCMS's, through Pillow's ImageCms. What cannot be read as a profile of the picture's kind of
colours is ignored, as viewers do.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache, lru_cache
from itertools import product

import numpy as np
from PIL import Image, ImageCms

from steamdino.banners.png_profile import profile_of

PROFILES = 32
"""Profiles whose conversions are kept. Most are small; one for print has 0.5 to 2 MB."""

STEPS = (0, 51, 102, 153, 204, 255)
"""Levels of each channel at which a profile is compared with sRGB."""

_FLAGS = ImageCms.Flags.NOCACHE | ImageCms.Flags.BLACKPOINTCOMPENSATION
"""Without a cache, threads may share a conversion. Greys are also converted without the table that LittleCMS makes,
which is off by up to ten levels in dark parts (`findings/pillow-grey-profiles-are-off-in-the-dark.sh`)."""

_SPACES = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK"}
"""The kind of colours that a profile must have, by the mode of the picture."""

Conversion = Callable[[Image.Image], Image.Image]


def to_srgb(image: Image.Image) -> Image.Image:
    """Return a picture in sRGB: unchanged if it has no profile, or one that is sRGB.

    Args:
        image: as it was decoded, with the facts of its file in `info`. RGB and grey ones may have transparency, which
            is kept.
    """
    profile = image.info.get("icc_profile") or profile_of(image)
    if not profile:
        return image
    opaque, alpha = _opaque(image)
    if "icc_profile" not in image.info:
        opaque = opaque.convert("RGB")
    conversion = _conversion(bytes(profile), opaque.mode)
    if conversion is None:
        return image
    converted = conversion(opaque)
    if alpha is not None:
        converted.putalpha(alpha)
    return converted


def _opaque(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """A picture in a mode that a profile can be for, and its transparency."""
    alpha = image.convert("RGBA").getchannel("A") if image.has_transparency_data else None
    if image.mode in _SPACES and alpha is None:
        return image, None
    return image.convert("L" if image.mode in ("L", "LA", "La", "1") else "RGB"), alpha


@lru_cache(PROFILES)
def _conversion(profile: bytes, mode: str) -> Conversion | None:
    """How pictures of a mode are converted from a profile; None if they need not be, or cannot be."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() != _SPACES.get(mode):
            return None
        made = ImageCms.buildTransform(
            source,
            _srgb(),
            mode,
            "RGB",
            ImageCms.Intent(source.profile.rendering_intent),
            _FLAGS | (ImageCms.Flags.NOOPTIMIZE if mode == "L" else 0),
        )
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None

    def convert(image: Image.Image) -> Image.Image:
        converted = ImageCms.applyTransform(image, made)
        if converted is None:  # only for a conversion in place
            raise AssertionError
        return converted

    sample = _sample(mode)
    if mode != "CMYK":
        moved = np.abs(np.asarray(convert(sample), np.int16) - np.asarray(sample.convert("RGB"), np.int16))
        if moved.max() <= 1:
            return None
    return convert


@cache
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


def _sample(mode: str) -> Image.Image:
    """Colours from all parts of a mode's space."""
    if mode == "L":
        return Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16))
    levels = np.array(list(product(STEPS, repeat=3)), np.uint8)
    return Image.fromarray(levels.reshape(-1, len(STEPS), 3)).convert(mode)
