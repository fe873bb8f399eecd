"""Colours: parse, mix and shift them, and group them into the palette of one series of games."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass
from typing import TypeAlias

Colour: TypeAlias = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one series.

    `sky` runs from the top of the banner to its bottom; `far` and `near` are the distant and the close
    silhouettes; `light` is for light sources, `accent` for the main figure, `title` for the lettering.
    """

    sky: tuple[Colour, ...]
    far: Colour
    near: Colour
    light: Colour
    accent: Colour
    title: Colour

    def shifted(self, hue: float, shade: float = 0.0) -> Palette:
        """Return the palette with every hue turned by `hue` (a part of a turn) and `shade` more light."""
        return Palette(
            tuple(turn(colour, hue, shade) for colour in self.sky),
            turn(self.far, hue, shade),
            turn(self.near, hue),
            turn(self.light, hue),
            turn(self.accent, hue),
            self.title,
        )


def palette(text: str) -> Palette:
    """Read "sky sky [sky …] | far near light accent title", each colour six hexadecimal digits."""
    sky, rest = text.split("|")
    far, near, light, accent, title = (colour(part) for part in rest.split())
    return Palette(tuple(colour(part) for part in sky.split()), far, near, light, accent, title)


def colour(digits: str) -> Colour:
    """Read a colour from six hexadecimal digits."""
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


def mix(first: Colour, second: Colour, part: float) -> Colour:
    """Return the colour that lies `part` (0 to 1) of the way from the first to the second."""
    return (
        round(first[0] + (second[0] - first[0]) * part),
        round(first[1] + (second[1] - first[1]) * part),
        round(first[2] + (second[2] - first[2]) * part),
    )


def darker(base: Colour, part: float) -> Colour:
    """Return the colour mixed with black by `part` (0 to 1)."""
    return mix(base, (0, 0, 0), part)


def lighter(base: Colour, part: float) -> Colour:
    """Return the colour mixed with white by `part` (0 to 1)."""
    return mix(base, (255, 255, 255), part)


def turn(base: Colour, hue: float, shade: float = 0.0) -> Colour:
    """Return the colour with its hue turned by `hue` (a part of a turn) and its value raised by `shade`."""
    h, s, v = colorsys.rgb_to_hsv(base[0] / 255, base[1] / 255, base[2] / 255)
    red, green, blue = colorsys.hsv_to_rgb((h + hue) % 1.0, s, min(1.0, max(0.0, v + shade)))
    return round(red * 255), round(green * 255), round(blue * 255)


def luminance(base: Colour) -> float:
    """Return how light a colour looks, from 0 (black) to 1 (white)."""
    return (0.299 * base[0] + 0.587 * base[1] + 0.114 * base[2]) / 255
