"""Measures the banners that a first page may open with, so that no request has to decode them."""

from __future__ import annotations

from pathlib import Path

from steamdino.analysis.opening import candidates
from steamdino.banners.quality import VERSION
from steamdino.gallery import Gallery
from steamdino.gallery.curation import Unmeasured
from steamdino.gallery.layout import stored
from steamdino.pipeline.measuring import measure_some
from steamdino.search import Snapshot


def measure_opening(gallery: Gallery, snapshot: Path, threads: int) -> None:
    """Measure the candidates for a snapshot's first page that were not measured yet, fewer than a hundred pictures.

    Args:
        gallery: open for writing.
        snapshot: its folder.
        threads: pictures decoded at the same time.
    """
    games = [game for game in candidates(Snapshot.open(snapshot)) if game.location is not None]
    known = gallery.curation.measures_of([game.sha256 for game in games], VERSION)
    missing = {
        game.sha256: Unmeasured(game.sha256, (stored(game.location, gallery.root),))
        for game in games
        if game.location is not None and game.sha256 not in known
    }
    measure_some(gallery, list(missing.values()), threads)
