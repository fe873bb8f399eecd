"""Routes for banners, scaled and re-encoded."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from steamdino.errors import PictureError, QueryError
from steamdino.present.web.api import GameId
from steamdino.present.web.etags import is_known
from steamdino.present.web.media_types import BINARY, OCTETS, accepted
from steamdino.present.web.parameters import LONGEST, EditionOf
from steamdino.present.web.problem_kinds import PROBLEMS
from steamdino.present.web.redraw import JPEG, WEBP, WIDTHS, Redraw, preferred, version_of
from steamdino.storage.location import Location

KEPT = "public, max-age=604800, immutable"
"""Cache-Control if the address names the content."""
CHECKED = "public, no-cache"
"""Cache-Control if the address names only the game, whose banner may change."""
RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {"content": {kind: {"schema": BINARY} for kind in (JPEG, WEBP, OCTETS)}},
    304: {"description": "It has not changed."},
}
WIDTHS_IN_WORDS = f"{', '.join(map(str, WIDTHS[:-1]))} or {WIDTHS[-1]} pixels."

Width = Annotated[int, Path(description=WIDTHS_IN_WORDS)]
Version = Annotated[
    str, Query(max_length=LONGEST, description="The version, as in the addresses of pictures.")
]

DRAWN = {"content": {kind: {"schema": BINARY} for kind in ("image/jpeg", OCTETS)}}
"""What FastAPI's routes declare for a picture."""

router = APIRouter(tags=["banners"], responses=PROBLEMS)


@router.get(
    "/banners/{width}/{game_id:path}",
    response_class=Response,
    responses=RESPONSES,
    operation_id="getBanner",
    summary="A banner",
)
def banner(request: Request, edition: EditionOf, game_id: GameId, width: Width, v: Version = "") -> Response:
    """Return a game's banner at the given width at most, as WebP if `Accept` names it, else as JPEG.

    With `v`, browsers may cache it for ever.
    """
    check_width(width)
    game = edition.snapshot.game(game_id)
    try:
        return drawn(request, game.location, game.sha256, width, v)
    except PictureError as error:
        raise QueryError(f"the banner of {game_id[:80]!r} cannot be shown: {error}") from None


def check_width(width: int) -> None:
    """Check that pictures are offered at a width.

    Raises:
        QueryError: they are not.
    """
    if width not in WIDTHS:
        raise QueryError(f"there is no width {width}; use one of: {', '.join(map(str, WIDTHS))}")


def drawn(request: Request, picture: Location | None, sha256: str, width: int, version: str) -> Response:
    """Return a scaled picture, or that the client has it already.

    Args:
        request: its Accept and If-None-Match headers count.
        picture: where it is; None if that is unknown.
        sha256: of its bytes, as it is known.
        width: in pixels.
        version: as the client knows it.

    Raises:
        PictureError: it cannot be read.
    """
    media_type = preferred(request.headers.get("accept", ""))
    current = version_of(sha256)
    headers = {
        "etag": f'"{current}-{width}-{media_type.removeprefix("image/")}"',
        "cache-control": KEPT if version == current else CHECKED,
        "vary": "Accept",
    }
    if is_known(headers["etag"], request.headers.get("if-none-match", "")):
        return Response(status_code=304, headers=headers)
    if picture is None:
        raise PictureError("it is not known where it lies")
    redraw: Redraw = request.app.state.redraw
    found = redraw.draw(picture, sha256, width, media_type)
    if not found.is_current:  # the file was replaced since the snapshot was built
        headers = {"cache-control": "no-store", "vary": "Accept"}
    return Response(found.data, headers=headers, media_type=accepted(request, media_type, OCTETS))
