"""Samurai: ink on paper, a great sun, gates, cranes, bamboo, blossoms and lone swordsmen."""

from __future__ import annotations

import math
from random import Random

from steamdino.sample.canvas import HEIGHT, WIDTH, Canvas, Point
from steamdino.sample.lettering_style import Style
from steamdino.sample.palette import Colour, Palette, darker, lighter, luminance, mix, palette
from steamdino.sample.props.animals import crane
from steamdino.sample.props.people import swordsman
from steamdino.sample.scenery import height_at, hills, ridge_points
from steamdino.sample.themes.theme import Brief, Theme


def paint(canvas: Canvas, brief: Brief) -> None:
    """Paint a swordsman before the sun, a gate in the mist, or a bamboo grove."""
    p, own, series = brief.colours, brief.own, brief.series
    canvas.gradient(p.sky)
    canvas.clouds(own, mix(p.sky[0], p.near, 0.25), 0.35, 3.0)
    hero, blossoms = (
        brief.pick(
            "swordsman:ronin katana warrior clan shogun cut ink",
            "crane:heron crane shirasagi lotus",
            "swordsman",
            "fan:petal blossom jade",
        ),
        series.random() < 0.6,
    )
    layout = brief.scene("ink brush cut scarlet", "shrine temple shogun path", "bamboo hidden kazemori")
    x = own.uniform(110, 190)
    _sun(canvas, own, x, brief.focus - 10 - 20 * (layout == 1), own.uniform(72, 98), p)
    if layout == 0:
        for depth in range(2):
            _ink_mountain(
                canvas,
                own,
                brief.focus + 30 + depth * 34,
                42 - depth * 14,
                mix(p.far, p.near, depth * 0.5),
                p,
            )
        ground = _shore(canvas, own, brief.focus + 106, p)
    elif layout == 1:
        _ink_mountain(canvas, own, brief.focus + 20, 50, p.far, p)
        ground = _shore(canvas, own, brief.focus + 104, p)
        _gate(canvas, 150 + own.uniform(-20, 20), brief.focus + 110, 150 + own.uniform(-14, 14), p)
    else:
        for depth in range(2):
            for _ in range(7):
                spot = own.choice((own.uniform(-10, 96), own.uniform(204, 310)))
                _bamboo(
                    canvas, own, spot, own.uniform(4, 6) + depth * 3.5, mix(p.far, p.near, 0.25 + depth * 0.6)
                )
        ground = _shore(canvas, own, brief.focus + 108, p)
    spot = 150 + own.uniform(-24, 24)
    if hero == "swordsman":
        swordsman(canvas, spot, height_at(ground, spot) + 2, 86, p, own.choice((-1, 1)))
    elif hero == "crane":
        for index in range(2 + brief.number % 2):
            crane(
                canvas,
                80 + index * 72 + own.uniform(-14, 14),
                brief.focus - 30 + index * 34 + own.uniform(-20, 10),
                own.uniform(38, 52),
                p,
                own.choice((-1, 1)),
            )
    else:
        _fan(canvas, spot, brief.focus + 40, 92, p)
    if blossoms:
        _branch(canvas, own, own.choice((-1, 1)), p, brief.focus)
    for _ in range(26):
        petal = (own.uniform(0, WIDTH), own.uniform(0, HEIGHT))
        canvas.ellipse(
            *petal, own.uniform(1.2, 3.4), own.uniform(0.8, 1.8), mix(p.accent, p.light, own.random()), 0.85
        )


def _shore(canvas: Canvas, rng: Random, height: float, p: Palette) -> list[Point]:
    """Draw the ground: a wash of ink that runs out into the paper where the letters are dark."""
    end = mix(p.near, p.sky[-1], 0.88) if luminance(p.title) < 0.4 else darker(p.near, 0.3)
    line = hills(canvas, rng, height, 5, p.near, end, 0.6)
    canvas.shaded_polygon(
        [*line, (WIDTH + 10, height + 62), (-10, height + 62)], (p.near, mix(p.near, end, 0.6), end)
    )
    canvas.rectangle((-1, height + 61, WIDTH + 1, HEIGHT + 1), end)
    return line


def _sun(canvas: Canvas, rng: Random, x: float, y: float, radius: float, p: Palette) -> None:
    canvas.disc(x, y, radius, p.accent)
    for _ in range(26):
        # Dry brush: strokes of paper colour through the lower half, and of paint beyond the rim.
        height = rng.uniform(-0.1, 0.95) * radius
        half = math.sqrt(max(0.0, radius**2 - height**2))
        start = rng.uniform(-1, 0.7) * half
        canvas.line(
            [(x + start, y + height), (x + start + rng.uniform(10, 50), y + height + rng.uniform(-2, 2))],
            p.sky[len(p.sky) // 2],
            rng.uniform(0.4, 1.6),
            0.55,
        )
    for _ in range(60):
        angle = rng.uniform(0, math.tau)
        reach = radius * rng.uniform(0.95, 1.04)
        canvas.disc(
            x + reach * math.cos(angle), y + reach * math.sin(angle), rng.uniform(0.8, 3.2), p.accent, 0.8
        )


def _ink_mountain(canvas: Canvas, rng: Random, height: float, sway: float, shade: Colour, p: Palette) -> None:
    line = ridge_points(rng, height, sway, 0.48)
    paper = mix(p.sky[-1], shade, 0.18)
    canvas.shaded_polygon(
        [*line, (310, height + 110), (-10, height + 110)], (shade, mix(shade, paper, 0.6), paper)
    )
    canvas.line(line, darker(p.near, 0.1), 1.8, 0.75)
    for x, y in line[::3]:
        canvas.line(
            [(x, y + 2), (x + rng.uniform(-10, 10), y + rng.uniform(10, 34))],
            darker(p.near, 0.1),
            rng.uniform(0.5, 1.6),
            0.35,
        )


def _gate(canvas: Canvas, x: float, base: float, tall: float, p: Palette) -> None:
    red, dark = mix(p.accent, p.near, 0.25), darker(p.near, 0.3)
    half = tall * 0.46
    for side in (-1, 1):
        canvas.polygon(
            [
                (x + side * half - 6, base),
                (x + side * half * 0.9 - 5, base - tall),
                (x + side * half * 0.9 + 5, base - tall),
                (x + side * half + 6, base),
            ],
            red,
        )
        canvas.rectangle((x + side * half - 9, base - 12, x + side * half + 9, base + 2), dark)
    canvas.rectangle((x - half - 14, base - tall * 0.76, x + half + 14, base - tall * 0.7), red)
    canvas.rectangle((x - 6, base - tall * 0.95, x + 6, base - tall * 0.7), red)
    canvas.polygon(
        [
            (x - half - 30, base - tall * 1.06),
            (x - half, base - tall * 0.99),
            (x + half, base - tall * 0.99),
            (x + half + 30, base - tall * 1.06),
            (x + half + 24, base - tall * 0.93),
            (x - half - 24, base - tall * 0.93),
        ],
        red,
    )
    canvas.polygon(
        [
            (x - half - 36, base - tall * 1.13),
            (x, base - tall * 1.04),
            (x + half + 36, base - tall * 1.13),
            (x + half + 30, base - tall * 1.05),
            (x, base - tall * 0.98),
            (x - half - 30, base - tall * 1.05),
        ],
        dark,
    )


def _bamboo(canvas: Canvas, rng: Random, x: float, width: float, shade: Colour) -> None:
    y, lean = -10.0, rng.uniform(-0.05, 0.05)
    while y < HEIGHT:
        tall = rng.uniform(36, 60)
        left = x + lean * y
        canvas.rectangle((left - width / 2, y + 1, left + width / 2, y + tall - 1), shade, corner=2)
        canvas.rectangle(
            (left - width / 2 + 1, y + 2, left - width / 6, y + tall - 2), lighter(shade, 0.2), 0.6
        )
        if rng.random() < 0.55:
            side = rng.choice((-1, 1))
            for leaf in range(3):
                angle = rng.uniform(0.0, 0.9)
                tip = (left + side * 32 * math.cos(angle), y + 32 * math.sin(angle) + leaf * 3)
                canvas.polygon(
                    [
                        (left, y),
                        ((left + tip[0]) / 2, (y + tip[1]) / 2 - 4),
                        tip,
                        ((left + tip[0]) / 2, (y + tip[1]) / 2 + 3),
                    ],
                    shade,
                )
        y += tall


def _fan(canvas: Canvas, x: float, y: float, size: float, p: Palette) -> None:
    for index in range(15):
        angle = math.radians(200 + index * 140 / 14)
        following = math.radians(200 + (index + 1) * 140 / 14)
        if index < 14:
            shade = lighter(p.light, 0.6) if index % 2 else mix(p.light, p.accent, 0.15)
            canvas.polygon(
                [
                    (x + size * 0.3 * math.cos(angle), y + size * 0.3 * math.sin(angle)),
                    (x + size * math.cos(angle), y + size * math.sin(angle)),
                    (x + size * math.cos(following), y + size * math.sin(following)),
                    (x + size * 0.3 * math.cos(following), y + size * 0.3 * math.sin(following)),
                ],
                shade,
            )
        canvas.line(
            [(x, y), (x + size * 0.96 * math.cos(angle), y + size * 0.96 * math.sin(angle))],
            darker(p.near, 0.2),
            1.1,
        )
    canvas.disc(x, y - size * 0.68, size * 0.17, p.accent)
    canvas.disc(x, y, 4, p.near)


def _branch(canvas: Canvas, rng: Random, side: int, p: Palette, focus: float) -> None:
    start = (-6.0 if side < 0 else 306.0, focus - rng.uniform(70, 120))
    spots = [start]
    for _ in range(6):
        spots.append((spots[-1][0] - side * rng.uniform(14, 30), spots[-1][1] + rng.uniform(-16, 20)))
    for index in range(6):
        canvas.line(spots[index : index + 2], darker(p.near, 0.3), 7.0 - index)
        twig = (spots[index + 1][0] - side * rng.uniform(6, 26), spots[index + 1][1] - rng.uniform(14, 36))
        canvas.line([spots[index + 1], twig], darker(p.near, 0.3), 2)
        for centre in (twig, spots[index + 1]):
            for _ in range(3):
                bx, by, size = centre[0] + rng.gauss(0, 9), centre[1] + rng.gauss(0, 9), rng.uniform(2.4, 4.2)
                for petal in range(5):
                    angle = petal * math.tau / 5
                    canvas.disc(
                        bx + size * math.cos(angle),
                        by + size * math.sin(angle),
                        size * 0.75,
                        mix(p.accent, (255, 240, 240), 0.62),
                        0.95,
                    )
                canvas.disc(bx, by, size * 0.4, p.accent)


THEME = Theme(
    "samurai",
    paint,
    (
        palette("f4ead5 ecdcbc e4cda4 | 9a8f80 2a2422 fff6e4 c8281e 241a16"),
        palette("e4e6e0 c8d0cc b4c0bc | 7f8f90 1e2a30 f6faf4 d8402f 16201f"),
        palette("2a0c10 5f1418 a82a20 | 4a1014 14060a ffe4c0 f2b040 fff0d8"),
        palette("f6dfe0 eec4c8 e8a8b0 | a87f90 3a1f30 fff2f0 d83a5f 3a1428"),
        palette("10161f 24343f 4f6a70 | 2f444c 0a0f14 e8f0e8 e0503a f4f0e4"),
        palette("efe0b0 e0c078 c8963f | 9a7a3a 2a1d10 fff4d0 a82418 2a160a"),
    ),
    (
        Style(weight=0.08, tracking=0.02, texture="brush", size=64, shadow=0.0, slant=0.08),
        Style(anchor="top", weight=0.02, tracking=0.22, stretch=1.3, size=42, shadow=0.0, ornament="rules"),
        Style(
            align="left",
            weight=0.06,
            tracking=0.02,
            stretch=1.2,
            size=58,
            texture="brush",
            shadow=0.0,
            ornament="bar",
        ),
        Style(anchor="top", stack=True, weight=0.07, tracking=0.0, texture="brush", shadow=0.0, slant=0.1),
    ),
    ("Samurai", "Action", "Historical", "Stylized", "Atmospheric"),
    grain=9.0,
    vignette=0.25,
    scrim=0.75,
)
