"""The page of a game with the games that look like it, and the page that says why two of them match."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from steamdino.analysis.explain import EXACT
from steamdino.analysis.folded_matches import FoldedMatch, folded
from steamdino.present.game_facts import namesakes
from steamdino.present.web import page_metadata
from steamdino.present.web.alterations import Mixing, kept_fields, turn_alterations
from steamdino.present.web.explanation_views import attention, cut, drawings, table
from steamdino.present.web.facet_chips import facets
from steamdino.present.web.filter_form import TypedFilterOf, understood
from steamdino.present.web.page_links import link, pager
from steamdino.present.web.pages import PAGE, page
from steamdino.present.web.parameters import (
    LONGEST,
    CropOfFields,
    EditionOf,
    Flip,
    Id,
    Mirror,
    Offset,
    served,
)
from steamdino.present.web.root_path import below
from steamdino.present.web.served_snapshot import ServedSnapshot
from steamdino.records import Filter, Game, Matches

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
    crop: CropOfFields,
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
    wanted = offset + PAGE + 1
    found = [
        form.similar_enough(one.similar(game_id, wanted, mirror=mirror, flip=flip, crop=crop, only=form.only))
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
        crop=crop,
        alterations=turn_alterations(request, crop, mirror=False, flip=False),
        crop_kept=kept_fields(request, "crop"),
        mix=Mixing.with_game(request, game_id),
        pager=pager(
            request,
            offset,
            PAGE,
            shown,
            None if form.has_minima else total(edition, form.only, [own.id]),
            more=len(found[0]) > offset + PAGE,
        ),
        namesakes=namesakes([own, *(one for side in sides for one in side.games)]),
    )


def total(edition: ServedSnapshot, only: Filter, query: Iterable[str] = ()) -> int:
    """Count the games that a filter allows, without the query's own, given by id."""
    rows = edition.snapshot.rows(only)
    return len(rows) - sum(int(edition.snapshot.row(key) in rows) for key in set(query))


@router.get("/why")
def why(
    request: Request,
    edition: EditionOf,
    crop: CropOfFields,
    a: Id,
    b: Id,
    mirror: Mirror = False,
    flip: Flip = False,
) -> Response:
    """Show why two games match, or what they have in common if they do not."""
    one, two = (edition.snapshot.game(key) for key in (a, b))
    similarity = edition.similarity(a, b, mirror=mirror, flip=flip, crop=crop)
    found = edition.explain(a, b, mirror=mirror, flip=flip, crop=crop)
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
        cut=cut(found) if crop else "",
        exact=found.method == EXACT,
        drawings=drawings(found, alike=alike),
        attention=attention(found),
        table=table(found),
        back=link(request, below(request, f"/games/{quote(a, safe='')}"), a=None, b=None),
        namesakes=namesakes([one, two]),
    )
