"""Pages that list games: home, by filters, by name, by words, unique ones, and the tags and years to browse by."""

from __future__ import annotations

import math
from functools import partial
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from steamdino.features.text_encoder import has_words
from steamdino.index.name_folding import fold
from steamdino.present.game_facts import namesakes
from steamdino.present.web import page_metadata
from steamdino.present.web.api import any_game, filtered
from steamdino.present.web.facet_chips import facets
from steamdino.present.web.filter_form import FilterForm, TypedFilterOf, understood
from steamdino.present.web.page_links import carried, link, pager
from steamdino.present.web.pages import PAGE, page
from steamdino.present.web.parameters import DEEPEST, LONGEST, EditionOf, Offset, OnlyOf
from steamdino.present.web.ranked_matches import pager_of, ranked
from steamdino.present.web.root_path import below
from steamdino.present.web.served_snapshot import ServedSnapshot
from steamdino.present.web.timing import stage

SUGGESTED = 8

SIZES = 6
"""Sizes of the tags in the cloud."""

router = APIRouter(include_in_schema=False)

Typed = Annotated[str, Query(max_length=LONGEST)]


@router.get("/")
def home(
    request: Request, edition: EditionOf, typed: TypedFilterOf, q: Typed = "", offset: Offset = 0
) -> Response:
    """Show a search box, and games that differ from each other to start with; or what a search or a filter finds."""
    form = understood(typed, edition.snapshot)
    if q.strip():
        return _search(request, edition, form, q, offset)
    shown = facets(request, edition.snapshot.counts, form)
    if form.has_conditions:
        rows = edition.snapshot.counts.ranked(form.only)
        games = edition.snapshot.games(rows[offset : offset + PAGE])
        total = len(rows)
    else:
        games = edition.lists.varied(PAGE)
        offset, total = 0, len(games)
    return page(
        request,
        "home.html.jinja",
        about=page_metadata.of_home(request, len(edition.snapshot)),
        games=games,
        total=len(edition.snapshot),
        facets=shown,
        pager=pager(request, offset, PAGE, len(games), total),
        namesakes=namesakes(games),
    )


def _search(request: Request, edition: ServedSnapshot, form: FilterForm, q: str, offset: int) -> Response:
    """Show the games that match a name: the game itself if there is just one, else a list to choose from."""
    snapshot = edition.snapshot
    with stage("search"):
        exact = [] if form.has_conditions or offset else snapshot.named_exactly(q)
        rows = [] if len(exact) == 1 else snapshot.suggested(q, DEEPEST + PAGE, only=form.only)
        games = exact if len(exact) == 1 else snapshot.games(rows[offset : offset + PAGE])
    if len(games) == 1 and not offset and not form.has_conditions:
        path = below(request, f"/games/{quote(games[0].id, safe='')}")
        return RedirectResponse(link(request, path, q=None, offset=None) if carried(request) else path, 303)
    return page(
        request,
        "search.html.jinja",
        typed=q,
        games=games,
        facets=facets(request, snapshot.counts, form),
        pager=pager(request, offset, PAGE, len(games), len(rows)),
        words=has_words(snapshot.recipe),
        namesakes=namesakes(games),
    )


@router.get("/suggest")
async def suggest(request: Request, edition: EditionOf, q: Typed = "") -> Response:
    """Return suggestions for a name that is being typed, as a part of a page."""
    with stage("search"):
        found = edition.snapshot.suggest(q, SUGGESTED + 1) if q.strip() else []
    shown = found[:SUGGESTED]
    more = len(found) > SUGGESTED
    return page(
        request, "suggest.html.jinja", q=q.strip(), games=shown, more=more, namesakes=namesakes(shown)
    )


@router.get("/random")
async def surprise(request: Request, edition: EditionOf, only: OnlyOf) -> Response:
    """Redirect to a random game."""
    found = await filtered(only, partial(any_game, edition, only))
    path = below(request, f"/games/{quote(found.id, safe='')}")
    return RedirectResponse(path, 303, {"cache-control": "no-store"})


@router.get("/text")
def text(
    request: Request,
    edition: EditionOf,
    typed: TypedFilterOf,
    q: Annotated[str, Query(min_length=1, max_length=LONGEST)],
    offset: Offset = 0,
) -> Response:
    """Show games that match words."""
    form = understood(typed, edition.snapshot)
    matches = edition.text(q, offset + PAGE + 1, only=form.only, cutoff=form.cutoff)
    side = ranked(edition, matches, offset)
    return page(
        request,
        "words.html.jinja",
        typed=q,
        side=side,
        facets=facets(request, edition.snapshot.counts, form, minima=True),
        pager=pager_of(request, edition, form, matches, offset),
        namesakes=namesakes(side.games),
    )


@router.get("/unique")
def unique(request: Request, edition: EditionOf, typed: TypedFilterOf, offset: Offset = 0) -> Response:
    """Show games that look like no other."""
    form = understood(typed, edition.snapshot)
    with stage("search"):
        found = edition.lists.unique(form.only)
    shown = found[offset : offset + PAGE]
    return page(
        request,
        "unique.html.jinja",
        found=shown,
        facets=facets(request, edition.snapshot.counts, form),
        pager=pager(request, offset, PAGE, len(shown), len(found)),
        namesakes=namesakes(one.game for one in shown),
    )


@router.get("/browse")
def browse(request: Request, edition: EditionOf, typed: TypedFilterOf) -> Response:
    """Show all tags and years with the number of games that have them."""
    form = understood(typed, edition.snapshot)
    counts = edition.snapshot.counts(form.only)
    home = f"{request.scope.get('root_path', '')}/"
    chosen = {fold(tag) for tag in form.only.tags}
    largest = max(counts.tags.values(), default=1)
    tags = [
        (tag, count, link(request, home, tag=[*form.only.tags, tag]), _size(count, largest))
        for tag, count in sorted(counts.tags.items())
        if tag not in chosen
    ]
    most = max(counts.years.values(), default=1)
    years = [
        (year, count, link(request, home, released=year), _size(count, most))
        for year, count in reversed(counts.years.items())
    ]
    return page(
        request,
        "browse.html.jinja",
        tags=tags,
        years=years,
        facets=facets(request, edition.snapshot.counts, form),
    )


def _size(count: int, largest: int) -> int:
    """Return the size of a word in a cloud, from 1 to `SIZES`, by the logarithm of its count."""
    return 1 + round((SIZES - 1) * math.log1p(count) / math.log1p(max(largest, 1)))
