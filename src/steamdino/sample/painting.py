"""Paint a banner from an order: theme, seeds, palette, style, name."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from zlib import crc32

from PIL import Image

from steamdino.sample.canvas import Canvas
from steamdino.sample.lettering import write_title
from steamdino.sample.lettering_style import Style
from steamdino.sample.palette import darker, lighter, luminance, mix
from steamdino.sample.themes import THEMES
from steamdino.sample.themes.theme import Brief


@dataclass(frozen=True, slots=True)
class PaintOrder:
    """Everything that determines a banner's pixels; `palette` and `style` are indices that wrap around."""

    theme: str
    series: str  # seeds what the games of a franchise share
    own: str  # seeds the composition
    number: int  # which game of its franchise, from 0
    palette: int
    style: int
    title: str  # "" for a banner without lettering


def paint_banner(order: PaintOrder) -> Image.Image:
    """Return the banner (RGB, 300 x 450); the same order gives the same pixels."""
    theme = THEMES[order.theme]
    hue = _dice(order.series, "hue")
    colours = theme.palettes[order.palette % len(theme.palettes)].shifted(
        hue.uniform(-0.025, 0.025), hue.uniform(-0.03, 0.05)
    )
    style = theme.styles[order.style % len(theme.styles)]
    own = _dice(order.own, "own")
    canvas = Canvas(colours.sky[0])
    theme.paint(
        canvas,
        Brief(
            colours,
            _dice(order.series, "series"),
            own,
            focus(order),
            order.number,
            tuple(order.series.split("-")),
        ),
    )
    dark_letters = luminance(colours.title) < 0.4
    shade = (
        lighter(colours.sky[0], 0.2) if dark_letters else mix(colours.near, darker(colours.sky[0], 0.4), 0.5)
    )
    _scrim(canvas, style, shade, theme.scrim)
    if order.title:
        write_title(canvas, order.title, style, colours)
    return canvas.finished(own, theme.grain, theme.vignette)


def focus(order: PaintOrder) -> float:
    """Return the height, in banner units, of the main figure; the title is placed in the other part."""
    styles = THEMES[order.theme].styles
    return {"bottom": 168.0, "top": 282.0, "middle": 215.0}[styles[order.style % len(styles)].anchor]


def _dice(seed: str, purpose: str) -> Random:
    # crc32 instead of hash(), which differs between runs of Python.
    return Random(crc32(f"{purpose}/{seed}".encode()))


def _scrim(canvas: Canvas, style: Style, shade: tuple[int, int, int], strength: float) -> None:
    """Darken the background of the title, so that it is readable on any picture."""
    if style.anchor == "bottom":
        canvas.veil(shade, (0, 0.75 * strength, strength), 255)
    elif style.anchor == "top":
        canvas.veil(shade, (strength, 0.8 * strength, 0), 0, 190)
    else:
        canvas.veil(shade, (0, strength, 0), 90, 360)
