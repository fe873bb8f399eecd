"""Desert: dunes, mesas, cacti, caravans and buried ruins under a large sun."""

from __future__ import annotations

import math
from random import Random

from steamdino.sample.canvas import HEIGHT, WIDTH, Canvas
from steamdino.sample.lettering_style import Style
from steamdino.sample.palette import Colour, Palette, darker, lighter, mix, palette
from steamdino.sample.props.animals import camel
from steamdino.sample.props.craft import wagon
from steamdino.sample.scenery import bird, figure, flakes, height_at, hills, stars
from steamdino.sample.themes.theme import Brief, Theme


def paint(canvas: Canvas, brief: Brief) -> None:
    """Paint a caravan on dunes, a canyon of mesas, or a colossal ruin in the sand."""
    p, own = brief.colours, brief.own
    canvas.gradient(p.sky)
    relic = brief.pick("pyramid:khepra ruin", "arch:mirage", "head:bones thirst")
    layout = brief.scene(
        "dune caravan sand nomad", "canyon mesa cactus rattle frontier", "ruin khepra bones thirst"
    )
    if brief.series.random() < 0.3:
        stars(canvas, own, 70, lighter(p.light, 0.6), brief.focus)
    x = own.uniform(70, 230)
    radius = own.uniform(40, 78)
    canvas.glow(x, brief.focus - 34, radius * 3.2, p.light, 0.8)
    canvas.shaded_disc(x, brief.focus - 34, radius, (lighter(p.light, 0.5), p.light))
    if layout == 0:
        _dunes(canvas, brief, 3)
        line = _dunes(canvas, brief, 1, 82)
        for index in range(3 + brief.number):
            spot = 76 + index * 42 + own.uniform(-5, 5)
            camel(canvas, spot, height_at(line, spot) + 2, 30, darker(p.near, 0.5), p.accent)
    elif layout == 1:
        for depth in range(3):
            _mesas(
                canvas,
                own,
                brief.focus + 20 + depth * 34,
                mix(p.far, p.near, depth / 2.6),
                110 - depth * 26,
                p.near,
            )
        line = hills(canvas, own, brief.focus + 104, 7, mix(p.near, p.accent, 0.3), darker(p.near, 0.35))
        for _ in range(3):
            spot = own.uniform(20, 280)
            _cactus(canvas, spot, height_at(line, spot) + 4, own.uniform(40, 84), darker(p.near, 0.45))
        wagon(canvas, 150 + own.uniform(-20, 20), brief.focus + 110, 44, p, own.choice((-1, 1)))
    else:
        _dunes(canvas, brief, 2)
        _relic(
            canvas, relic, 300 - x if abs(150 - x) > 30 else 150, brief.focus + 86, own.uniform(100, 124), p
        )
        line = _dunes(canvas, brief, 1, 78)
        figure(canvas, x, height_at(line, x) + 2, 46, darker(p.near, 0.6), p.accent, own.choice((-1, 1)))
    hills(canvas, own, brief.focus + 150, 14, darker(p.near, 0.1), darker(p.near, 0.5), 0.8)
    for _ in range(4):
        bird(
            canvas,
            own.uniform(30, 270),
            brief.focus - own.uniform(30, 110),
            own.uniform(4, 8),
            darker(p.near, 0.3),
        )
    flakes(canvas, own, 40, lighter(p.light, 0.4), 1.3)


def _dunes(canvas: Canvas, brief: Brief, count: int, lift: float = 0.0) -> list[tuple[float, float]]:
    """Draw dunes whose crest divides a lit side from a shaded one."""
    p, own = brief.colours, brief.own
    line: list[tuple[float, float]] = []
    for depth in range(count):
        shade = mix(p.far, mix(p.near, p.accent, 0.35), (depth + (2 if lift else 0)) / 3)
        base = brief.focus + 24 + depth * 30 + lift
        line = hills(canvas, own, base, 18, lighter(shade, 0.16), darker(shade, 0.2), own.uniform(0.7, 1.2))
        peak = min(range(8, len(line) - 8), key=lambda index: line[index][1])
        x, y = line[peak]
        curve = [(x + 26 * math.sin(step * 0.5) + step * 7, y + step * 9) for step in range(20)]
        canvas.shaded_polygon(
            [*line[peak:], (WIDTH + 10, HEIGHT), *curve[::-1]],
            (darker(shade, 0.34), darker(shade, 0.22)),
            0.6,
        )
    return line


def _mesas(canvas: Canvas, rng: Random, base: float, shade: Colour, tall: float, low: Colour) -> None:
    x = rng.uniform(-50, 0)
    while x < WIDTH:
        wide, high = rng.uniform(36, 92), tall * rng.uniform(0.35, 1.0)
        if abs(x + wide / 2 - 150) < 50:
            high *= 0.5
        canvas.shaded_polygon(
            [
                (x - 16, base + 40),
                (x - 5, base - high * 0.42),
                (x + 2, base - high * 0.46),
                (x + 4, base - high),
                (x + wide * 0.4, base - high - 3),
                (x + wide, base - high + 2),
                (x + wide + 3, base - high * 0.5),
                (x + wide + 12, base - high * 0.42),
                (x + wide + 22, base + 40),
            ],
            (lighter(shade, 0.12), shade),
        )
        for band in (0.72, 0.6):
            canvas.line(
                [(x + 4, base - high * band), (x + wide + 2, base - high * band)],
                darker(shade, 0.25),
                1.6,
                0.6,
            )
        x += wide + rng.uniform(10, 60)
    canvas.shaded_polygon([(-1, base), (301, base), (301, 451), (-1, 451)], (shade, mix(shade, low, 0.7)))


def _cactus(canvas: Canvas, x: float, base: float, size: float, colour: Colour) -> None:
    thick = size * 0.09
    canvas.rectangle((x - thick, base - size, x + thick, base), colour, corner=thick)
    for side, low, high in ((-1, 0.4, 0.72), (1, 0.52, 0.86)):
        out = x + side * size * 0.27
        canvas.rectangle(
            (min(x, out), base - size * low - thick * 0.7, max(x, out), base - size * low + thick * 0.7),
            colour,
            corner=thick * 0.6,
        )
        canvas.rectangle(
            (out - thick * 0.7, base - size * high, out + thick * 0.7, base - size * low + thick * 0.7),
            colour,
            corner=thick * 0.7,
        )


def _relic(canvas: Canvas, kind: str, x: float, base: float, size: float, p: Palette) -> None:
    stone, dark = mix(p.far, p.light, 0.35), mix(p.far, p.near, 0.75)
    if kind == "pyramid":
        for shift, part in ((-70, 0.6), (60, 0.75), (0, 1.15)):
            top = (x + shift, base - size * part)
            canvas.shaded_polygon(
                [
                    top,
                    (x + shift - size * 0.85 * part, base + 30),
                    (x + shift + size * 0.2 * part, base + 30),
                ],
                (lighter(stone, 0.2), stone),
            )
            canvas.shaded_polygon(
                [top, (x + shift + size * 0.2 * part, base + 30), (x + shift + size * 0.8 * part, base + 30)],
                (dark, mix(dark, stone, 0.3)),
            )
    elif kind == "arch":
        canvas.shaded_polygon(
            [
                (x - 84, base + 30),
                (x - 74, base - size * 0.8),
                (x - 40, base - size * 1.08),
                (x + 36, base - size * 1.1),
                (x + 76, base - size * 0.84),
                (x + 90, base + 30),
                (x + 50, base + 30),
                (x + 42, base - size * 0.5),
                (x + 16, base - size * 0.78),
                (x - 18, base - size * 0.78),
                (x - 40, base - size * 0.5),
                (x - 46, base + 30),
            ],
            (stone, dark),
        )
    else:
        canvas.shaded_polygon(
            [
                (x - 56, base + 30),
                (x - 62, base - size * 0.6),
                (x - 46, base - size),
                (x, base - size * 1.15),
                (x + 46, base - size),
                (x + 62, base - size * 0.6),
                (x + 56, base + 30),
            ],
            (stone, dark),
        )
        for side in (-1, 1):
            canvas.polygon(
                [
                    (x + side * 12, base - size * 0.66),
                    (x + side * 40, base - size * 0.72),
                    (x + side * 38, base - size * 0.58),
                    (x + side * 14, base - size * 0.56),
                ],
                darker(dark, 0.5),
            )
            canvas.glow(x + side * 26, base - size * 0.63, 22, p.accent, 0.9)
        canvas.polygon(
            [
                (x - 5, base - size * 0.64),
                (x + 5, base - size * 0.64),
                (x + 12, base - size * 0.28),
                (x - 12, base - size * 0.28),
            ],
            dark,
        )
        canvas.line([(x - 20, base - size * 0.1), (x + 20, base - size * 0.1)], darker(dark, 0.4), 3)


THEME = Theme(
    "desert",
    paint,
    (
        palette("3a6ea5 f2b880 ffdf9e | d98a4f 6b2f14 fff3c8 c8412b ffffff"),
        palette("2a1140 a33a5c ff9a5a | b5515a 3a1230 ffd98a f25f4c fff0dc"),
        palette("06283a 2f8a94 ffe0a0 | c98a4a 4a2310 fff6d0 e8622a ffffff"),
        palette("0a0f2e 2f2f6f b07aa8 | 5f4a86 161230 ffeec8 ff9a5c fff6e8"),
        palette("7a1f0f d9531e ffc05a | b0401a 3a0f08 ffe9a8 2f8f8a fff4d8"),
        palette("f4d8a8 f7b267 f4845f | d9633f 5a1f1f fffbe6 2f6f73 fff8e6"),
    ),
    (
        Style(stack=True, weight=0.05, tracking=0.03, stretch=1.1, fill="fade", ornament="diamond"),
        Style(anchor="top", weight=0.03, tracking=0.22, size=44, ornament="rules"),
        Style(weight=0.07, tracking=0.0, texture="worn", arc=9, size=62, ornament="diamond"),
        Style(anchor="top", caps=False, weight=0.05, tracking=0.01, size=60, slant=0.1, ornament="rules"),
    ),
    ("Desert", "Adventure", "Western", "Open World", "Survival"),
    scrim=0.5,
)
