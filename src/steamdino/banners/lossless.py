"""Whether a picture's file keeps all colours of what was saved, told by its format and its first bytes."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

ALWAYS = frozenset({"PNG", "BMP", "TGA"})
"""Formats, as Pillow names them, that lose nothing. A palette (mode P) is 256 colours, whatever the format."""

TIFF_COMPRESSION = 259
TIFF_LOSSY = frozenset({6, 7, 34712, 34892, 50001})
"""TIFF's tag for the compression, and its values for JPEG, JPEG 2000, lossy DNG and WebP."""


def is_lossless(form: str, mode: str, path: Path) -> bool:
    """Whether a file keeps what was saved; False if it is unknown.

    Args:
        form: the format, as Pillow names it.
        mode: the picture's Pillow mode.
        path: the file. It is read only if the format has both kinds.
    """
    if mode == "P":
        return False
    if form in ALWAYS:
        return True
    looks = {"WEBP": _webp, "TIFF": _tiff}
    if form not in looks:
        return False
    try:
        with path.open("rb") as file:
            return looks[form](file)
    except (OSError, ValueError, struct.error):
        return False


def _webp(file: BinaryIO) -> bool:
    """Look for a VP8L chunk. https://developers.google.com/speed/webp/docs/riff_container."""
    file.seek(12)
    for _ in range(64):  # chunks before the picture
        kind, size = struct.unpack("<4sI", file.read(8))
        if kind in (b"VP8L", b"VP8 "):
            return bool(kind == b"VP8L")
        if kind == b"ANMF":  # a frame: 16 bytes, then chunks of its own
            file.seek(16, 1)
        else:
            file.seek(size + size % 2, 1)
    return False


def _tiff(file: BinaryIO) -> bool:
    """Read the compression of the first picture. TIFF 6.0, sections 2 and 7."""
    order = {b"II": "<", b"MM": ">"}.get(file.read(2), "<")
    magic, offset = struct.unpack(f"{order}HI", file.read(6))
    if magic != 42:
        return False
    file.seek(offset)
    (entries,) = struct.unpack(f"{order}H", file.read(2))
    for _ in range(entries):
        tag, _, _, value = struct.unpack(f"{order}HHI4s", file.read(12))
        if tag == TIFF_COMPRESSION:
            return struct.unpack(f"{order}H", value[:2])[0] not in TIFF_LOSSY
    return True  # not compressed, unless a tag says so
