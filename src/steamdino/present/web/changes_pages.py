"""The page of what changed, and the pictures that only it shows."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from steamdino.errors import PictureError, QueryError
from steamdino.gallery.history import WHATS
from steamdino.present.export.changes_report import HEADINGS, grouped, import_line, summary
from steamdino.present.web.banner_routes import RESPONSES, Version, Width, check_width, drawn
from steamdino.present.web.changes_parameters import (
    ChangePictures,
    PeriodOf,
    WhatsOf,
    headers_of,
    tag_of,
    unchanged,
)
from steamdino.present.web.facet_chips import facets
from steamdino.present.web.filter_form import TypedFilterOf, understood
from steamdino.present.web.page_links import pager
from steamdino.present.web.pages import PAGE, page
from steamdino.present.web.parameters import LONGEST, EditionOf, Offset
from steamdino.present.web.problem_kinds import PROBLEMS
from steamdino.present.web.root_path import below
from steamdino.wellformed import is_sha256

router = APIRouter(responses=PROBLEMS)


@router.get("/changes", include_in_schema=False)
def changes(
    request: Request,
    edition: EditionOf,
    period: PeriodOf,
    whats: WhatsOf,
    typed: TypedFilterOf,
    since: Annotated[str, Query(max_length=40)] = "",
    until: Annotated[str, Query(max_length=40)] = "",
    offset: Offset = 0,
) -> Response:
    """Show what changed, with banners before and after."""
    form = understood(typed, edition.snapshot)
    tag = tag_of(request, edition, period.first, period.last)
    if (known := unchanged(request, tag)) is not None:
        return known
    with edition.lists.changes(period, form.only, whats) as found:
        shown = found.page(offset, PAGE)
    response = page(
        request,
        "changes.html.jinja",
        found=found,
        groups=grouped(shown),
        summary=summary(found.counts),
        imports=[import_line(one) for one in found.imports],
        headings=HEADINGS,
        pictures=ChangePictures(request, edition),
        in_words=_in_words,
        kinds=[(what, HEADINGS[what], found.counts[what], _only(request, what)) for what in WHATS],
        every=_only(request, ""),
        what=whats[0] if len(whats) == 1 else "",
        facets=facets(request, edition.snapshot.counts, form),
        since=since,
        until=until,
        pager=pager(request, offset, PAGE, len(shown), len(found)),
        feed=_feed(request),
    )
    response.headers.update(headers_of(tag))
    return response


@router.get(
    "/changes/pictures/{width}/{sha256}",
    tags=["banners"],
    response_class=Response,
    responses=RESPONSES,
    operation_id="getEarlierBanner",
    summary="An earlier banner",
)
def picture(
    request: Request,
    edition: EditionOf,
    sha256: Annotated[str, Path(max_length=LONGEST, description="SHA-256 of the picture's bytes.")],
    width: Width,
    v: Version = "",
) -> Response:
    """Return a banner that a game had before, or has without being in the snapshot, as `/banners` does."""
    check_width(width)
    with edition.gallery.open() as opened:
        place = opened.history.pictures([sha256]).get(sha256) if is_sha256(sha256) else None
    if place is None:
        raise QueryError(
            f"no picture of {sha256[:80]!r} is kept; earlier banners are kept by: sync --keep-old"
        )
    try:
        return drawn(request, place, sha256, width, v)
    except PictureError as error:
        raise QueryError(f"the picture {sha256} cannot be shown: {error}") from None


def _only(request: Request, what: str) -> str:
    """Return the address of the page with one kind of change, or with all."""
    kept = [
        (key, value) for key, value in request.query_params.multi_items() if key not in ("what", "offset")
    ]
    query = urlencode([*kept, *([("what", what)] if what else [])])
    return below(request, f"/changes?{query}" if query else "/changes")


def _feed(request: Request) -> str:
    """Return the address of the feed with the page's filters."""
    left_out = ("since", "until", "offset")
    kept = [
        (key, value)
        for key, value in request.query_params.multi_items()
        if key not in left_out and value.strip()
    ]
    return below(request, f"/changes.atom?{urlencode(kept)}" if kept else "/changes.atom")


def _in_words(day: str) -> str:
    """Return a day for people: "Friday, 27 November 2026"."""
    found = date.fromisoformat(day)
    return f"{found:%A}, {found.day} {found:%B %Y}"
