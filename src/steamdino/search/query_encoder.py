"""Encodes what is not in a snapshot: query pictures and sentences become vectors under its recipe."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from steamdino.errors import PictureError, QueryError
from steamdino.recipe import Recipe
from steamdino.records import Crop

if TYPE_CHECKING:
    from steamdino.features.encoder import Encoder
    from steamdino.features.text_encoder import TextEncoder
    from steamdino.storage.location import Location


class QueryEncoder:
    """Encodes query pictures and sentences. Threads may share it.

    Each model is loaded once, when it is first needed. Threads that need it wait for that; nothing else does, since the
    lock is not held while a model runs.
    """

    def __init__(self, recipe: Recipe, *, whitening: Path | None, precision: str) -> None:
        """Prepare it; no model is loaded yet.

        Args:
            recipe: the recipe to encode under.
            whitening: file of the whitening that was learned on the gallery; None if the recipe has none.
            precision: inference precision: "f32", "bf16" or "auto".
        """
        self._recipe = recipe
        self._whitening = whitening
        self._precision = precision
        self._pictures: Encoder | None = None
        self._sentences: TextEncoder | None = None
        self._loading = threading.Lock()

    def picture(
        self, location: Location, *, mirror: bool = False, flip: bool = False, crop: Crop | None = None
    ) -> tuple[NDArray[np.float32], str]:
        """Encode the picture at a location.

        Args:
            location: where the picture is stored.
            mirror, flip: turn the picture left-right, top-bottom first.
            crop: the part of it to encode, before it is turned; None for all of it.

        Returns:
            the vector, float32, shape (dim,), unit length; and the sha256 of the picture's bytes.

        Raises:
            QueryError: it cannot be read as a picture, or the recipe makes no finite vector of it.
            UsageError: the crop is not inside the picture, or too small.
            RecipeError: the recipe cannot be encoded under.
        """
        from steamdino.banners.decode import decode
        from steamdino.features.transform import prepare, sufficient_size, turned
        from steamdino.search.crop_parser import cropped

        transform = self._recipe.transform
        try:
            content = location.read()
            # A part needs all of the picture's pixels, and its own size.
            image = decode(
                content.data, None if crop else sufficient_size(transform), colours=transform.colours
            )
        except PictureError as error:
            raise QueryError(f"{location.path or location.name}: {error}") from error
        if crop:
            image = cropped(image, _of_size(crop, content.data, image.size))
        pixels = prepare(turned(image, mirror=mirror, flip=flip), transform)
        vector: NDArray[np.float32] = self._picture_encoder()([pixels])[0]
        if not np.isfinite(vector).all():  # a stranger's recipe can leave the range of floats
            raise QueryError(f"the recipe {self._recipe.name!r} makes no vector of this picture; build again")
        return vector, content.sha256

    def sentence(self, text: str) -> NDArray[np.float32]:
        """Encode a sentence: float32, shape (dim,), unit length.

        Raises:
            UsageError: the recipe knows no words.
            ModelError: the model's text tower is not on this machine.
        """
        return self._text_encoder()(text)

    def _picture_encoder(self) -> Encoder:
        from steamdino.features.encoder import Encoder

        if self._pictures is None:
            with self._loading:
                if self._pictures is None:
                    self._pictures = Encoder(
                        self._recipe, whitening=self._whitening, precision=self._precision, batch_size=1
                    )
        return self._pictures

    def _text_encoder(self) -> TextEncoder:
        from steamdino.features.text_encoder import TextEncoder

        if self._sentences is None:
            with self._loading:
                if self._sentences is None:
                    self._sentences = TextEncoder(self._recipe)
        return self._sentences


def _of_size(crop: Crop, data: bytes, decoded: tuple[int, int]) -> Crop:
    """A part of a picture that may be so large that it was decoded at a part of its size."""
    from steamdino.banners.decode import header

    head = header(data)
    if not crop.pixels or (head.width, head.height) == decoded:
        return crop
    width, height = head.width, head.height
    return Crop(crop.x / width, crop.y / height, crop.width / width, crop.height / height, pixels=False)
