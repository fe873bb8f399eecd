"""Names files by their content, so that a browser may keep them for ever and never shows an old one."""

from __future__ import annotations

import hashlib


def by_content(name: str, data: bytes) -> str:
    """A name with a digest of the content before its suffix: ``site.css`` becomes ``site.4f0c1e2d3b5a.css``."""
    stem, dot, suffix = name.rpartition(".")
    return f"{stem}.{hashlib.sha256(data).hexdigest()[:12]}{dot}{suffix}"
