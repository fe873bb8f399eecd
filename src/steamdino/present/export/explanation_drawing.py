"""An explanation of a match as a picture and as JSON."""

from __future__ import annotations

import colorsys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from steamdino.analysis.cell_matching import regions
from steamdino.analysis.explain import EXACT, Explanation, Side
from steamdino.present.display_text import printable
from steamdino.present.export.heatmap import over

HEIGHT = 330  # pixels of a tile
MARGIN, LABEL, TITLE = 12, 24, 40
DOT = 10  # pixels: radius
BACKGROUND, INK, QUIET, GOOD, BAD = (
    (23, 26, 33),
    (230, 235, 242),
    (151, 163, 180),
    (102, 192, 244),
    (240, 128, 110),
)
PLACES = (
    ("upper left", "top", "upper right"),
    ("left", "centre", "right"),
    ("lower left", "bottom", "lower right"),
)


def tile(side: Side, height: int = HEIGHT) -> Image.Image:
    """What the model sees of a picture, so many pixels high."""
    image = Image.fromarray(side.pixels)
    return image.resize((round(image.width * height / image.height), height), Image.Resampling.BICUBIC)


def heat(side: Side, height: int = HEIGHT) -> Image.Image:
    """Draw a heat map of where the picture matches the other."""
    return over(tile(side, height), side.weights.astype(np.float32))


def places(side: Side, points: Sequence[tuple[float, float]], height: int = HEIGHT) -> Image.Image:
    """Draw numbered points, given as fractions of width and height."""
    image, dot = tile(side, height), DOT * height / HEIGHT
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(12 * height / HEIGHT)
    for number, (x, y) in reversed(list(enumerate(points, 1))):
        place = (x * image.width, y * image.height)
        box = (place[0] - dot, place[1] - dot, place[0] + dot, place[1] + dot)
        pen.ellipse(box, fill=_colour(number), outline=(10, 12, 16), width=2)
        pen.text(place, str(number), (10, 12, 16), font, anchor="mm")
    return image


def shares(side: Side, similarity: float, height: int = HEIGHT) -> Image.Image:
    """Draw a picture in nine parts, each with its share of the similarity."""
    image = tile(side, height)
    dark = Image.blend(image, Image.new("RGB", image.size, BACKGROUND), 0.5)
    pen, font = ImageDraw.Draw(dark), ImageFont.load_default(15 * height / HEIGHT)
    for (row, column), value in np.ndenumerate(regions(side.shares)):
        left, top = column * image.width / 3, row * image.height / 3
        pen.rectangle((left, top, left + image.width / 3, top + image.height / 3), outline=BACKGROUND)
        middle = (left + image.width / 6, top + image.height / 6)
        pen.text(
            middle,
            amount(float(value), similarity),
            GOOD if value >= 0 else BAD,
            font,
            anchor="mm",
            stroke_width=2,
            stroke_fill=BACKGROUND,
        )
    return dark


def amount(value: float, similarity: float) -> str:
    """Format a part of a similarity: in percent, or as a number if the similarity is near 0."""
    return f"{round(100 * value / similarity)} %" if similarity > 0.05 else f"{value:+.3f}"


def draw(explanation: Explanation, title: str) -> Image.Image:
    """Draw the sheet: corresponding places, where both are alike, what each part adds, and where heads look."""
    one, two = explanation.first, explanation.second
    adds = "what each part adds" if explanation.method == EXACT else "what is lost without each part"
    blocks: list[tuple[str, list[Image.Image]]] = []
    if explanation.pairs:
        points = [[pair.first for pair in explanation.pairs], [pair.second for pair in explanation.pairs]]
        blocks.append(("the same in both", [places(one, points[0]), places(two, points[1])]))
    blocks.append(("where they are alike", [heat(one), heat(two)]))
    blocks.append((adds, [shares(one, explanation.similarity), shares(two, explanation.similarity)]))
    rows = [blocks]
    for name, side in (("the first", one), ("the second", two)):
        if side.attention is not None:
            rows.append(_looks(name, side, side.attention))
    return _sheet(title, rows)


def as_record(explanation: Explanation, names: Sequence[str], percentile: float | None) -> dict[str, Any]:
    """Return an explanation as a JSON-ready dict.

    Args:
        explanation: what to write.
        names: of the two pictures.
        percentile: of their similarity.
    """
    return {
        "recipe": explanation.recipe,
        "similarity": round(explanation.similarity, 6),
        "percentile": None if percentile is None else round(percentile, 5),
        "method": explanation.method,
        "unlocated": round(explanation.unlocated, 6),
        "pictures": [
            {
                "name": name,
                "regions": _named(regions(side.shares)),
                "shares": _rounded(side.shares),
                "weights": _rounded(side.weights),
            }
            for name, side in zip(names, (explanation.first, explanation.second), strict=True)
        ],
        "pairs": [
            {
                "first": [round(value, 4) for value in pair.first],
                "second": [round(value, 4) for value in pair.second],
                "similarity": round(pair.similarity, 4),
            }
            for pair in explanation.pairs
        ],
    }


def _named(values: NDArray[np.float64]) -> dict[str, float]:
    return {PLACES[row][column]: round(float(value), 6) for (row, column), value in np.ndenumerate(values)}


def _rounded(values: NDArray[np.float64]) -> list[list[float]]:
    rounded: list[list[float]] = np.round(values, 5).tolist()
    return rounded


def _looks(name: str, side: Side, maps: NDArray[np.float32]) -> list[tuple[str, list[Image.Image]]]:
    picture = tile(side)
    heads = [over(picture, one) for one in maps]
    return [(f"where all heads look, {name}", [over(picture, maps.mean(axis=0))]), ("each head", heads)]


def _sheet(title: str, rows: Sequence[Sequence[tuple[str, list[Image.Image]]]]) -> Image.Image:
    widths = [sum(MARGIN + image.width for _, images in row for image in images) + MARGIN for row in rows]
    sheet = Image.new("RGB", (max(widths), TITLE + len(rows) * (LABEL + HEIGHT + MARGIN)), BACKGROUND)
    pen = ImageDraw.Draw(sheet)
    pen.text((MARGIN, MARGIN), printable(title), INK, ImageFont.load_default(18))
    font = ImageFont.load_default(14)
    for number, row in enumerate(rows):
        x, y = MARGIN, TITLE + number * (LABEL + HEIGHT + MARGIN)
        for label, images in row:
            pen.text((x, y + 2), label, QUIET, font)
            for image in images:
                sheet.paste(image, (x, y + LABEL))
                x += image.width + MARGIN
    return sheet


def _colour(number: int) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(
        number * 0.381966 % 1, 0.55, 1.0
    )  # the golden angle keeps them apart
    return round(255 * red), round(255 * green), round(255 * blue)
