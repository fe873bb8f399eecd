"""Suggests tags for one that no game has, since it may be mistyped."""

from __future__ import annotations

from collections.abc import Sequence

from steamdino.index.name_folding import fold

NEAR = 3
"""Tags to suggest."""

LEAST = 60
"""Lowest similarity of their spelling, 0 to 100."""


def unknown_tags(tags: Sequence[str], known: Sequence[str]) -> dict[str, list[str]]:
    """Find the tags that no game has, each with those that are written like it, the most similar first.

    Args:
        tags: as people write them.
        known: all tags of a snapshot, folded.
    """
    missing = [tag for tag in tags if fold(tag) not in known]
    if not missing:
        return {}
    from rapidfuzz import process

    return {
        tag: [one for one, _, _ in process.extract(fold(tag), known, limit=NEAR, score_cutoff=LEAST)]
        for tag in missing
    }
