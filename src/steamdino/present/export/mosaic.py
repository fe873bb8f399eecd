"""A grid of labelled banners as one PNG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from steamdino.banners.read import read_picture
from steamdino.errors import PictureError, UsageError
from steamdino.present.display_text import printable
from steamdino.records import Matches
from steamdino.storage.location import Location
from steamdino.storage.output import is_stream, writing

TILE = (150, 225)  # pixels: a vertical banner at half its size
MARGIN, LINE, TITLE = 12, 20, 34
ACROSS = 5
GROUND, PANEL, INK, QUIET = (20, 24, 31), (12, 15, 20), (230, 235, 242), (151, 163, 180)
MOST_PIXELS = 1 << 28
"""Maximum size of a sheet that other programs still open."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One banner of a sheet.

    Attributes:
        picture: where it is; None where there is none.
        label: the line below it.
        quiet: a second line, in a quiet colour.
    """

    picture: Path | Location | None
    label: str
    quiet: str = ""


def of_matches(matches: Matches) -> list[Tile]:
    """Return a query and its matches as tiles, query first."""
    game = matches.query.game
    query = Tile(matches.query.location, game.name if game else matches.query.text, "the query")
    return [query, *(Tile(one.game.location, one.name, f"{one.similarity:.3f}") for one in matches)]


def check_png(path: Path) -> None:
    """Check in advance whether a file can be one; standard output and pipes can.

    Raises:
        UsageError: the name does not end in .png.
    """
    if path.suffix.lower() != ".png" and not is_stream(path):
        raise UsageError(f"{path} does not end in .png; name another file")


def write_png(path: Path, picture: Image.Image, option: str = "-o") -> None:
    """Write a PNG.

    Args:
        path: see `storage.output`.
        picture: what to write.
        option: that named the file, for error messages.

    Raises:
        UsageError: the name does not end in .png.
        OutputError: the file cannot be written.
    """
    check_png(path)
    with writing(path, option) as file:
        picture.save(file, "PNG")


def mosaic(tiles: Sequence[Tile], title: str, *, across: int = ACROSS, lead: int = 0) -> Image.Image:
    """Draw tiles in rows.

    Args:
        tiles: in their order.
        title: heading of the sheet.
        across: tiles in a row.
        lead: number of tiles in a row of their own at the top, such as a query above its matches.

    Raises:
        UsageError: the sheet would be too large.
    """
    rows = [tiles[:lead], *_rows(tiles[lead:], across)] if lead else _rows(tiles, across)
    width = MARGIN + across * (TILE[0] + MARGIN)
    height = TITLE + MARGIN + len(rows) * (TILE[1] + 2 * LINE + MARGIN)
    if width * height > MOST_PIXELS:
        raise UsageError(f"a sheet of {len(tiles):,} banners would be too large; ask for fewer with -n")
    sheet = Image.new("RGB", (width, height), GROUND)
    pen = ImageDraw.Draw(sheet)
    large, small = ImageFont.load_default(18), ImageFont.load_default(13)
    pen.text((MARGIN, MARGIN), _fitting(title, large, width - 2 * MARGIN), INK, large)
    for number, row in enumerate(rows):
        y = TITLE + MARGIN + number * (TILE[1] + 2 * LINE + MARGIN)
        for place, tile in enumerate(row):
            x = MARGIN + place * (TILE[0] + MARGIN)
            _paste(sheet, tile.picture, (x, y))
            pen.text((x, y + TILE[1] + 3), _fitting(tile.label, small, TILE[0]), INK, small)
            pen.text((x, y + TILE[1] + LINE), _fitting(tile.quiet, small, TILE[0]), QUIET, small)
    return sheet


def thumbnail(place: Path | Location | None, size: tuple[int, int]) -> Image.Image | None:
    """Scale a picture to fit a size, keeping its aspect ratio; return None if it is unreadable."""
    if place is None:
        return None
    try:
        image = read_picture(place, size)
    except PictureError:
        return None
    scale = min(size[0] / image.width, size[1] / image.height)
    fitted = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(fitted, Image.Resampling.BICUBIC)


def _rows(tiles: Sequence[Tile], across: int) -> list[Sequence[Tile]]:
    return [tiles[start : start + across] for start in range(0, len(tiles), across)]


def _paste(sheet: Image.Image, picture: Path | Location | None, place: tuple[int, int]) -> None:
    x, y = place
    sheet.paste(PANEL, (x, y, x + TILE[0], y + TILE[1]))
    image = thumbnail(picture, TILE)
    if image:
        sheet.paste(image, (x + (TILE[0] - image.width) // 2, y + (TILE[1] - image.height) // 2))


def _fitting(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    """Shorten a text to a width in pixels."""
    text = printable(text)
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"
