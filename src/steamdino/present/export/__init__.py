"""Matches as files: JSON, CSV, a list of ids, an HTML sheet."""

from __future__ import annotations
