"""The supported picture formats and their file suffixes; the single list that the whole program uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plug-in of Pillow that reads one more format, if it is installed (extra `formats`).

    Attributes:
        module: to import.
        opener: the module's function that registers it; empty if importing it does.
        suffixes: of the format's files.
        label: what people call the format.
    """

    module: str
    opener: str
    suffixes: tuple[str, ...]
    label: str

    @property
    def is_installed(self) -> bool:
        """Whether the module can be imported. It is not imported for that."""
        return find_spec(self.module) is not None


PLUGINS: Mapping[str, Plugin] = MappingProxyType(
    {
        "HEIF": Plugin("pillow_heif", "register_heif_opener", (".heic", ".heif", ".hif"), "HEIC"),
        "JXL": Plugin("pillow_jxl", "", (".jxl",), "JPEG XL"),
    }
)
"""The plug-ins, by Pillow's name of the format."""

_INSTALLED = {form: plugin.suffixes for form, plugin in PLUGINS.items() if plugin.is_installed}

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
        **_INSTALLED,
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
            **{plugin.label: plugin.suffixes for form, plugin in PLUGINS.items() if form not in _INSTALLED},
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
