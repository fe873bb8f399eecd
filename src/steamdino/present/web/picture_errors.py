"""Errors of pictures, without the paths of this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from steamdino.banners.read import read_picture
from steamdino.errors import PictureError, QueryError
from steamdino.records import Game
from steamdino.search.query_vectors import QueryVector


def image_of(game: Game, *, colours: str) -> Image.Image:
    """Read a game's banner, with its colours decoded as in `recipe.Transform`.

    Raises:
        QueryError: it cannot be read.
    """
    try:
        if game.location is None:
            raise PictureError("it is not known")
        return read_picture(game.location, colours=colours)
    except PictureError as error:
        raise QueryError(f"the picture of {game.id!r} cannot be read: {error}") from None


@contextmanager
def without_path(query: str | Path | QueryVector) -> Iterator[None]:
    """Report why a picture cannot be read, without its path on this machine."""
    try:
        yield
    except QueryError as error:
        reason = error.__cause__
        if not isinstance(reason, PictureError):
            raise
        if isinstance(query, Path):
            raise PictureError(f"the picture cannot be read: {reason}") from None
        raise QueryError(f"the picture of {query!r} cannot be read: {reason}") from None
