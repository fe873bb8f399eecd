"""The formats of pictures that can be read, and the suffixes of their files: the one list that everything uses."""

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
"""Of each of Pillow's formats that a stranger's file may reach, the suffixes: first the one that new files get.

Others stay out on purpose: Pillow's EPS, for one, starts another program.
"""

SUFFIXES = tuple(sorted(suffix for suffixes in SUFFIXES_OF.values() for suffix in suffixes))
"""All of them, in lower case: what is taken for a picture by its name."""


def suffix_of(form: str, otherwise: str) -> str:
    """The suffix that a new file of a format gets; `otherwise` for an unlisted one (a JPEG of several pictures)."""
    return SUFFIXES_OF.get(form, (otherwise,))[0]
