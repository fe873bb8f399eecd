"""The pages of a picture that somebody sends: a form, the games that look like it, and why.

A picture that arrives is encoded once. Its vector goes into a cookie that the browser sends back to that picture's own
pages only, so they can be reloaded, filtered and turned, whichever worker or server answers. What needs the picture's
pixels (showing it, a part of it, mirroring, "Why?") finds a re-encoded copy in the `UploadStore`, for a while.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from steamdino.errors import QueryError
from steamdino.present.game_facts import namesakes
from steamdino.present.web.alterations import Mixing, kept_fields, part_alterations, turn_alterations
from steamdino.present.web.explanation_views import cut, explanation_values
from steamdino.present.web.facet_chips import facets
from steamdino.present.web.filter_form import TypedFilterOf, understood
from steamdino.present.web.page_links import FILTERS, MINIMA, TURNS, carried, link
from steamdino.present.web.pages import PAGE, page
from steamdino.present.web.parameters import CropOfFields, EditionOf, Flip, Id, Mirror, MixtureOf, Offset
from steamdino.present.web.picture_cookie import COOKIE, OwnPicture, read
from steamdino.present.web.ranked_matches import pager_of, ranked
from steamdino.present.web.redraw import JPEG, encoded
from steamdino.present.web.root_path import below
from steamdino.present.web.served_snapshot import ServedSnapshot
from steamdino.present.web.upload_store import UploadStore
from steamdino.records import Crop
from steamdino.search.query_vectors import QueryVector

PRIVATE = {"cache-control": "private, no-cache", "vary": "cookie"}
"""Of every page about somebody's picture: no cache between the browser and this server may keep it."""
GONE = "the picture itself is no longer on this server; send it again to see it, to search by a part of it or turn it"
AUDIT_GONE = "the audit is no longer on this server; send the picture again"

router = APIRouter(include_in_schema=False)


def store(request: Request) -> UploadStore:
    """Return where uploads are kept."""
    found: UploadStore = request.app.state.uploads
    return found


async def own_picture(request: Request, picture_id: str) -> OwnPicture:
    """Return the picture of an address, from the browser's cookie.

    Raises:
        QueryError: this browser did not send it, or has forgotten it.
    """
    found = read(request.cookies.get(COOKIE, ""))
    if found is None or found.id != picture_id:
        raise QueryError(
            "only the browser that sent this picture can open its page, for a day; send the picture again at /picture"
        )
    return found


PictureOf = Annotated[OwnPicture, Depends(own_picture)]


@router.get("/picture/{picture_id}")
def pictured(
    request: Request,
    edition: EditionOf,
    typed: TypedFilterOf,
    own: PictureOf,
    crop: CropOfFields,
    mixture: MixtureOf,
    offset: Offset = 0,
    mirror: Mirror = False,
    flip: Flip = False,
) -> Response:
    """Show the games that look like somebody's picture."""
    form = understood(typed, edition.snapshot)
    file = store(request).find(own.secret)
    query = _query(edition, own, file, crop, mirror=mirror, flip=flip)
    matches = edition.similar(
        query,
        offset + PAGE + 1,
        plus=mixture.plus,
        minus=mixture.minus,
        only=form.only,
        cutoff=form.cutoff,
    )
    side = ranked(edition, matches, offset)
    parts = [part.query.game.id for part in matches.query.parts if part.query.game]
    place = below(request, f"/picture/{own.id}")
    turned = carried(request, ("recipe", *TURNS))
    response = page(
        request,
        "pictured.html.jinja",
        name=own.name,
        place=place,
        preview=f"{place}/preview" if file else "",
        side=side,
        facets=facets(request, edition.snapshot.counts, form, minima=True),
        pager=pager_of(request, edition, form, matches, offset, parts),
        alterations=[
            *turn_alterations(request, crop, mirror=mirror, flip=flip),
            *part_alterations(request, mixture, matches.query.parts),
        ],
        # Of a mixture, the picture alone explains nothing.
        why="" if file is None or mixture else f"{place}/why?{urlencode([*turned, ('b', '')])}",
        crop=crop,
        crop_kept=kept_fields(request, "crop"),
        kept=kept_fields(request, *FILTERS, *MINIMA, "mirror", "flip"),
        mirror=mirror,
        flip=flip,
        mix=Mixing.on(request),
        namesakes=namesakes(side.games),
    )
    response.headers.update(PRIVATE)
    return response


@router.get("/picture/{picture_id}/preview")
def preview(request: Request, own: PictureOf) -> Response:
    """Return somebody's picture, redrawn, to the browser that sent it."""
    file = store(request).find(own.secret)
    if file is None:
        raise QueryError(GONE)
    headers = {**PRIVATE, "cache-control": "private, max-age=3600"}
    return Response(encoded(file.read_bytes(), 300, JPEG), headers=headers, media_type=JPEG)


@router.get("/picture/{picture_id}/audit")
def audit(request: Request, own: PictureOf) -> Response:
    """Show the audit of somebody's draft again, to the browser that sent it."""
    file = store(request).find_audit(own.secret)
    if file is None:
        raise QueryError(AUDIT_GONE)
    return Response(file.read_bytes(), headers=PRIVATE, media_type="text/html; charset=utf-8")


@router.get("/picture/{picture_id}/why")
def why(
    request: Request,
    edition: EditionOf,
    own: PictureOf,
    crop: CropOfFields,
    b: Id,
    mirror: Mirror = False,
    flip: Flip = False,
) -> Response:
    """Show why somebody's picture and a game match."""
    file = store(request).find(own.secret)
    if file is None:
        raise QueryError(GONE)
    game = edition.snapshot.game(b)
    similarity = edition.snapshot.similarity(_query(edition, own, file, crop, mirror=mirror, flip=flip), b)
    found = edition.explain_picture(file, b, mirror=mirror, flip=flip, crop=crop)
    response = page(
        request,
        "picture_why.html.jinja",
        name=own.name,
        back=link(request, below(request, f"/picture/{own.id}"), b=None),
        game=game,
        cut=cut(found),
        namesakes=namesakes([game]),
        **explanation_values(found, edition.snapshot, similarity),
    )
    response.headers.update(PRIVATE)
    return response


def _query(
    edition: ServedSnapshot,
    own: OwnPicture,
    file: Path | None,
    crop: Crop | None,
    *,
    mirror: bool,
    flip: bool,
) -> QueryVector:
    """Return what to search by: the vector that the browser keeps, or a new one.

    Raises:
        QueryError: a new one is needed, and the picture is not here any more.
    """
    known = own.query()
    recipe = edition.snapshot.recipe
    # The cookie is a stranger's text: the recipe's hash may be right and the vector of another one's length.
    fits = known is not None and own.recipe == recipe.hash and len(known.vector) == recipe.dim
    if known and fits and not (crop or mirror or flip):
        return known
    if file is None:
        raise QueryError(GONE)
    return edition.encode(file, mirror=mirror, flip=flip, crop=crop)
