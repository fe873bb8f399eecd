"""What says how unusual a picture is, without the gallery: distributions of cosines, and the games of each tag."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from steamdino.analysis.audit import taken_from
from steamdino.analysis.rarity import Rarities, Rarity
from steamdino.records import Filter
from steamdino.search import Snapshot

TAGS = 60
"""The most frequent tags, which a picture can be compared with."""

FEWEST = 20
"""Games that a tag must have: among fewer, a percentage says little."""

SHARES = 200
"""Steps of a tag's distribution: half a percent each."""


def similarity_facts(snapshot: Snapshot) -> dict[str, Any]:
    """Return the distribution of the cosines of all pairs, from when on banners show the same, and what is chance."""
    known = snapshot.manifest.similarity
    if known is None:
        return {"quantiles": [], "taken": None, "chance": None}
    return {
        "quantiles": [[round(100 * share, 5), round(cosine, 5)] for share, cosine in known.quantiles],
        "taken": round(taken_from(known.usual["pairs"]), 5),
        "chance": snapshot.chance,
    }


class Standings:
    """Measures how similar the games of a snapshot, and of its tags, are to their nearest neighbours."""

    def __init__(self, snapshot: Snapshot, rows: NDArray[np.intp]) -> None:
        """Prepare it.

        Args:
            snapshot: of the games.
            rows: the games of the site, rising.
        """
        self._snapshot, self._rows = snapshot, rows
        self._rarities = Rarities(snapshot)

    def everything(self) -> dict[str, Any]:
        """Return the standing of all games."""
        return _record(self._rarities.among(Filter()), None)

    def tags(self) -> list[str]:
        """Return the tags that a picture can be compared with, the most frequent first."""
        if not self._snapshot.counts.known.tags:
            return []
        counts = self._snapshot.counts(Filter()).tags
        return [tag for tag, games in counts.items() if games >= FEWEST][:TAGS]

    def of(self, tag: str) -> dict[str, Any]:
        """Return the standing of a tag's games, with their places on the site as steps from one to the next."""
        only = Filter(tags=(tag,))
        own = self._snapshot.rows(only)
        places = np.searchsorted(self._rows, own[np.isin(own, self._rows)])
        steps = np.diff(places, prepend=-1) - 1
        return {"tag": tag, "rows": steps.tolist(), **_record(self._rarities.among(only), SHARES)}


def _record(rarity: Rarity, shares: int | None) -> dict[str, Any]:
    closenesses = rarity.closenesses
    if shares is not None and len(closenesses) > shares:
        places = np.linspace(0, len(closenesses) - 1, shares + 1).round().astype(np.intp)
        closenesses = closenesses[places]
    return {
        "games": rarity.games,
        "usual": None if rarity.usual is None else round(rarity.usual, 4),
        "closenesses": [round(float(one), 4) for one in closenesses],
    }
