"""The page of a mixture of games."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import Response

from steamdino.present.web.alterations import Mixing, kept_fields, part_chips
from steamdino.present.web.pages import PAGE, TAGS, link, page
from steamdino.present.web.parameters import EditionOf, MixtureOf, Offset, OnlyOf
from steamdino.records import HIDDEN_COLUMNS, Filter

router = APIRouter(include_in_schema=False)


@router.get("/mixture")
def mixture(
    request: Request, edition: EditionOf, only: OnlyOf, mixture: MixtureOf, offset: Offset = 0
) -> Response:
    """Show the games that look most like a mixture of others, and fields to change it."""
    wanted = offset + PAGE + 1
    matches = edition.mixture(mixture.plus, mixture.minus, wanted, only=only) if mixture else None
    chips = part_chips(request, mixture, matches.query.parts) if matches else []
    games = [part.query.game for part in matches.query.parts] if matches else []
    return page(
        request,
        "mixture.html.jinja",
        games=games,
        chips=chips,
        title=" ".join(f"{chip.sign} {chip.label}" for chip in chips).removeprefix("+ "),
        matches=matches[offset : offset + PAGE] if matches else (),
        more=link(request, offset=offset + PAGE) if matches and len(matches) > offset + PAGE else "",
        kept=kept_fields(request),
        others=[pair for pair in kept_fields(request) if pair[0] in ("plus", "minus", "recipe")],
        only=only,
        filtered=only != Filter(),
        hidden=HIDDEN_COLUMNS,
        tags=edition.snapshot.tags()[:TAGS],
        mix=Mixing.on(request),
    )
