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

from steamdino.analysis.cell_matching import regions
from steamdino.errors import PictureError, QueryError
from steamdino.present.export.explanation_drawing import PLACES, amount, draw
from steamdino.present.export.html_page import data_url
from steamdino.present.web.alterations import Mixing, kept_fields, part_chips, turn_chips
from steamdino.present.web.pages import PAGE, TAGS, link, page
from steamdino.present.web.parameters import (
    CropOfFields,
    EditionOf,
    Flip,
    Id,
    Mirror,
    MixtureOf,
    Offset,
    OnlyOf,
)
from steamdino.present.web.picture_cookie import COOKIE, OwnPicture, read
from steamdino.present.web.redraw import draw as redraw
from steamdino.present.web.served_snapshot import ServedSnapshot
from steamdino.present.web.upload_store import UploadStore
from steamdino.records import HIDDEN_COLUMNS, Crop, Filter
from steamdino.search.query_vectors import QueryVector
from steamdino.storage.location import LocalFile

PRIVATE = {"cache-control": "private, no-cache", "vary": "cookie"}
"""Of every page about somebody's picture: no cache between the browser and this server may keep it."""
GONE = "the picture itself is no longer on this server; send it again to see it, to search by a part of it or turn it"

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
    only: OnlyOf,
    own: PictureOf,
    crop: CropOfFields,
    mixture: MixtureOf,
    offset: Offset = 0,
    mirror: Mirror = False,
    flip: Flip = False,
) -> Response:
    """Show the games that look like somebody's picture."""
    file = store(request).find(own.secret)
    query = _query(edition, own, file, crop, mirror=mirror, flip=flip)
    wanted = offset + PAGE + 1
    matches = edition.similar(query, wanted, plus=mixture.plus, minus=mixture.minus, only=only)
    turned = [pair for pair in request.query_params.multi_items() if pair[0] in _TURNING]
    response = page(
        request,
        "pictured.html.jinja",
        name=own.name,
        base=f"/picture/{own.id}",
        has_file=file is not None,
        matches=matches[offset : offset + PAGE],
        more=link(request, offset=offset + PAGE) if len(matches) > offset + PAGE else "",
        chips=[
            *turn_chips(request, crop, mirror=mirror, flip=flip),
            *part_chips(request, mixture, matches.query.parts),
        ],
        why=f"/picture/{own.id}/why?{urlencode([*turned, ('b', '')])}",
        crop=crop,
        crop_kept=kept_fields(request, "crop"),
        kept=kept_fields(request, *_FILTERS),
        only=only,
        filtered=only != Filter(),
        hidden=HIDDEN_COLUMNS,
        mirror=mirror,
        flip=flip,
        tags=edition.snapshot.tags()[:TAGS],
        mix=Mixing.on(request),
    )
    response.headers.update(PRIVATE)
    return response


_TURNING = ("crop", "mirror", "flip", "recipe")
_FILTERS = (
    "tag",
    "released",
    "early_access",
    "upcoming",
    "min_reviews",
    "free",
    *HIDDEN_COLUMNS,
    "mirror",
    "flip",
)
"""The fields of the page's form."""


@router.get("/picture/{picture_id}/preview")
def preview(request: Request, own: PictureOf) -> Response:
    """Return somebody's picture, redrawn, to the browser that sent it."""
    file = store(request).find(own.secret)
    if file is None:
        raise QueryError(GONE)
    headers = {**PRIVATE, "cache-control": "private, max-age=3600"}
    return Response(redraw(LocalFile(file), 300), headers=headers, media_type="image/jpeg")


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
    found = edition.explain_picture(file, b, mirror=mirror, flip=flip, crop=crop)
    parts = [regions(side.shares) for side in (found.first, found.second)]
    response = page(
        request,
        "picture_why.html.jinja",
        name=own.name,
        back=_address(f"/picture/{own.id}", kept_fields(request, "b")),
        game=game,
        found=found,
        percentile=edition.snapshot.percentile(found.similarity),
        drawn=data_url(draw(found, f"your picture and {game.name}"), "PNG"),
        table=[
            (PLACES[row][column], *(amount(float(part[row, column]), found.similarity) for part in parts))
            for row in range(3)
            for column in range(3)
        ],
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
        PictureError: a new one is needed, and the picture is not here any more.
    """
    known = own.query()
    recipe = edition.snapshot.recipe
    # The cookie is a stranger's text: the recipe's hash may be right and the vector of another one's length.
    fits = known is not None and own.recipe == recipe.hash and len(known.vector) == recipe.dim
    if known and fits and not (crop or mirror or flip):
        return known
    if file is None:
        raise PictureError(GONE)
    return edition.encode(file, mirror=mirror, flip=flip, crop=crop)


def _address(path: str, parameters: list[tuple[str, str]]) -> str:
    return f"{path}?{urlencode(parameters)}" if parameters else path
