"""The style sheets that served and exported pages share, so that they look the same."""

from __future__ import annotations

from functools import cache
from importlib import resources

SHARED = resources.files("steamdino.present.web") / "static"
"""Where they are, with the scripts and the icon that both have."""
PALETTE, SITE = "palette.css", "site.css"


@cache
def palette() -> str:
    """Return the colours of both themes, as custom properties."""
    return (SHARED / PALETTE).read_text("utf-8")


@cache
def site_sheet() -> str:
    """Return the whole style sheet of the page that `serve` shows."""
    return palette() + (SHARED / SITE).read_text("utf-8")
