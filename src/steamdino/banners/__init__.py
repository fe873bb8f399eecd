"""Pictures: read safely, identified by their content, decoded to RGB."""

from __future__ import annotations
