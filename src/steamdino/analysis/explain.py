"""Explains why two banners match: which parts they have in common, and what each part adds to the similarity.

These are two questions. Each is answered by a map over the cells (patches) of a picture.

*Which parts does the other picture have, too?* (`Side.weights`) Each cell is compared with all cells of the other
picture. Descriptors are centred on the mean of both pictures' cells, since what all cells share does not distinguish
them. A cell's cosine to another is then averaged with those of the cells around both, at the same offsets, because what
was copied was copied with its surroundings. A weight is the best such cosine to the power `POWER`, so that clear
matches stand out.

*What does each part add to the similarity?* (`Side.shares`) If the recipe's vector is a sum over cells, this is exact:
the shares of all cells and `Explanation.unlocated` add up to the similarity (see `features.cells`). For other recipes
(a CLS token alone, several scales, CLIP), parts of the picture are covered with its mean colour in turn, and a share is
what the similarity loses (occlusion; Zeiler, Fergus, arXiv 1311.2901). Such shares do not add up.

``benchmarks/explain.py`` pastes a piece of one banner into another, and measures how much of the weight and how many of
the matched regions lie in it.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from steamdino.analysis.cell_matching import COVERED, Map, covered, exact_shares, likeness
from steamdino.features.attention import attention
from steamdino.features.cells import CellEncoder, has_cells
from steamdino.features.encoder import Encoder
from steamdino.features.model_registry import model
from steamdino.features.transform import Pixels, content_box, prepare
from steamdino.recipe import Recipe

MOST = 10
"""Maximum number of matched regions."""

AROUND = 2
"""Maximum distance, in cells, between two pairs that count as near each other."""

POWER = 6
"""Exponent that turns a cosine into a weight."""

EXACT, OCCLUSION = "exact", "occlusion"


@dataclass(frozen=True, slots=True)
class MatchedRegions:
    """Two places that show the same thing: each is the other's best match.

    Attributes:
        first, second: (x, y) of the centre of a cell, as fractions of the width and height of the model's input.
        similarity: cosine of the two cells, with their surroundings.
    """

    first: tuple[float, float]
    second: tuple[float, float]
    similarity: float


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two pictures.

    Attributes:
        pixels: uint8, (height, width, 3): the model's input.
        weights: (rows, columns), at least 0: how well each cell matches the other picture.
        shares: (rows, columns): what each part adds to the similarity.
        attention: float32, (heads, rows, columns): attention of a vision transformer's heads; None for other models.
    """

    pixels: Pixels
    weights: Map
    shares: Map
    attention: NDArray[np.float32] | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why two pictures match.

    Attributes:
        recipe: the name of the recipe under which they were compared.
        similarity: their cosine.
        method: how the shares were computed: "exact" or "occlusion".
        unlocated: the part of the similarity that belongs to no cell of the first picture, but to its CLS token.
        first, second: the two pictures.
        pairs: regions that match, the most certain first.
    """

    recipe: str
    similarity: float
    method: str
    unlocated: float
    first: Side
    second: Side
    pairs: tuple[MatchedRegions, ...]


class Explainer:
    """Explains pairs of pictures under one recipe. Threads may share it."""

    def __init__(self, recipe: Recipe, *, whitening: Path | None = None) -> None:
        """Load the recipe's model.

        Raises:
            RecipeError: no known model can encode under the recipe.
            ModelError: a file of the model is missing or altered.
        """
        self._recipe = recipe
        self._model = model(recipe.model)
        self._whitening = whitening
        self._cells = CellEncoder(recipe, whitening=whitening) if has_cells(self._model) else None
        self._encoder: Encoder | None = None
        self._loading = threading.Lock()

    @property
    def colours(self) -> str:
        """How pictures must be decoded: `Transform.colours` of the recipe."""
        return self._recipe.transform.colours

    def __call__(self, first: Image.Image, second: Image.Image) -> Explanation:
        """Explain a pair of RGB pictures, decoded with `colours`."""
        transform = self._recipe.transform
        pixels = [prepare(image, transform) for image in (first, second)]
        maps = [self._attention(one) for one in pixels]
        if self._cells is None:
            similarity, shares = self._covered(pixels)
            sides = [Side(p, np.maximum(s, 0), s, m) for p, s, m in zip(pixels, shares, maps, strict=True)]
            return Explanation(self._recipe.name, similarity, OCCLUSION, 0.0, sides[0], sides[1], ())
        cells = [self._cells(one) for one in pixels]
        grid = cells[0].grid
        alike = likeness(cells[0], cells[1])
        alike[self._padding(first, grid)] = -1
        alike[:, self._padding(second, grid)] = -1
        weights = [np.maximum(alike.max(axis=axis), 0).reshape(grid) ** POWER for axis in (1, 0)]
        found = exact_shares(*cells)
        if found is None:
            similarity, shares = self._covered(pixels)
            method, unlocated = OCCLUSION, 0.0
        else:
            similarity, unlocated, shares = found
            method = EXACT
        sides = [Side(*one) for one in zip(pixels, weights, shares, maps, strict=True)]
        return Explanation(
            self._recipe.name, similarity, method, unlocated, sides[0], sides[1], _pairs(alike, grid)
        )

    def _attention(self, pixels: Pixels) -> NDArray[np.float32] | None:
        return attention(self._recipe, pixels) if self._model.family == "vit" else None

    def _padding(self, image: Image.Image, grid: tuple[int, int]) -> NDArray[np.bool_]:
        """Which cells have their centre in the padding around a picture: bool, shape (cells,)."""
        transform = self._recipe.transform
        left, top, right, bottom = content_box(image.size, transform)
        y = (np.arange(grid[0]) + 0.5) / grid[0] * transform.height
        x = (np.arange(grid[1]) + 0.5) / grid[1] * transform.width
        inside = np.logical_and.outer((top <= y) & (y < bottom), (left <= x) & (x < right))
        padding: NDArray[np.bool_] = ~inside.ravel()
        return padding

    def _covered(self, pixels: list[Pixels]) -> tuple[float, list[Map]]:
        """Compute the similarity, and for each picture what it loses when each part is covered."""
        encoder = self._covering()
        vectors = [_encoded(encoder, [one])[0] for one in pixels]
        similarity = float(np.clip(vectors[0] @ vectors[1], -1, 1))
        shares = []
        for own, other in ((0, 1), (1, 0)):
            without = _encoded(encoder, covered(pixels[own])) @ vectors[other]
            shares.append((similarity - without).reshape(COVERED))
        return similarity, shares

    def _covering(self) -> Encoder:
        """The encoder for covered pictures, created by the first thread that needs it."""
        if self._encoder is None:
            with self._loading:
                if self._encoder is None:
                    self._encoder = Encoder(self._recipe, whitening=self._whitening)
        return self._encoder


def _encoded(encoder: Encoder, pictures: list[Pixels]) -> Map:
    size = encoder.batch_size
    found = [encoder(pictures[start : start + size]) for start in range(0, len(pictures), size)]
    return np.concatenate(found).astype(np.float64)


def _pairs(alike: Map, grid: tuple[int, int]) -> tuple[MatchedRegions, ...]:
    """Find regions that are each other's best match, ranked by their cosine and by agreement with nearby pairs.

    A copied piece moves as a whole. So the cosine of a pair is multiplied by the number of other pairs near it with the
    same displacement, give or take a cell.
    """
    best, back = alike.argmax(axis=1), alike.argmax(axis=0)
    own = np.flatnonzero(back[best] == np.arange(len(best)))
    own = own[alike[own, best[own]] > 0]
    here, there = (np.stack(np.divmod(cells, grid[1]), axis=1) for cells in (own, best[own]))
    moved = there - here
    agree = (np.abs(moved[:, np.newaxis] - moved).max(axis=2) <= 1) & (
        np.abs(here[:, np.newaxis] - here).max(axis=2) <= AROUND
    )
    score = alike[own, best[own]] * (agree.sum(axis=1) - 1)
    chosen: list[int] = []
    for cell in own[np.argsort(-score, kind="stable")][: np.count_nonzero(score > 0)].tolist():
        if all(_apart(cell, other, grid) for other in chosen):
            chosen.append(cell)
        if len(chosen) == MOST:
            break
    return tuple(
        MatchedRegions(_middle(cell, grid), _middle(int(best[cell]), grid), float(alike[cell, best[cell]]))
        for cell in chosen
    )


def _apart(one: int, other: int, grid: tuple[int, int]) -> bool:
    """Whether two cells are not adjacent. Adjacent ones would show the same region twice."""
    down, across = (abs(a - b) for a, b in zip(divmod(one, grid[1]), divmod(other, grid[1]), strict=True))
    return max(down, across) > 1


def _middle(cell: int, grid: tuple[int, int]) -> tuple[float, float]:
    return (cell % grid[1] + 0.5) / grid[1], (cell // grid[1] + 0.5) / grid[0]
