"""A canvas with shapes, gradients, glows and grain in banner units (300 wide, 450 high)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from random import Random
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from steamdino.sample.palette import Colour

WIDTH, HEIGHT = 300, 450
# Everything is drawn twice as large and reduced once at the end, which makes the edges smooth.
SCALE = 2

Point: TypeAlias = tuple[float, float]


class Canvas:
    """One banner being drawn; every position and size is in banner units."""

    def __init__(self, background: Colour = (0, 0, 0)) -> None:
        self.image = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), background)
        self._draw = ImageDraw.Draw(self.image, "RGBA")

    def polygon(self, points: Sequence[Point], colour: Colour, alpha: float = 1.0) -> None:
        """Fill a polygon."""
        self._draw.polygon([(x * SCALE, y * SCALE) for x, y in points], fill=_ink(colour, alpha))

    def line(self, points: Sequence[Point], colour: Colour, width: float = 1.0, alpha: float = 1.0) -> None:
        """Draw a line through the points, with rounded joints."""
        flat = [(x * SCALE, y * SCALE) for x, y in points]
        self._draw.line(flat, fill=_ink(colour, alpha), width=max(1, round(width * SCALE)), joint="curve")

    def ellipse(self, x: float, y: float, rx: float, ry: float, colour: Colour, alpha: float = 1.0) -> None:
        """Fill an ellipse around (x, y)."""
        self._draw.ellipse(_box(x - rx, y - ry, x + rx, y + ry), fill=_ink(colour, alpha))

    def disc(self, x: float, y: float, radius: float, colour: Colour, alpha: float = 1.0) -> None:
        """Fill a circle around (x, y)."""
        self.ellipse(x, y, radius, radius, colour, alpha)

    def ring(
        self, x: float, y: float, radius: float, colour: Colour, width: float = 1.0, alpha: float = 1.0
    ) -> None:
        """Draw a circle's rim around (x, y)."""
        box = _box(x - radius, y - radius, x + radius, y + radius)
        self._draw.ellipse(box, outline=_ink(colour, alpha), width=max(1, round(width * SCALE)))

    def arc(
        self,
        box: tuple[float, float, float, float],
        start: float,
        end: float,
        colour: Colour,
        width: float = 1.0,
    ) -> None:
        """Draw part of an ellipse's rim, between two angles in degrees, clockwise from the right."""
        self._draw.arc(_box(*box), start, end, fill=colour, width=max(1, round(width * SCALE)))

    def rectangle(
        self, box: tuple[float, float, float, float], colour: Colour, alpha: float = 1.0, corner: float = 0.0
    ) -> None:
        """Fill a rectangle (left, top, right, bottom), its corners rounded by `corner`."""
        if corner:
            self._draw.rounded_rectangle(_box(*box), corner * SCALE, fill=_ink(colour, alpha))
        else:
            self._draw.rectangle(_box(*box), fill=_ink(colour, alpha))

    def gradient(self, stops: Sequence[Colour], top: float = 0.0, bottom: float = HEIGHT) -> None:
        """Fill the band between two heights with a vertical gradient of evenly spaced colours."""
        band = _column(stops, round((bottom - top) * SCALE)).resize(
            (WIDTH * SCALE, round((bottom - top) * SCALE)), Image.Resampling.NEAREST
        )
        self.image.paste(band, (0, round(top * SCALE)))

    def shade(
        self,
        draw_mask: Callable[[ImageDraw.ImageDraw], None],
        stops: Sequence[Colour],
        box: tuple[float, float, float, float],
        alpha: float = 1.0,
    ) -> None:
        """Fill what `draw_mask` draws with a vertical gradient over `box`; it draws in pixels, with `box` at (0, 0)."""
        left, top, right, bottom = (round(edge * SCALE) for edge in box)
        size = (max(1, right - left), max(1, bottom - top))
        mask = Image.new("L", size, 0)
        draw_mask(ImageDraw.Draw(mask))
        if alpha < 1.0:
            mask = mask.point([round(level * alpha) for level in range(256)])
        self.image.paste(_column(stops, size[1]).resize(size, Image.Resampling.NEAREST), (left, top), mask)

    def shaded_polygon(self, points: Sequence[Point], stops: Sequence[Colour], alpha: float = 1.0) -> None:
        """Fill a polygon with a vertical gradient that spans its own height."""
        left, top = min(x for x, _ in points), max(-40.0, min(y for _, y in points))
        right, bottom = max(x for x, _ in points), min(HEIGHT + 40.0, max(y for _, y in points))
        flat = [((x - left) * SCALE, (y - top) * SCALE) for x, y in points]
        self.shade(lambda pen: pen.polygon(flat, fill=255), stops, (left, top, right, bottom), alpha)

    def shaded_disc(
        self, x: float, y: float, radius: float, stops: Sequence[Colour], alpha: float = 1.0
    ) -> None:
        """Fill a circle with a vertical gradient."""
        side = 2 * radius * SCALE
        self.shade(
            lambda pen: pen.ellipse((0, 0, side - 1, side - 1), fill=255),
            stops,
            (x - radius, y - radius, x + radius, y + radius),
            alpha,
        )

    def glow(
        self, x: float, y: float, radius: float, colour: Colour, strength: float = 1.0, flat: float = 1.0
    ) -> None:
        """Add light around (x, y) that fades out at `radius`; `flat` under 1 squeezes it vertically."""
        width, height = round(2 * radius * SCALE), max(2, round(2 * radius * flat * SCALE))
        left, top = round((x - radius) * SCALE), round((y - radius * flat) * SCALE)
        box = (max(0, left), max(0, top), min(WIDTH * SCALE, left + width), min(HEIGHT * SCALE, top + height))
        if box[0] >= box[2] or box[1] >= box[3]:
            return
        light = Image.merge(
            "RGB",
            [
                _halo().point([round(level * part / 255 * strength) for level in range(256)])
                for part in colour
            ],
        )
        inside = (
            (box[0] - left) / width * 64,
            (box[1] - top) / height * 64,
            (box[2] - left) / width * 64,
            (box[3] - top) / height * 64,
        )
        patch = light.resize((box[2] - box[0], box[3] - box[1]), Image.Resampling.BILINEAR, box=inside)
        self.image.paste(ImageChops.screen(self.image.crop(box), patch), box[:2])

    def veil(self, colour: Colour, stops: Sequence[float], top: float = 0.0, bottom: float = HEIGHT) -> None:
        """Cover a band with a colour whose opacity (0 to 1) runs through `stops` from top to bottom."""
        height = round((bottom - top) * SCALE)
        levels = np.interp(np.linspace(0, 1, height), np.linspace(0, 1, len(stops)), np.array(stops) * 255)
        mask = Image.fromarray(levels.astype(np.uint8)[:, None]).resize(
            (WIDTH * SCALE, height), Image.Resampling.NEAREST
        )
        self.image.paste(colour, (0, round(top * SCALE), WIDTH * SCALE, round(top * SCALE) + height), mask)

    def clouds(
        self, rng: Random, colour: Colour, strength: float, stretch: float = 1.0, bias: float = 0.45
    ) -> None:
        """Cover the banner with soft noise in one colour; `stretch` over 1 makes streaks lie flat."""
        self.image.paste(colour, (0, 0), noise_mask(rng, strength, stretch, bias))

    def blur(self, radius: float) -> None:
        """Blur everything drawn so far."""
        small = self.image.reduce(2).filter(ImageFilter.GaussianBlur(radius * SCALE / 2))
        self.image.paste(small.resize(self.image.size, Image.Resampling.BILINEAR))

    def mirror(self) -> None:
        """Flip everything drawn so far left to right."""
        self.image.paste(self.image.transpose(Image.Transpose.FLIP_LEFT_RIGHT))

    def finished(self, rng: Random, grain: float = 6.0, vignette: float = 0.35) -> Image.Image:
        """Return the banner (RGB, 300 x 450) with film grain (levels) and dark corners (0 to 1) added."""
        pixels = np.asarray(self.image.reduce(SCALE), dtype=np.float32)
        tile = np.roll(_grain(), (rng.randrange(HEIGHT), rng.randrange(WIDTH)), (0, 1))
        pixels = pixels * (1.0 - vignette * _corners()) + tile * grain
        return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def noise_mask(rng: Random, strength: float, stretch: float = 1.0, bias: float = 0.45) -> Image.Image:
    """Return a mask (L, the canvas's size) of clouds: three octaves of noise above the level `bias`."""
    numbers = np.random.default_rng(rng.getrandbits(32))
    total = np.zeros((75, 50), dtype=np.float32)
    for cells, weight in ((4, 0.55), (9, 0.3), (19, 0.15)):
        rows, columns = max(2, round(cells * 1.5 * stretch)), cells
        octave = Image.fromarray(numbers.random((rows, columns), dtype=np.float32))
        total += weight * np.asarray(octave.resize((50, 75), Image.Resampling.BICUBIC))
    levels = np.clip((total - bias) / (1 - bias) * 2.2, 0, 1) * strength * 255
    mask = Image.fromarray(levels.astype(np.uint8))
    return mask.resize((WIDTH * SCALE, HEIGHT * SCALE), Image.Resampling.BICUBIC)


def _ink(colour: Colour, alpha: float) -> tuple[int, int, int, int]:
    return (*colour, round(255 * min(1.0, max(0.0, alpha))))


def _box(left: float, top: float, right: float, bottom: float) -> tuple[float, float, float, float]:
    # Pillow refuses a box whose corners are swapped, which rounding can produce for thin shapes.
    return left * SCALE, top * SCALE, max(left, right) * SCALE, max(top, bottom) * SCALE


def _column(stops: Sequence[Colour], height: int) -> Image.Image:
    places = np.linspace(0, len(stops) - 1, max(1, height))
    table = np.array(stops, dtype=np.float32)
    channels = [np.interp(places, np.arange(len(stops)), table[:, part]) for part in range(3)]
    return Image.fromarray(np.stack(channels, axis=-1).round().astype(np.uint8)[:, None, :])


@cache
def _halo() -> Image.Image:
    across = (np.arange(64, dtype=np.float32) + 0.5) / 32 - 1
    distance = np.sqrt(across[:, None] ** 2 + across[None, :] ** 2)
    return Image.fromarray((np.clip(1 - distance, 0, 1) ** 1.9 * 255).astype(np.uint8))


@cache
def _grain() -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    tile = np.random.default_rng(7).normal(0, 0.6, (HEIGHT, WIDTH, 1))
    return tile.astype(np.float32)


@cache
def _corners() -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    down = np.linspace(-1, 1, HEIGHT, dtype=np.float32)[:, None, None]
    across = np.linspace(-1, 1, WIDTH, dtype=np.float32)[None, :, None]
    return np.clip(across**2 * 0.7 + down**2 * 0.8 - 0.35, 0, 1).astype(np.float32)
