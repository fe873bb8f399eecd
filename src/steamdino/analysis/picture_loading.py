"""Loads and decodes a gallery's pictures in threads."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from PIL import Image

from steamdino.banners.decode import decode
from steamdino.errors import PictureError
from steamdino.recipe import SRGB
from steamdino.records import Game

In = TypeVar("In")
Out = TypeVar("Out")

CHUNK = 64
"""Maximum number of results that wait in memory."""


def picture(game: Game, at_least: tuple[int, int] | None = None, *, colours: str = SRGB) -> Image.Image:
    """Load a game's banner.

    Args:
        game: of a snapshot.
        at_least: as in `banners.decode.decode`.
        colours: as in `recipe.Transform`.

    Raises:
        PictureError: it is missing, cannot be decoded, or has changed since the snapshot was built. The text names the
            game and no path, since it may be shown to strangers.
    """
    if game.location is None:
        raise PictureError(f"the snapshot does not know where the picture of {game.id!r} lies")
    try:
        content = game.location.read()
        if content.sha256 != game.sha256:
            raise PictureError("it has changed since the snapshot was built; add its source again and build")
        return decode(content.data, at_least, colours=colours)
    except PictureError as error:
        raise PictureError(f"the picture of {game.id!r}: {error}") from None


def each(work: Callable[[In], Out], items: Sequence[In], threads: int) -> Generator[Out, None, None]:
    """Map a function over items in threads; yield the results in the order of the items."""
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(items), CHUNK):
            yield from pool.map(work, items[start : start + CHUNK])
