"""Lines of letters as masks: Pillow's own fonts with weight, letter-spacing and stretched height."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from steamdino.sample.canvas import SCALE


@dataclass(frozen=True, slots=True)
class Line:
    """One set line: its text, letter size in banner units, extent in pixels, and mask (L) with `pad` around."""

    text: str
    size: float
    width: float
    height: float
    mask: Image.Image
    pad: int = 0

    def narrowed(self, room: float) -> Line:
        """Return the line, reduced when it is wider than `room` pixels."""
        if self.width <= room:
            return self
        part = room / self.width
        size = (max(1, round(self.mask.width * part)), max(1, round(self.mask.height * part)))
        smaller = self.mask.resize(size, Image.Resampling.BOX)
        return Line(self.text, self.size * part, room, self.height * part, smaller, round(self.pad * part))


def set_line(
    text: str, size: float, weight: float, tracking: float, stretch: float, pixel: bool, measure: bool = False
) -> Line:
    """Set a line of letters of `size` banner units; `measure` leaves the mask out.

    The height is that of capitals (or of ascenders and descenders where the text has small letters), so
    that lines stand on each other without the font's own generous gaps.
    """
    if pixel:
        return _pixel_line(text, size, measure)
    pixels = size * SCALE
    font = _font(round(pixels))
    stroke = weight * pixels
    step = tracking * pixels
    low = any(letter in "gjpqy,;Q@$()" for letter in text)
    ascent = pixels * 0.72
    drop = pixels * 0.2 if low else 0.0
    places, x = [], 0.0
    for letter in text:
        places.append(x)
        x += font.getlength(letter) + step + stroke
    width = max(1.0, x - step)
    height = (ascent + drop + stroke) * stretch
    if measure or not text:
        return Line(text, size, width, height, Image.new("L", (1, 1)))
    pad = max(4, round(pixels * 0.12))
    mask = Image.new("L", (round(width) + 2 * pad, round(ascent + drop + stroke) + 2 * pad))
    pen = ImageDraw.Draw(mask)
    for letter, place in zip(text, places, strict=True):
        if letter != " ":
            spot = (pad + place + stroke / 2, pad + ascent + stroke / 2)
            pen.text(spot, letter, font=font, fill=255, anchor="ls", stroke_width=stroke / 2)
    if stretch != 1.0:
        # Only the letters grow taller; growing the padding with them keeps the arithmetic simple.
        mask = mask.resize((mask.width, round(mask.height * stretch)), Image.Resampling.BICUBIC)
        lean = round(pad * (stretch - 1))
        mask = mask.crop((0, lean, mask.width, mask.height - lean))
    return Line(text, size, width, height, mask, pad)


def _pixel_line(text: str, size: float, measure: bool) -> Line:
    small = _pixel_text(text)
    # Whole steps only: fractions of a pixel would make some strokes thicker than others.
    step = max(2, int(size * SCALE / 11))
    width, height = small.width * step, small.height * step
    if measure:
        return Line(text, size, small.width * size * SCALE / 11, small.height * size * SCALE / 11, small)
    mask = Image.new("L", (width + 8, height + 8))
    mask.paste(small.resize((width, height), Image.Resampling.NEAREST), (4, 4))
    return Line(text, size, float(width), float(height), mask, 4)


def _pixel_text(text: str) -> Image.Image:
    font = ImageFont.load_default_imagefont()
    box = font.getbbox(text or " ")
    small = Image.new("L", (max(1, int(box[2])), 16))
    ImageDraw.Draw(small).text((0, 0), text, font=font, fill=255)
    levels = np.asarray(small)
    rows = np.flatnonzero(levels.max(axis=1))
    columns = np.flatnonzero(levels.max(axis=0))
    if not len(rows):
        return small.crop((0, 0, 1, 1))
    return small.crop((int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1))


@cache
def _font(pixels: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(max(4, pixels))
    if not isinstance(font, ImageFont.FreeTypeFont):
        # Only a Pillow built without FreeType answers with a bitmap font here.
        raise TypeError("Pillow was built without FreeType: install an official Pillow wheel")
    return font
