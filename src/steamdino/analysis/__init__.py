"""What a gallery's vectors are worth, and what they say about it."""

from __future__ import annotations
