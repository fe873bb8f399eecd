"""The supported picture formats and their file suffixes; the single list that the whole program uses."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

SUFFIXES_OF: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "JPEG": (".jpg", ".jpeg", ".jpe", ".jfif"),
        "PNG": (".png",),
        "WEBP": (".webp",),
        "GIF": (".gif",),
        "AVIF": (".avif",),
        "BMP": (".bmp",),
        "TIFF": (".tif", ".tiff"),
        "TGA": (".tga",),
    }
)
"""Suffixes of each supported Pillow format; the first is used for new files.

Other formats are excluded on purpose: Pillow's EPS plugin, for example, starts another program.
"""

SUFFIXES = tuple(sorted(suffix for suffixes in SUFFIXES_OF.values() for suffix in suffixes))
"""All suffixes in lower case: a file with one of them counts as a picture."""

UNREAD: Mapping[str, str] = MappingProxyType(
    {
        suffix: form
        for form, suffixes in {
            "HEIC": (".heic", ".heif", ".hif"),
            "JPEG XL": (".jxl",),
            "JPEG 2000": (".jp2", ".j2k", ".jpf", ".jpx"),
            "SVG": (".svg", ".svgz"),
            "PSD": (".psd", ".psb"),
            "RAW": (".arw", ".cr2", ".cr3", ".dng", ".nef", ".orf", ".pef", ".raf", ".rw2", ".srw"),
            "XCF": (".xcf",),
            "OpenEXR": (".exr",),
            "Radiance HDR": (".hdr",),
        }.items()
        for suffix in suffixes
    }
)
"""Formats of pictures that are not read, by suffix, so that a person learns which pictures were passed over."""


def suffix_of(form: str, otherwise: str) -> str:
    """Return the suffix for a new file of a format; `otherwise` for an unlisted one (such as a multi-picture JPEG)."""
    return SUFFIXES_OF.get(form, (otherwise,))[0]
