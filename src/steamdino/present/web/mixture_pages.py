"""The page of a mixture of games."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from steamdino.present.game_facts import namesakes
from steamdino.present.web.alterations import Mixing, kept_fields, part_alterations
from steamdino.present.web.facet_chips import facets
from steamdino.present.web.filter_form import TypedFilterOf, understood
from steamdino.present.web.page_links import FILTERS, MINIMA, pager
from steamdino.present.web.pages import PAGE, page
from steamdino.present.web.parameters import EditionOf, MixtureOf, Offset
from steamdino.present.web.ranked_matches import pager_of, ranked

router = APIRouter(include_in_schema=False)


@router.get("/mixture")
def mixture(
    request: Request, edition: EditionOf, typed: TypedFilterOf, mixture: MixtureOf, offset: Offset = 0
) -> Response:
    """Show the games that look most like a mixture of others, and fields to change it."""
    form = understood(typed, edition.snapshot)
    values: dict[str, Any] = {"games": [], "alterations": [], "title": "", "side": None, "of": "pairs"}
    place = pager(request, offset, PAGE, 0, None)
    if mixture:
        matches = edition.mixture(
            mixture.plus, mixture.minus, offset + PAGE + 1, only=form.only, cutoff=form.cutoff
        )
        alterations = part_alterations(request, mixture, matches.query.parts)
        games = [part.query.game for part in matches.query.parts if part.query.game]
        side = ranked(edition, matches, offset)
        place = pager_of(request, edition, form, matches, offset, [game.id for game in games])
        values = {
            "games": games,
            "alterations": alterations,
            "title": " ".join(f"{one.sign} {one.label}" for one in alterations).removeprefix("+ "),
            "side": side,
            "of": "games" if matches.query.has_words else "pairs",
            "namesakes": namesakes(side.games),
        }
    return page(
        request,
        "mixture.html.jinja",
        facets=facets(request, edition.snapshot.counts, form, minima=True),
        pager=place,
        kept=kept_fields(request),
        others=kept_fields(request, *FILTERS, *MINIMA),
        mix=Mixing.on(request),
        **values,
    )
