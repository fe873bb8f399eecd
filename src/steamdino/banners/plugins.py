"""Pillow's plug-ins for further formats, loaded when the first file of their format comes."""

from __future__ import annotations

import importlib
from functools import cache

from steamdino.picture_formats import PLUGINS

_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")
"""Of a file that is or may be HEIF (ISO/IEC 23008-12, annex B); AVIF may have the last two as well."""

_JXL = (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")
"""How a JPEG XL file begins (ISO/IEC 18181-2)."""


def plugin_form(data: bytes) -> str:
    """Return Pillow's name of the format that a file seems to have, if a plug-in reads it; else an empty text."""
    if data[4:8] == b"ftyp" and data[8:12] in _BRANDS:
        return "HEIF"
    return "JXL" if data.startswith(_JXL) else ""


@cache
def register(form: str) -> None:
    """Make Pillow know a format, if its plug-in is installed."""
    plugin = PLUGINS[form]
    if plugin.is_installed:
        module = importlib.import_module(plugin.module)
        if plugin.opener:
            getattr(module, plugin.opener)()
