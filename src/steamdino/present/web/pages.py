"""The web pages: HTML rendered on the server, usable without scripts; htmx and a small script make them faster."""

from __future__ import annotations

from functools import cache, partial
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from steamdino.analysis.cell_matching import regions
from steamdino.features.text_encoder import has_words
from steamdino.present.display_text import closeness, printable
from steamdino.present.export.explanation_drawing import PLACES, amount, draw
from steamdino.present.export.game_links import game_links
from steamdino.present.export.html_page import data_url
from steamdino.present.release_text import release_text
from steamdino.present.web import static
from steamdino.present.web.alterations import Mixing, kept_fields, turn_chips
from steamdino.present.web.api import addresses, any_game, filtered
from steamdino.present.web.parameters import (
    LONGEST,
    CropOfFields,
    EditionOf,
    Flip,
    Id,
    Mirror,
    Offset,
    OnlyOf,
    served,
)
from steamdino.present.web.served_snapshot import ServedSnapshot
from steamdino.present.web.timing import stage
from steamdino.records import HIDDEN_COLUMNS, Filter

PAGE = 24
"""Games per page."""
SUGGESTED = 8
TAGS = 60

router = APIRouter(include_in_schema=False)


@cache
def environment() -> Environment:
    """Return the environment of the templates; everything is escaped."""
    made = Environment(
        auto_reload=False,  # or it looks at the times of the templates' files for each page
        autoescape=True,
        loader=PackageLoader("steamdino.present.web"),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    made.globals.update(
        closeness=closeness,
        game_links=game_links,
        static=static.address,
        quote=lambda text: quote(text, safe=""),
    )
    made.filters["printable"] = printable
    made.filters["release_text"] = release_text
    return made


def page(request: Request, template: str, status: int = 200, **values: Any) -> Response:
    """Return a page rendered from a template."""
    found = served(request)
    with stage("answer"):
        text = (
            environment()
            .get_template(template)
            .render(
                address=addresses(request).of,
                typed=values.pop("typed", ""),
                recipes=found.recipes,
                fetches=request.app.state.fetch is not None,
                has_history=found.edition().folder is not None,
                here=request.url.path,
                mix=values.pop("mix", Mixing()),
                **values,
            )
        )
    return Response(text, status, media_type="text/html; charset=utf-8")


def error_page(request: Request, status: int, detail: str) -> Response:
    """Return an error as a page."""
    return page(request, "error.html.jinja", status, code=status, detail=detail)


@router.get("/")
def home(request: Request, edition: EditionOf, q: Annotated[str, Query(max_length=LONGEST)] = "") -> Response:
    """Show a search box, and games that differ from each other to start with."""
    if q.strip():
        return search(request, edition, q)
    return page(request, "home.html.jinja", games=edition.varied(PAGE), total=len(edition.snapshot))


def search(request: Request, edition: ServedSnapshot, q: str) -> Response:
    """Show the games that match a name: the game itself if there is just one, else a list to choose from."""
    with stage("search"):
        exact = edition.snapshot.named_exactly(q)
        found = exact or edition.snapshot.suggest(q, PAGE)
    if len(found) == 1:
        return RedirectResponse(f"/games/{quote(found[0].id, safe='')}", 303)
    return page(request, "search.html.jinja", typed=q, games=found, words=has_words(edition.snapshot.recipe))


@router.get("/suggest")
async def suggest(
    request: Request, edition: EditionOf, q: Annotated[str, Query(max_length=LONGEST)] = ""
) -> Response:
    """Return suggestions for a name that is being typed, as a part of a page."""
    with stage("search"):
        found = edition.snapshot.suggest(q, SUGGESTED) if q.strip() else []
    return page(request, "suggest.html.jinja", games=found)


@router.get("/random")
async def surprise(request: Request, edition: EditionOf, only: OnlyOf) -> Response:
    """Redirect to a random game."""
    found = await filtered(only, partial(any_game, edition, only))
    return RedirectResponse(f"/games/{quote(found.id, safe='')}", 303, {"cache-control": "no-store"})


@router.get("/games/{game_id:path}")
def game(
    request: Request,
    edition: EditionOf,
    only: OnlyOf,
    crop: CropOfFields,
    game_id: Annotated[str, Path(max_length=LONGEST)],
    offset: Offset = 0,
    mirror: Mirror = False,
    flip: Flip = False,
    beside: Annotated[str, Query(max_length=LONGEST, description="Another recipe to compare with.")] = "",
) -> Response:
    """Show a game and the games that look like it."""
    own = edition.snapshot.game(game_id)
    other = served(request).edition(beside) if beside else None
    wanted = offset + PAGE + 1
    matches = edition.similar(game_id, wanted, mirror=mirror, flip=flip, crop=crop, only=only)
    others = other.similar(game_id, wanted, mirror=mirror, flip=flip, crop=crop, only=only) if other else None
    return page(
        request,
        "game.html.jinja",
        game=own,
        matches=matches[offset : offset + PAGE],
        others=others[offset : offset + PAGE] if others else None,
        recipe=edition.snapshot.recipe.name,
        beside=beside,
        only=only,
        filtered=only != Filter(),
        hidden=HIDDEN_COLUMNS,
        mirror=mirror,
        flip=flip,
        offset=offset,
        more=link(request, offset=offset + PAGE) if len(matches) > offset + PAGE else "",
        tags=edition.snapshot.tags()[:TAGS],
        chips=turn_chips(request, crop, mirror=False, flip=False),
        crop=crop,
        crop_kept=kept_fields(request, "crop"),
        mix=Mixing.with_game(request, game_id),
    )


def link(request: Request, **changed: Any) -> str:
    """Return the address of the requested page with some parameters changed."""
    kept_ones = [(key, value) for key, value in request.query_params.multi_items() if key not in changed]
    return f"{request.url.path}?{urlencode([*kept_ones, *changed.items()])}"


@router.get("/text")
def text(
    request: Request, edition: EditionOf, q: Annotated[str, Query(min_length=1, max_length=LONGEST)]
) -> Response:
    """Show games that match words."""
    matches = edition.text(q, PAGE)
    return page(request, "words.html.jinja", typed=q, matches=matches)


@router.get("/why")
def why(request: Request, edition: EditionOf, a: Id, b: Id) -> Response:
    """Show why two games match."""
    found = edition.explain(a, b)
    one, two = (edition.snapshot.game(key) for key in (a, b))
    parts = [regions(side.shares) for side in (found.first, found.second)]
    table = [
        (PLACES[row][column], *(amount(float(part[row, column]), found.similarity) for part in parts))
        for row in range(3)
        for column in range(3)
    ]
    return page(
        request,
        "why.html.jinja",
        one=one,
        two=two,
        found=found,
        percentile=edition.snapshot.percentile(found.similarity),
        drawn=data_url(draw(found, f"{one.name} and {two.name}"), "PNG"),
        table=table,
    )


@router.get("/unique")
def unique(request: Request, edition: EditionOf, offset: Offset = 0) -> Response:
    """Show games that look like no other."""
    with stage("search"):
        found = edition.unique(Filter())
    more = link(request, offset=offset + PAGE) if len(found) > offset + PAGE else ""
    return page(request, "unique.html.jinja", found=found[offset : offset + PAGE], more=more)
