"""The gallery, the write side: one folder with a SQLite database, the copied pictures and the snapshots."""

from __future__ import annotations

from steamdino.gallery.database import Gallery

__all__ = ["Gallery"]
