"""Chooses the games that a first page opens with: unlike each other, and none with a blank or damaged banner in front.

Games that are spread over a gallery are its outliers, so black, white and empty banners are among the first of them.
What `build` and `check` measured of the pictures tells them apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from steamdino.analysis.unique import diverse
from steamdino.banners.quality import VERSION
from steamdino.errors import GalleryError
from steamdino.gallery import Gallery
from steamdino.records import Game
from steamdino.search import Snapshot
from steamdino.thresholds import Thresholds

CANDIDATES = 96
"""Games to choose from."""
SAMPLE = 5_000
"""Games among which the candidates are found. Their vectors are copied meanwhile: 10 MB."""

EMPTY = ("blank", "dark", "light", "low-information")
"""Flaws of banners that show little. They come after those with other flaws."""

DELIBERATE = {"grey"}
"""Flaws that are no flaws on a first page."""

Measures = Mapping[str, Mapping[str, float]]
"""What was measured of pictures, by their sha256."""


def candidates(snapshot: Snapshot) -> list[Game]:
    """Return games that differ from each other, the most unusual first."""
    return [one.game for one in diverse(snapshot, CANDIDATES, sample=SAMPLE)]


def opening(snapshot: Snapshot, n: int, gallery: Path | None) -> list[Game]:
    """Return the games for a first page.

    Args:
        snapshot: whose games.
        n: how many, at most `CANDIDATES`.
        gallery: the folder of the gallery that has measured the pictures; None if there is none.
    """
    games = candidates(snapshot)
    return good_first(games, _measured(games, gallery))[:n]


def good_first(games: Sequence[Game], measures: Measures) -> list[Game]:
    """Order games by the flaws of their banners, and keep the order of those that have equally grave ones.

    First come banners without a flaw, then blurry and bordered ones, then those that show little, then pictures that
    could not be measured, and games without one.
    """
    return sorted(games, key=lambda game: _gravity(game, measures.get(game.sha256)))


def _gravity(game: Game, measured: Mapping[str, float] | None) -> int:
    if game.location is None:
        return 4
    if measured is None:
        return 3
    flaws = set(Thresholds().below(measured)) - DELIBERATE
    return 2 if flaws & set(EMPTY) else 1 if flaws else 0


def _measured(games: Sequence[Game], gallery: Path | None) -> Measures:
    if gallery is None:
        return {}
    try:
        with Gallery.open(gallery) as opened:
            return opened.curation.measures_of([game.sha256 for game in games], VERSION)
    except (
        GalleryError
    ):  # a snapshot without its gallery, or one that cannot be read now: the page needs neither
        return {}
