"""What pages show of an explanation: drawings of both pictures side by side, and a table of their parts."""

from __future__ import annotations

from typing import Any

import numpy as np

from steamdino.analysis.cell_matching import regions
from steamdino.analysis.explain import EXACT, Explanation
from steamdino.present.export.explanation_drawing import PLACES, amount, heat, places, shares, tile
from steamdino.present.export.heatmap import over
from steamdino.present.export.html_page import data_url
from steamdino.search import Snapshot

HEIGHT = 540
"""Pixels of a drawing: enough for half a page, and twice a phone's."""


def explanation_values(
    found: Explanation, snapshot: Snapshot, similarity: float, *, identical: bool = False
) -> dict[str, Any]:
    """Return what the page of an explanation is rendered with, whatever the two pictures are.

    Args:
        found: the explanation.
        snapshot: that has the matched game.
        similarity: of the two pictures, as a list of matches shows it.
        identical: whether they have the same bytes.
    """
    chance = snapshot.chance
    alike = chance is None or similarity >= chance or identical
    return {
        "similarity": similarity,
        "alike": alike,
        "chance": chance,
        "percentile": snapshot.percentile(similarity),
        "recipe": snapshot.recipe.name,
        "exact": found.method == EXACT,
        "drawings": drawings(found, alike=alike),
        "attention": attention(found),
        "table": table(found),
    }


def cut(found: Explanation) -> str:
    """Draw what was compared of the first picture: a part of it, or all."""
    return data_url(tile(found.first, HEIGHT))


def drawings(found: Explanation, *, alike: bool) -> list[tuple[str, str, str]]:
    """Draw pairs of pictures, each with a heading."""
    one, two = found.first, found.second
    blocks = []
    if found.pairs and alike:
        points = [pair.first for pair in found.pairs], [pair.second for pair in found.pairs]
        blocks.append(("The same in both", places(one, points[0], HEIGHT), places(two, points[1], HEIGHT)))
    heading = "Where they look alike" if alike else "Where they are least unlike"
    blocks.append((heading, heat(one, HEIGHT), heat(two, HEIGHT)))
    heading = "What each part adds" if found.method == EXACT else "What is lost when a part is covered"
    blocks.append((heading, shares(one, found.similarity, HEIGHT), shares(two, found.similarity, HEIGHT)))
    return [(heading, data_url(first), data_url(second)) for heading, first, second in blocks]


def attention(found: Explanation) -> list[tuple[str, str]]:
    """Draw where a vision transformer's heads look, on average, in both pictures; empty for another model."""
    sides = [(side, side.attention) for side in (found.first, found.second)]
    drawn = [
        data_url(over(tile(side, HEIGHT), np.mean(maps, axis=0))) for side, maps in sides if maps is not None
    ]
    return [(drawn[0], drawn[1])] if len(drawn) == 2 else []


def table(found: Explanation) -> list[tuple[str, str, str]]:
    """Return what each of nine parts adds to the similarity: the place, and the amount for either picture."""
    first, second = (regions(side.shares) for side in (found.first, found.second))
    return [
        (
            PLACES[row][column],
            amount(float(first[row, column]), found.similarity),
            amount(float(second[row, column]), found.similarity),
        )
        for row in range(3)
        for column in range(3)
    ]
