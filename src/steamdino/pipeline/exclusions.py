"""Excludes games with flawed banners from searches, and takes them back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from steamdino.analysis.flaws import Flaw
from steamdino.gallery import Gallery
from steamdino.gallery.curation import KEEP


def exclude(gallery: str | Path, found: Iterable[Flaw], flaws: Sequence[str]) -> int:
    """Make searches skip the games that have one of these flaws, from the next build on.

    Games that a person decided to keep are not skipped.

    Returns:
        the number of games that were not excluded before.
    """
    with Gallery.write(gallery, "check") as opened, opened.transaction():
        kept = {one.game for one in opened.curation.decisions() if one.verdict == KEEP}
        return opened.curation.exclude(
            {one.game_id: one.flaw for one in found if one.flaw in flaws and one.game_id not in kept}
        )


def restore(gallery: str | Path, flaws: Sequence[str] | None) -> int:
    """Take back the games that were excluded for some flaws, or, with None, for any; returns how many."""
    with Gallery.write(gallery, "check") as opened, opened.transaction():
        return opened.curation.restore(flaws)
