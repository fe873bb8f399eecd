"""Banners, scaled: drawn anew from the gallery's files, so that no stranger's bytes reach a browser."""

from __future__ import annotations

import io

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response
from PIL import Image

from steamdino.banners.decode import decode
from steamdino.banners.read import read
from steamdino.errors import PictureError, QueryError
from steamdino.present.web.api import PROBLEMS, GameId
from steamdino.present.web.asked import EditionOf

WIDTHS = (150, 300, 600)
QUALITY = 85
KEPT = "public, max-age=604800, immutable"
"""The address names the picture's content."""

router = APIRouter(tags=["banners"], responses=PROBLEMS)


@router.get(
    "/banners/{width}/{game_id:path}",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}, 304: {"description": "It has not changed."}},
    summary="A banner",
)
def banner(
    request: Request,
    edition: EditionOf,
    game_id: GameId,
    width: int = Path(description="150, 300 or 600 pixels."),
) -> Response:
    """A game's banner as JPEG, at most so wide and twice as high."""
    if width not in WIDTHS:
        raise QueryError(f"there is no width {width}; there are: {', '.join(map(str, WIDTHS))}")
    game = edition.snapshot.game(game_id)
    headers = {"etag": f'"{game.sha256[:16]}-{width}"', "cache-control": KEPT}
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    try:
        if game.picture is None:
            raise PictureError("it is not known where it lies")
        image = decode(read(game.picture).data, (width, 2 * width))
    except PictureError as error:
        detail = str(error).replace(str(game.picture), "it")
        raise QueryError(f"the banner of {game_id[:80]!r} cannot be shown: {detail}") from None
    image.thumbnail((width, 2 * width), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=QUALITY)
    return Response(buffer.getvalue(), headers=headers, media_type="image/jpeg")
