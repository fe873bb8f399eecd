"""The page of a game with the games that look like it, and the page that says why two of them match."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from steamdino.present.game_facts import namesakes
from steamdino.present.web import page_metadata
from steamdino.present.web.alterations import Mixing, kept_fields, turn_alterations
from steamdino.present.web.explanation_views import cut, explanation_values
from steamdino.present.web.facet_chips import facets
from steamdino.present.web.filter_form import TypedFilterOf, understood
from steamdino.present.web.page_links import link
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
from steamdino.present.web.ranked_matches import pager_of, ranked
from steamdino.present.web.root_path import below

router = APIRouter(include_in_schema=False)


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
        one.similar(game_id, wanted, mirror=mirror, flip=flip, crop=crop, only=form.only, cutoff=form.cutoff)
        for one in editions
    ]
    sides = [ranked(one, matches, offset) for one, matches in zip(editions, found, strict=True)]
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
        pager=pager_of(request, edition, form, found[0], offset, [own.id]),
        namesakes=namesakes([own, *(one for side in sides for one in side.games)]),
    )


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
    return page(
        request,
        "why.html.jinja",
        one=one,
        two=two,
        mirror=mirror,
        flip=flip,
        cut=cut(found) if crop else "",
        back=link(request, below(request, f"/games/{quote(a, safe='')}"), a=None, b=None),
        namesakes=namesakes([one, two]),
        **explanation_values(found, edition.snapshot, similarity, identical=one.sha256 == two.sha256),
    )
