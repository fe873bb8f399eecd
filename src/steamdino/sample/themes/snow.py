"""Snow: faceted peaks, northern lights, cabins, climbers and skiers."""

from __future__ import annotations

import math
from random import Random

from steamdino.sample.canvas import WIDTH, Canvas, Point
from steamdino.sample.lettering_style import Style
from steamdino.sample.palette import Colour, Palette, darker, lighter, mix, palette
from steamdino.sample.scenery import figure, fir, flakes, height_at, hills, moon, stars
from steamdino.sample.themes.theme import Brief, Theme


def paint(canvas: Canvas, brief: Brief) -> None:
    """Paint a summit with a climber, a cabin among firs, or a slope with a skier."""
    p, own, series = brief.colours, brief.own, brief.series
    canvas.gradient(p.sky)
    lights = series.random() < 0.5 or "aurora" in brief.words or "borealis" in brief.words
    layout = brief.scene(
        "summit peak ascent crampon ridge", "cabin lodge mail letter", "pass sled fjord snow"
    )
    if lights:
        stars(canvas, own, 80, lighter(p.light, 0.6), brief.focus + 20)
        _aurora(canvas, own, brief.focus - 70, p)
    else:
        moon(
            canvas,
            own.uniform(60, 240),
            brief.focus - 64,
            own.uniform(22, 42),
            lighter(p.light, 0.4),
            p.far,
            own,
        )
    if layout == 0:
        _peak(canvas, own, own.choice((40, 260)), brief.focus - 16, 130, mix(p.far, p.sky[-1], 0.4), p)
        x = 150 + own.uniform(-30, 30)
        _peak(canvas, own, x, brief.focus - 84, 190, p.far, p)
        line = hills(canvas, own, brief.focus + 96, 10, lighter(p.light, 0.5), mix(p.light, p.near, 0.5))
        spot = own.uniform(90, 210)
        figure(canvas, spot, height_at(line, spot) + 3, 50, p.near, p.accent, own.choice((-1, 1)))
    elif layout == 1:
        for x in (own.uniform(10, 90), own.uniform(200, 290)):
            _peak(canvas, own, x, brief.focus - 60, 130, mix(p.far, p.sky[-1], 0.25), p)
        line = hills(canvas, own, brief.focus + 64, 12, lighter(p.light, 0.45), mix(p.light, p.far, 0.5))
        _firs(canvas, own, line, p, 15, 0.35)
        x = 150 + own.uniform(-40, 40)
        _cabin(canvas, x, height_at(line, x) + 22, 46, p)
        line = hills(canvas, own, brief.focus + 106, 9, lighter(p.light, 0.6), mix(p.light, p.near, 0.55))
        _firs(canvas, own, line, p, 5, 1.0)
    else:
        _peak(canvas, own, own.uniform(60, 240), brief.focus - 78, 150, mix(p.far, p.sky[-1], 0.15), p)
        side = own.choice((-1, 1))
        slope = [(-10.0, brief.focus + 44 - side * 50), (WIDTH + 10.0, brief.focus + 44 + side * 50)]
        canvas.shaded_polygon(
            [*slope, (310, 451), (-10, 451)], (lighter(p.light, 0.7), mix(p.light, p.far, 0.4), p.near)
        )
        _firs(canvas, own, slope, p, 7, 0.6)
        x = 150 - side * 6
        y = height_at(slope, x) + 40
        for shift in (0, 7):
            canvas.line(
                [(x - side * 190, y - 66 + shift), (x - side * 90, y - 40 + shift), (x, y + shift)],
                mix(p.light, p.far, 0.55),
                1.6,
            )
        _skier(canvas, x, y + 3, 62, p, side)
    hills(canvas, own, brief.focus + 158, 9, mix(p.light, p.near, 0.65), p.near)
    flakes(canvas, own, 90, (255, 255, 255), 2.6)


def _aurora(canvas: Canvas, rng: Random, y: float, p: Palette) -> None:
    for band in range(3):
        phase, drop = rng.uniform(0, 6), rng.uniform(60, 110)
        shade = (p.accent, p.light, mix(p.accent, p.light, 0.5))[band]
        for step in range(0, 304, 4):
            turn = step / 300 * math.tau
            top = y + band * 22 + 22 * math.sin(turn * 1.2 + phase) + 9 * math.sin(turn * 3 + phase)
            reach = drop * (0.6 + 0.4 * math.sin(turn * 5 + phase * 2))
            for part in range(4):
                canvas.rectangle((step, top - reach * (1 - part * 0.25), step + 4.4, top), shade, 0.055)


def _peak(canvas: Canvas, rng: Random, x: float, top: float, half: float, stone: Colour, p: Palette) -> None:
    """Draw a mountain with a lit and a shaded side and a jagged cap of snow."""
    base = top + half * 1.25
    left, right = (x - half, base), (x + half * 1.1, base)
    ridge: list[Point] = [(x, top)]
    for step in range(1, 6):
        ridge.append((x + rng.uniform(-9, 13) + step * half * 0.03, top + (base - top) * step / 5))
    canvas.shaded_polygon([(x, top), *ridge[1:], left], (lighter(stone, 0.22), mix(stone, p.sky[-1], 0.35)))
    canvas.shaded_polygon([(x, top), right, *ridge[:0:-1]], (darker(stone, 0.25), mix(stone, p.sky[-1], 0.2)))
    for side, shade in ((-1, lighter(p.light, 0.75)), (1, mix(p.light, p.far, 0.35))):
        reach = 0.36
        edge: list[Point] = []
        for step in range(7):
            part = step / 6
            across = x + side * half * reach * (1 - part) * 1.02
            down = (
                top
                + (base - top) * reach * (1.0 - 0.1 * part)
                + (rng.uniform(10, 26) if step % 2 else -rng.uniform(2, 10))
            )
            edge.append(
                (across if step else x + side * half * reach, down if step else top + (base - top) * reach)
            )
        canvas.polygon([(x, top), *edge, ridge[1]], shade)


def _firs(canvas: Canvas, rng: Random, line: list[Point], p: Palette, count: int, near: float) -> None:
    for index in range(count):
        x = (index + rng.random()) * WIDTH / count
        if near == 1.0 and 70 < x < 230:
            continue
        tall = rng.uniform(34, 62) * (0.8 + near * 0.9)
        base = height_at(line, x) + 5
        fir(canvas, x, base, tall, mix(p.far, p.near, 0.4 + near * 0.6))
        for tier in range(3):
            y, wide = base - tall * (0.42 + tier * 0.22), tall * (0.11 - tier * 0.028)
            canvas.polygon(
                [(x - wide, y + tall * 0.05), (x, y - tall * 0.12), (x + wide * 0.4, y)],
                lighter(p.light, 0.7),
                0.85,
            )


def _cabin(canvas: Canvas, x: float, base: float, size: float, p: Palette) -> None:
    canvas.glow(x, base - size * 0.3, size * 2.2, (255, 200, 110), 0.6)
    wall = mix(p.near, p.accent, 0.3)
    canvas.shaded_polygon(
        [
            (x - size * 0.7, base - size * 0.5),
            (x + size * 0.7, base - size * 0.5),
            (x + size * 0.7, base),
            (x - size * 0.7, base),
        ],
        (darker(wall, 0.1), darker(wall, 0.4)),
    )
    for log in range(4):
        canvas.line(
            [(x - size * 0.7, base - log * size * 0.125), (x + size * 0.7, base - log * size * 0.125)],
            darker(wall, 0.5),
            0.8,
        )
    canvas.rectangle(
        (x + size * 0.3, base - size * 1.15, x + size * 0.46, base - size * 0.6), darker(wall, 0.3)
    )
    canvas.polygon(
        [(x - size * 0.9, base - size * 0.42), (x, base - size * 1.06), (x + size * 0.9, base - size * 0.42)],
        darker(wall, 0.35),
    )
    canvas.polygon(
        [
            (x - size * 0.96, base - size * 0.44),
            (x, base - size * 1.16),
            (x + size * 0.96, base - size * 0.44),
            (x + size * 0.8, base - size * 0.46),
            (x, base - size * 1.0),
            (x - size * 0.8, base - size * 0.46),
        ],
        lighter(p.light, 0.8),
    )
    for left in (-0.48, 0.2):
        canvas.rectangle(
            (x + left * size, base - size * 0.4, x + (left + 0.28) * size, base - size * 0.16),
            (255, 214, 128),
        )
        canvas.line(
            [(x + (left + 0.14) * size, base - size * 0.4), (x + (left + 0.14) * size, base - size * 0.16)],
            darker(wall, 0.4),
            1,
        )
    canvas.rectangle((x - size * 0.1, base - size * 0.36, x + size * 0.1, base), darker(wall, 0.55))
    for puff in range(5):
        canvas.disc(
            x + size * (0.4 + puff * 0.1),
            base - size * (1.3 + puff * 0.22),
            size * (0.08 + puff * 0.035),
            lighter(p.light, 0.7),
            0.4 - puff * 0.06,
        )


def _skier(canvas: Canvas, x: float, base: float, size: float, p: Palette, side: int) -> None:
    def at(across: float, up: float) -> Point:
        return x + side * across * size, base - up * size + across * size * 0.3

    canvas.line([at(-0.7, 0.02), at(0.6, 0.02), at(0.72, 0.1)], darker(p.near, 0.2), 2.4)
    canvas.polygon(
        [at(-0.12, 0.04), at(0.06, 0.04), at(0.2, 0.3), at(0.0, 0.56), at(-0.26, 0.5), at(-0.02, 0.3)], p.near
    )
    canvas.polygon([at(-0.28, 0.52), at(0.02, 0.5), at(0.3, 0.88), at(0.14, 1.0), at(-0.08, 0.9)], p.accent)
    canvas.disc(*at(0.3, 1.06), size * 0.12, lighter(p.accent, 0.5))
    canvas.line([at(0.32, 1.06), at(0.42, 1.04)], p.near, 4)
    canvas.line([at(0.16, 0.84), at(0.42, 0.62)], darker(p.accent, 0.2), size * 0.09)
    canvas.line([at(0.42, 0.66), at(-0.5, 0.3)], p.near, 1.2)


THEME = Theme(
    "snow",
    paint,
    (
        palette("1a2f5f 5f8fc9 e0f0ff | 5f7fb0 16284a f2f9ff f2683c ffffff"),
        palette("0a1530 1a3a6a 3f8f9f | 2f4f7f 0a1428 d8fff0 5ff0b0 ffffff"),
        palette("3a2050 b0608a ffd0b0 | 7a5a8f 241536 fff0ea ff5f5f fff4ee"),
        palette("2f6f9f 8fd0e8 f4fbff | 6f9fb8 123a5a ffffff e8323c ffffff"),
        palette("0f1020 2f2f5a 7f6fb0 | 4a4a7f 0c0c1e f0ecff c85fff ffffff"),
        palette("1f2f35 5f7f88 d0dcd8 | 6a7f86 1a262b fbfffc f0a83c ffffff"),
    ),
    (
        Style(weight=0.03, tracking=0.16, stretch=1.25, size=46, ornament="rules"),
        Style(anchor="top", weight=0.0, tracking=0.3, size=38, ornament="rules", shadow=0.6),
        Style(stack=True, weight=0.07, tracking=0.0, texture="cut", fill="fade"),
        Style(anchor="top", caps=False, weight=0.06, tracking=0.0, size=60, rise=-0.05, outline=0.1),
    ),
    ("Winter", "Exploration", "Survival", "Sports", "Atmospheric"),
    scrim=0.65,
)
