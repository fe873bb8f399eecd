"""The web pages: HTML rendered on the server, usable without scripts; htmx and a small script make them faster."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from steamdino.analysis.audit import Audit
from steamdino.banners.read import read_picture
from steamdino.errors import PictureError
from steamdino.present.display_text import closeness, printable, rarity
from steamdino.present.export.audit_report import unusual, verdict
from steamdino.present.export.explanation_drawing import heat, places
from steamdino.present.export.game_links import game_links
from steamdino.present.export.html_page import data_url
from steamdino.present.game_facts import facts, year
from steamdino.present.release_text import release_text
from steamdino.present.web import static
from steamdino.present.web.api import addresses
from steamdino.present.web.facet_chips import facets
from steamdino.present.web.filter_form import TypedFilterOf, understood
from steamdino.present.web.page_links import TURNS, carried, pager
from steamdino.present.web.parameters import LONGEST, CutoffOf, EditionOf, Offset, fetched, kept, served
from steamdino.present.web.picture_sources import srcset
from steamdino.present.web.root_path import base, below, own_path
from steamdino.present.web.timing import stage
from steamdino.records import HIDDEN_COLUMNS

PAGE = 24
"""Games per page."""
GROUPS = 12

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
        facts=facts,
        game_links=game_links,
        hidden_columns=HIDDEN_COLUMNS,
        rarity=rarity,
        year=year,
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
                onward=urlencode(carried(request)),
                turns=urlencode(carried(request, TURNS)),
                namesakes=values.pop("namesakes", frozenset()),
                recipes=found.recipes,
                fetches=request.app.state.fetch is not None,
                has_history=found.edition().folder is not None,
                base=base(request),
                static=lambda name: below(request, static.address(name)),
                here=own_path(request.scope),
                **values,
            )
        )
    return Response(text, status, media_type="text/html; charset=utf-8")


@router.get("/picture")
async def picture_form(request: Request) -> Response:
    """Show the form for a picture."""
    return page(request, "picture.html.jinja")


@router.post("/picture")
def picture(
    request: Request,
    edition: EditionOf,
    cutoff: CutoffOf,
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
        matches = edition.similar(path, PAGE, mirror=mirror, flip=flip, cutoff=cutoff)
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


@router.get("/duplicates")
def duplicates(request: Request, edition: EditionOf, typed: TypedFilterOf, offset: Offset = 0) -> Response:
    """Show duplicate banners: all groups, or those with a game that passes a filter."""
    form = understood(typed, edition.snapshot)
    with stage("search"):
        groups = edition.duplicates()
        if form.has_conditions:
            ids = edition.snapshot.ids
            allowed = {ids[row] for row in edition.snapshot.rows(form.only)}
            groups = [one for one in groups if any(member.game_id in allowed for member in one.members)]
    shown = [
        (group, [(member, edition.snapshot.game(member.game_id)) for member in group.members])
        for group in groups[offset : offset + GROUPS]
    ]
    return page(
        request,
        "duplicates.html.jinja",
        groups=shown,
        total=len(groups),
        facets=facets(request, edition.snapshot.counts, form),
        pager=pager(request, offset, GROUPS, len(shown), len(groups)),
    )


def _inline(path: Any) -> str:
    image = read_picture(path, (300, 450))
    image.thumbnail((300, 450))
    return data_url(image)
