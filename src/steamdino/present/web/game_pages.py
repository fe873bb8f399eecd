"""The page of a game with the games that look like it, and the page that says why two of them match."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

import numpy as np
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from steamdino.analysis.cell_matching import regions
from steamdino.analysis.explain import EXACT, Explanation
from steamdino.analysis.folded_matches import FoldedMatch, folded
from steamdino.present.export.explanation_drawing import PLACES, amount, heat, places, shares, tile
from steamdino.present.export.heatmap import over
from steamdino.present.export.html_page import data_url
from steamdino.present.game_facts import namesakes
from steamdino.present.web import page_metadata
from steamdino.present.web.facet_chips import facets
from steamdino.present.web.filter_form import TypedFilterOf, understood
from steamdino.present.web.page_links import link, pager
from steamdino.present.web.pages import PAGE, page
from steamdino.present.web.parameters import LONGEST, EditionOf, Flip, Id, Mirror, Offset, served
from steamdino.present.web.served_snapshot import ServedSnapshot
from steamdino.records import Filter, Game, Matches

HEIGHT = 540
"""Pixels of a drawing: enough for half a page, and twice a phone's."""

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Ranked:
    """A page of matches.

    Attributes:
        recipe: that was searched.
        alike: the matches that look alike, with near-copies folded into the first of each.
        others: those that are no closer than chance.
        first: whether it is the first page.
    """

    recipe: str
    alike: Sequence[FoldedMatch]
    others: Sequence[FoldedMatch]
    first: bool

    @property
    def games(self) -> Iterable[Game]:
        """The games on it, near-copies included."""
        for one in (*self.alike, *self.others):
            yield one.match.game
            yield from (copy.game for copy in one.copies)

    @property
    def empty(self) -> bool:
        """Whether there are no matches."""
        return not (self.alike or self.others)


def ranked(edition: ServedSnapshot, matches: Matches, offset: int = 0, size: int = PAGE) -> Ranked:
    """Divide a page of matches where likeness ends, and fold near-copies.

    Args:
        edition: that was searched.
        matches: from the first on.
        offset: where the page begins.
        size: matches on a page.
    """
    shown = matches[offset : offset + size]
    alike = [match for match in shown if matches.looks_alike(match) is not False]
    others = [match for match in shown if matches.looks_alike(match) is False]
    snapshot = edition.snapshot
    return Ranked(snapshot.recipe.name, folded(snapshot, alike), folded(snapshot, others), first=not offset)


@router.get("/games/{game_id:path}")
def game(
    request: Request,
    edition: EditionOf,
    typed: TypedFilterOf,
    game_id: Annotated[str, Path(max_length=LONGEST)],
    offset: Offset = 0,
    mirror: Mirror = False,
    flip: Flip = False,
    beside: Annotated[str, Query(max_length=LONGEST, description="Another recipe to compare with.")] = "",
) -> Response:
    """Show a game and the games that look like it."""
    own = edition.snapshot.game(game_id)
    form = understood(typed, edition.snapshot)
    editions = [edition, *([served(request).edition(beside)] if beside else [])]
    found = [
        form.similar_enough(one.similar(game_id, offset + PAGE + 1, mirror=mirror, flip=flip, only=form.only))
        for one in editions
    ]
    sides = [ranked(one, matches, offset) for one, matches in zip(editions, found, strict=True)]
    shown = len(found[0][offset : offset + PAGE])
    return page(
        request,
        "game.html.jinja",
        game=own,
        about=page_metadata.of_game(request, own, [match.game for match in found[0]]),
        sides=sides,
        recipe=edition.snapshot.recipe.name,
        beside=beside,
        facets=facets(request, edition.snapshot.counts, form, minima=True),
        mirror=mirror,
        flip=flip,
        pager=pager(
            request,
            offset,
            PAGE,
            shown,
            None if form.has_minima else _total(edition, form.only, own.id),
            more=len(found[0]) > offset + PAGE,
        ),
        namesakes=namesakes([own, *(one for side in sides for one in side.games)]),
    )


def _total(edition: ServedSnapshot, only: Filter, game_id: str) -> int:
    """Count the games that a filter allows, without the query itself."""
    rows = edition.snapshot.rows(only)
    return len(rows) - int(edition.snapshot.row(game_id) in rows)


@router.get("/why")
def why(
    request: Request, edition: EditionOf, a: Id, b: Id, mirror: Mirror = False, flip: Flip = False
) -> Response:
    """Show why two games match, or what they have in common if they do not."""
    one, two = (edition.snapshot.game(key) for key in (a, b))
    similarity = edition.similarity(a, b, mirror=mirror, flip=flip)
    found = edition.explain(a, b, mirror=mirror, flip=flip)
    chance = edition.snapshot.chance
    alike = chance is None or similarity >= chance or one.sha256 == two.sha256
    return page(
        request,
        "why.html.jinja",
        one=one,
        two=two,
        found=found,
        similarity=similarity,
        alike=alike,
        chance=chance,
        percentile=edition.snapshot.percentile(similarity),
        recipe=edition.snapshot.recipe.name,
        mirror=mirror,
        flip=flip,
        exact=found.method == EXACT,
        drawings=_drawings(found, alike=alike),
        attention=_attention(found),
        table=_table(found),
        back=link(request, f"{request.scope.get('root_path', '')}/games/{quote(a, safe='')}", a=None, b=None),
        namesakes=namesakes([one, two]),
    )


def _drawings(found: Explanation, *, alike: bool) -> list[tuple[str, str, str]]:
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


def _attention(found: Explanation) -> list[tuple[str, str]]:
    """Draw where a vision transformer's heads look, on average, in both pictures; empty for another model."""
    sides = [(side, side.attention) for side in (found.first, found.second)]
    drawn = [
        data_url(over(tile(side, HEIGHT), np.mean(maps, axis=0))) for side, maps in sides if maps is not None
    ]
    return [(drawn[0], drawn[1])] if len(drawn) == 2 else []


def _table(found: Explanation) -> list[tuple[str, str, str]]:
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
