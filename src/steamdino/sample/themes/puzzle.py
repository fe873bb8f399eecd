"""Puzzle: flat geometry on calm grounds, from stacked cubes to rings, tiles and tangrams."""

from __future__ import annotations

import math
from collections.abc import Callable

from steamdino.sample.canvas import HEIGHT, WIDTH, Canvas
from steamdino.sample.lettering_style import Style
from steamdino.sample.palette import Colour, Palette, darker, lighter, mix, palette
from steamdino.sample.themes.theme import Brief, Theme


def paint(canvas: Canvas, brief: Brief) -> None:
    """Paint one of five geometric ideas; a franchise keeps to two of them."""
    canvas.gradient(brief.colours.sky)
    ideas: list[Callable[[Canvas, Brief], None]] = [_cubes, _rings, _tiles, _bauhaus, _hexagons]
    first = brief.scene(
        "cube isometr corner",
        "ring loop circle",
        "tile pattern tessel tangent",
        "shape logic angle",
        "hexa prism polygon vert",
    )
    ideas[first](canvas, brief)


def _set(p: Palette) -> tuple[Colour, ...]:
    return p.accent, p.light, p.far, p.near, mix(p.accent, p.light, 0.5)


def _cube(canvas: Canvas, x: float, y: float, size: float, shade: Colour) -> None:
    wide, half = size * 0.866, size * 0.5
    canvas.polygon([(x, y - size), (x + wide, y - half), (x, y), (x - wide, y - half)], lighter(shade, 0.35))
    canvas.polygon([(x - wide, y - half), (x, y), (x, y + size), (x - wide, y + half)], shade)
    canvas.polygon([(x + wide, y - half), (x, y), (x, y + size), (x + wide, y + half)], darker(shade, 0.32))


def _cubes(canvas: Canvas, brief: Brief) -> None:
    p, own = brief.colours, brief.own
    size = own.choice((19.0, 23.0, 27.0))
    shades = _set(p)
    canvas.ellipse(150, brief.focus + size * 3.4, 120, 30, darker(p.sky[-1], 0.45), 0.3)
    heights = {
        (i, j): own.choice((1, 1, 2, 2, 3, 4)) if own.random() < 0.82 else 0
        for i in range(4)
        for j in range(4)
    }
    for i, j in sorted(heights, key=sum):
        for level in range(heights[i, j]):
            x = 150 + (i - j) * size * 0.866
            y = brief.focus + 6 + (i + j - 2) * size * 0.5 - level * size
            _cube(canvas, x, y, size, shades[(i * 3 + j + level * 2) % len(shades)])
    i, j = own.choice([spot for spot, tall in heights.items() if tall])
    x, y = 150 + (i - j) * size * 0.866, brief.focus + 6 + (i + j - 2) * size * 0.5 - heights[i, j] * size - 6
    canvas.ellipse(x, y + 4, size * 0.4, size * 0.18, (0, 0, 0), 0.25)
    canvas.shaded_disc(x, y - size * 0.45, size * 0.42, (lighter(p.accent, 0.7), p.accent))


def _rings(canvas: Canvas, brief: Brief) -> None:
    p, own = brief.colours, brief.own
    shades, count = _set(p), own.randint(5, 7)
    for index in range(count):
        radius = 124 - index * 112 / count
        width = own.uniform(0.5, 0.95) * 112 / count
        start = own.uniform(0, 360)
        gap = own.choice((0, 40, 80, 120, 180))
        canvas.arc(
            (150 - radius, brief.focus - radius, 150 + radius, brief.focus + radius),
            start,
            start + 360 - gap,
            shades[index % 4],
            width,
        )
        for turn in (start, start + 360 - gap):
            if gap:
                angle, middle = math.radians(turn), radius - width / 2
                canvas.disc(
                    150 + middle * math.cos(angle),
                    brief.focus + middle * math.sin(angle),
                    width / 2,
                    shades[index % 4],
                )
    canvas.shaded_disc(150, brief.focus, 13, (lighter(p.accent, 0.6), p.accent))


def _tiles(canvas: Canvas, brief: Brief) -> None:
    p, own = brief.colours, brief.own
    shades = _set(p)
    side = own.choice((50.0, 60.0))
    count = int(240 // side)
    left, top = 150 - count * side / 2, brief.focus - count * side / 2
    for row in range(count):
        for column in range(count):
            x, y = left + column * side, top + row * side
            ground, ink = own.sample(shades, 2)
            canvas.rectangle((x + 1, y + 1, x + side - 1, y + side - 1), ground, corner=5)
            kind = own.randrange(5)
            middle = (x + side / 2, y + side / 2)
            if kind == 0:
                canvas.disc(*middle, side * 0.34, ink)
                canvas.disc(*middle, side * 0.15, ground)
            elif kind == 1:
                canvas.polygon([(x + 1, y + 1), (x + side - 1, y + 1), (x + 1, y + side - 1)], ink)
            elif kind == 2:
                turn = own.choice((0, 90, 180, 270))
                ax, ay = (
                    x + (side - 1 if turn in (90, 180) else 1),
                    y + (side - 1 if turn in (180, 270) else 1),
                )
                points = [
                    (
                        ax + (side - 2) * math.cos(math.radians(turn + step * 5)),
                        ay + (side - 2) * math.sin(math.radians(turn + step * 5)),
                    )
                    for step in range(19)
                ]
                canvas.polygon([(ax, ay), *points], ink)
            elif kind == 3:
                for stripe in range(3):
                    canvas.rectangle(
                        (x + 6, y + 8 + stripe * side / 3.4, x + side - 6, y + 14 + stripe * side / 3.4), ink
                    )
            else:
                canvas.polygon(
                    [
                        (middle[0], y + 6),
                        (x + side - 6, middle[1]),
                        (middle[0], y + side - 6),
                        (x + 6, middle[1]),
                    ],
                    ink,
                )


def _bauhaus(canvas: Canvas, brief: Brief) -> None:
    p, own = brief.colours, brief.own
    shades = _set(p)
    x, y = 150 + own.uniform(-30, 30), brief.focus + own.uniform(-20, 20)
    canvas.disc(x, y, 92, shades[own.randrange(3)])
    angle = own.uniform(0, math.tau)
    for index in range(3):
        turn = angle + index * math.tau / 3
        tip = (x + 128 * math.cos(turn), y + 118 * math.sin(turn))
        wide = own.uniform(0.25, 0.5)
        canvas.polygon(
            [
                tip,
                (x + 60 * math.cos(turn + math.pi - wide), y + 60 * math.sin(turn + math.pi - wide)),
                (x + 60 * math.cos(turn + math.pi + wide), y + 60 * math.sin(turn + math.pi + wide)),
            ],
            shades[(index + 1) % 5],
            0.88,
        )
        canvas.disc(*tip, 11, shades[(index + 3) % 5])
    canvas.ring(x, y, own.uniform(56, 76), shades[3], 5)
    canvas.polygon(
        [
            (x + 34 * math.cos(angle + k * math.tau / 4), y + 34 * math.sin(angle + k * math.tau / 4))
            for k in range(4)
        ],
        shades[1],
    )
    canvas.shaded_disc(x, y, 15, (lighter(p.accent, 0.5), p.accent))
    for _ in range(9):
        dot = (own.uniform(20, 280), brief.focus + own.uniform(-140, 130))
        canvas.disc(*dot, own.uniform(2, 5), own.choice(shades))


def _hexagons(canvas: Canvas, brief: Brief) -> None:
    p, own = brief.colours, brief.own
    shades = _set(p)
    size = own.choice((24.0, 29.0))
    for row in range(-8, 9):
        for column in range(-5, 6):
            x = 150 + (column + (row % 2) / 2) * size * 1.732
            y = brief.focus + row * size * 1.5
            far = math.hypot(x - 150, y - brief.focus)
            if far > 132 or own.random() < far / 250 or not (0 < x < WIDTH and 0 < y < HEIGHT):
                continue
            shade = own.choice(shades)
            outer = [
                (x + size * 0.94 * math.sin(k * math.tau / 6), y + size * 0.94 * math.cos(k * math.tau / 6))
                for k in range(6)
            ]
            canvas.polygon([(a + 2, b + 4) for a, b in outer], darker(p.near, 0.4), 0.3)
            canvas.shaded_polygon(outer, (lighter(shade, 0.2), shade))
            if own.random() < 0.45:
                canvas.polygon(
                    [
                        (
                            x + size * 0.45 * math.sin(k * math.tau / 6),
                            y + size * 0.45 * math.cos(k * math.tau / 6),
                        )
                        for k in range(6)
                    ],
                    own.choice(shades),
                )


THEME = Theme(
    "puzzle",
    paint,
    (
        palette("fdf3e1 f7e2c2 | 2f8f9d 264653 f4a261 e76f51 22343c"),
        palette("eef6f7 cfe6ea | 5b8e7d 2b4162 f4d35e ee6055 1f2f4a"),
        palette("2b2d42 3d405b | 81b29a 1d1e30 f2cc8f e07a5f fff6e6"),
        palette("fbe4ee f4c4dc | 7b6fd0 3d2c6e ffd166 ef476f 3a1f4f"),
        palette("113a4a 1f6073 | 3fb8af 0c2733 ffe29a ff6b6b ffffff"),
        palette("f2f0ea dad6cc | 1d5fa8 1a1a1e f2b705 d62828 17171b"),
        palette("3b1f5b 5f3a8f | a06fe0 24123d ffd8f0 3fe0d0 ffffff"),
    ),
    (
        Style(weight=0.05, tracking=0.02, caps=False, size=62, shadow=0.0),
        Style(anchor="top", weight=0.0, tracking=0.26, size=40, shadow=0.0, ornament="rules"),
        Style(align="left", weight=0.08, tracking=-0.01, size=58, shadow=0.0, ornament="bar"),
        Style(anchor="top", stack=True, weight=0.07, tracking=0.01, shadow=0.0, texture="cut"),
    ),
    ("Puzzle", "Minimalist", "Abstract", "Casual", "Logic"),
    grain=3.0,
    vignette=0.12,
    scrim=0.0,
)
