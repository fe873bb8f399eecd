"""The web pages: HTML rendered on the server, usable without scripts; htmx and a small script make them faster."""

from __future__ import annotations

from functools import cache, partial
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, File, Form, Path, Query, Request, UploadFile
from fastapi.responses import RedirectResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from steamdino.analysis.audit import Audit
from steamdino.analysis.cell_matching import regions
from steamdino.banners.read import read_picture
from steamdino.errors import PictureError
from steamdino.features.text_encoder import has_words
from steamdino.present.display_text import closeness, printable
from steamdino.present.export.audit_report import unusual, verdict
from steamdino.present.export.explanation_drawing import PLACES, amount, draw, heat, places
from steamdino.present.export.game_links import game_links
from steamdino.present.export.html_page import data_url
from steamdino.present.release_text import release_text
from steamdino.present.web import page_metadata, static
from steamdino.present.web.api import addresses, any_game, filtered
from steamdino.present.web.parameters import (
    LONGEST,
    EditionOf,
    Flip,
    Id,
    Mirror,
    Offset,
    OnlyOf,
    fetched,
    kept,
    served,
)
from steamdino.present.web.picture_sources import srcset
from steamdino.present.web.served_snapshot import ServedSnapshot
from steamdino.present.web.timing import stage
from steamdino.records import HIDDEN_COLUMNS, Filter

PAGE = 24
"""Games per page."""
SUGGESTED = 8
GROUPS = 12
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
        srcset=srcset,
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
    total = len(edition.snapshot)
    about = page_metadata.of_home(request, total)
    return page(request, "home.html.jinja", games=edition.varied(PAGE), total=total, about=about)


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
    matches = edition.similar(game_id, wanted, mirror=mirror, flip=flip, only=only)
    others = other.similar(game_id, wanted, mirror=mirror, flip=flip, only=only) if other else None
    return page(
        request,
        "game.html.jinja",
        game=own,
        about=page_metadata.of_game(request, own, [match.game for match in matches]),
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
    )


def link(request: Request, **changed: Any) -> str:
    """Return the address of the requested page with some parameters changed."""
    kept_ones = [(key, value) for key, value in request.query_params.multi_items() if key not in changed]
    return f"{request.url.path}?{urlencode([*kept_ones, *changed.items()])}"


@router.get("/picture")
async def picture_form(request: Request) -> Response:
    """Show the form for a picture."""
    return page(request, "picture.html.jinja")


@router.post("/picture")
def picture(
    request: Request,
    edition: EditionOf,
    picture: Annotated[UploadFile | None, File()] = None,
    address: Annotated[str, Form(max_length=2000)] = "",
    do: Annotated[str, Form(max_length=20)] = "similar",
    tag: Annotated[str, Form(max_length=LONGEST)] = "",
    mirror: Annotated[bool, Form()] = False,
    flip: Annotated[bool, Form()] = False,
) -> Response:
    """Show what an uploaded picture, or one given by address, looks like; the picture is not stored."""
    if picture is not None and picture.filename:
        name, source = printable(picture.filename)[:80], kept(picture)
    elif address.strip():
        name, source = (
            printable(address.strip().rsplit("/", 1)[-1])[:80] or "your picture",
            fetched(request, address.strip()),
        )
    else:
        raise PictureError("no picture was sent; choose one")
    with source as path:
        if do == "audit":
            found = edition.audit(path, [tag] if tag.strip() else [], PAGE)
            return _audit_page(request, found, name, _inline(path))
        matches = edition.similar(path, PAGE, mirror=mirror, flip=flip)
        shown = _inline(path)
    return page(
        request, "pictured.html.jinja", name=name, shown=shown, matches=matches, mirror=mirror, flip=flip
    )


def _audit_page(request: Request, found: Audit, name: str, shown: str) -> Response:
    why = found.explanation
    pictures: list[tuple[str, str]] = []
    if why and why.pairs:
        sides = (
            (why.first, [pair.first for pair in why.pairs]),
            (why.second, [pair.second for pair in why.pairs]),
        )
        pictures = [("matching places in both", data_url(places(side, points))) for side, points in sides]
    if why:
        pictures += [("alike", data_url(heat(side))) for side in (why.first, why.second)]
    return page(
        request,
        "audit.html.jinja",
        name=name,
        shown=shown,
        audit=found,
        verdict=verdict(found),
        standings=[(unusual(one), one.percentile) for one in found.standings],
        why=pictures,
    )


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


@router.get("/duplicates")
def duplicates(request: Request, edition: EditionOf, offset: Offset = 0) -> Response:
    """Show duplicate banners."""
    with stage("search"):
        groups = edition.duplicates()
    shown = [
        (group, [(member, edition.snapshot.game(member.game_id)) for member in group.members])
        for group in groups[offset : offset + GROUPS]
    ]
    more = link(request, offset=offset + GROUPS) if len(groups) > offset + GROUPS else ""
    return page(request, "duplicates.html.jinja", groups=shown, total=len(groups), more=more)


def _inline(path: Any) -> str:
    image = read_picture(path, (300, 450))
    image.thumbnail((300, 450))
    return data_url(image)
