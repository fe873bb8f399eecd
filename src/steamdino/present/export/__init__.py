"""Files that other programs read: matches, reports, pages and pictures."""

from __future__ import annotations
