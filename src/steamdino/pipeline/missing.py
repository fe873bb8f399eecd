"""Decides when so much of a source is missing at once that something else must be wrong."""

from __future__ import annotations

MOST = 0.5
"""The share of a source's games that may be missing at once. More indicates an accident: a drive that is not mounted, a
server in trouble, a table that lost a column."""


def missing_most(missing: int, had: int) -> bool:
    """Whether more of what a source had is missing than can be expected."""
    return missing > MOST * had
