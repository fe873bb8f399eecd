"""Routes for banners, scaled and re-encoded."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from steamdino.errors import PictureError, QueryError
from steamdino.present.web.api import GameId
from steamdino.present.web.etags import is_known
from steamdino.present.web.media_types import BINARY, OCTETS, accepted
from steamdino.present.web.parameters import LONGEST, EditionOf
from steamdino.present.web.problem_kinds import PROBLEMS
from steamdino.present.web.redraw import draw, version_of

WIDTHS = (150, 300, 600)
KEPT = "public, max-age=604800, immutable"
"""Cache-Control if the address names the content."""
CHECKED = "public, no-cache"
"""Cache-Control if the address names only the game, whose banner may change."""

DRAWN = {"content": {kind: {"schema": BINARY} for kind in ("image/jpeg", OCTETS)}}
"""What FastAPI's routes declare for a picture."""

router = APIRouter(tags=["banners"], responses=PROBLEMS)


@router.get(
    "/banners/{width}/{game_id:path}",
    response_class=Response,
    responses={200: DRAWN, 304: {"description": "It has not changed."}},
    operation_id="getBanner",
    summary="A banner",
)
def banner(
    request: Request,
    edition: EditionOf,
    game_id: GameId,
    width: Annotated[int, Path(description="150, 300 or 600 pixels.")],
    v: Annotated[
        str, Query(max_length=LONGEST, description="The version, as in the addresses of pictures.")
    ] = "",
) -> Response:
    """Return a game's banner as JPEG of the given width at most. With `v`, browsers may cache it for ever."""
    if width not in WIDTHS:
        raise QueryError(f"there is no width {width}; use one of: {', '.join(map(str, WIDTHS))}")
    game = edition.snapshot.game(game_id)
    drawn = version_of(game.sha256)
    headers = {
        "etag": f'"{drawn}-{width}"',
        "cache-control": KEPT if v == drawn else CHECKED,
        "vary": "accept",
    }
    if is_known(headers["etag"], request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    try:
        if game.location is None:
            raise PictureError("it is not known where it lies")
        data = draw(game.location, width)
    except PictureError as error:
        raise QueryError(f"the banner of {game_id[:80]!r} cannot be shown: {error}") from None
    return Response(data, headers=headers, media_type=accepted(request, "image/jpeg", OCTETS))
