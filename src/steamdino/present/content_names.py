"""File names that contain a digest, so that browsers can cache a file for ever and never show an old version."""

from __future__ import annotations

import hashlib


def by_content(name: str, data: bytes) -> str:
    """Return a name with a digest of the content before its suffix: ``site.css`` becomes ``site.4f0c1e2d3b5a.css``."""
    stem, dot, suffix = name.rpartition(".")
    return f"{stem}.{hashlib.sha256(data).hexdigest()[:12]}{dot}{suffix}"
