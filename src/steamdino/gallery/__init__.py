"""The gallery, the write side: one folder with a SQLite database, the copied pictures and the snapshots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from steamdino.gallery.database import Gallery

__all__ = ["Gallery"]


def __getattr__(name: str) -> Any:
    """Load the gallery on first use: readers of snapshots need only where things are."""
    if name != "Gallery":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from steamdino.gallery.database import Gallery

    return Gallery
