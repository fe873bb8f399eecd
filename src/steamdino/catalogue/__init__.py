"""Sources of games: each reader yields entries, and problems for what it could not use."""

from __future__ import annotations
