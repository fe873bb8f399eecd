"""Horror: a house on a hill, an eye in the dark, a door ajar, a pale figure among dead trees."""

from __future__ import annotations

import math
from random import Random

from steamdino.sample.canvas import HEIGHT, Canvas
from steamdino.sample.lettering_style import Style
from steamdino.sample.palette import Palette, darker, lighter, mix, palette
from steamdino.sample.scenery import bare_tree, bird, hills, moon, rain
from steamdino.sample.themes.theme import Brief, Theme


def paint(canvas: Canvas, brief: Brief) -> None:
    """Paint one of four fears."""
    p, own = brief.colours, brief.own
    canvas.gradient(p.sky)
    canvas.clouds(own, p.far, 0.5, 1.8)
    layout = brief.scene(
        "street asylum nursery chapel",
        "whisper mirror faceless teeth",
        "tenant guest visitor stair confess",
        "unlit moth wither orchard hush",
    )
    (_house, _eye, _door, _wood)[layout](canvas, brief)
    if brief.series.random() < 0.5:
        rain(canvas, own, 90, lighter(p.light, 0.3), 0.15)
    canvas.clouds(own, p.near, 0.55, 2.2, 0.55)


def _house(canvas: Canvas, brief: Brief) -> None:
    p, own = brief.colours, brief.own
    x, base = 150 + own.uniform(-34, 34), brief.focus + 76
    moon(canvas, x + own.choice((-50, 50)), brief.focus - 56, own.uniform(34, 58), p.light, p.far, own)
    hills(canvas, own, base + 34, 14, mix(p.far, p.near, 0.5), p.near)
    dark = darker(p.near, 0.55)
    canvas.polygon(
        [(-5, 455), (-5, base + 70), (x - 70, base + 12), (x + 70, base + 12), (305, base + 74), (305, 455)],
        dark,
    )
    for left, width, height in ((-58, 34, 60), (-26, 52, 84), (24, 30, 112)):
        canvas.rectangle((x + left, base + 16 - height, x + left + width, base + 16), dark)
        canvas.polygon(
            [
                (x + left - 7, base + 17 - height),
                (x + left + width / 2, base - 16 - height),
                (x + left + width + 7, base + 17 - height),
            ],
            dark,
        )
        for row in range(int(height // 32)):
            if own.random() < 0.75:
                spot = (x + left + width / 2, base + 30 - height + row * 28)
                canvas.glow(*spot, 22, p.accent, 0.9)
                canvas.rectangle(
                    (spot[0] - 4, spot[1] - 6, spot[0] + 4, spot[1] + 6), lighter(p.accent, 0.35)
                )
                canvas.line([(spot[0], spot[1] - 6), (spot[0], spot[1] + 6)], dark, 1)
    bare_tree(canvas, own, own.choice((30, 270)), base + 70, 190, dark)
    for _ in range(7):
        bird(
            canvas,
            own.uniform(40, 260),
            own.uniform(brief.focus - 110, brief.focus - 20),
            own.uniform(4, 8),
            dark,
        )


def _eye(canvas: Canvas, brief: Brief) -> None:
    p, own = brief.colours, brief.own
    y, wide = brief.focus + own.uniform(-14, 14), own.uniform(96, 122)
    canvas.glow(150, y, 190, p.accent, 0.7)
    count = brief.series.choice((1, 1, 3))
    for index in range(count):
        part = 1.0 if index == 0 else 0.34
        _one_eye(
            canvas,
            own,
            150 + (0 if index == 0 else (index * 2 - 3) * 92),
            y - (0 if index == 0 else 88),
            wide * part,
            p,
        )
    for _ in range(16):
        angle = own.uniform(0, math.tau)
        far = own.uniform(130, 175)
        points = [(150 + far * 1.6 * math.cos(angle), y + far * 1.6 * math.sin(angle))]
        for step in range(4):
            turn, reach = angle + own.uniform(-0.12, 0.12), far * (1.35 - step * 0.16)
            points.append((150 + reach * math.cos(turn), y + reach * math.sin(turn)))
        canvas.line(points, darker(p.near, 0.5), own.uniform(1.5, 5))


def _one_eye(canvas: Canvas, rng: Random, x: float, y: float, wide: float, p: Palette) -> None:
    upper = [(x + wide * math.cos(t), y - wide * 0.52 * math.sin(t) ** 1.3) for t in _sweep()]
    lower = [(x + wide * math.cos(t), y + wide * 0.42 * math.sin(t) ** 1.3) for t in _sweep()]
    canvas.polygon([(a, b + (b - y) * 0.25) for a, b in upper + lower[::-1]], darker(p.near, 0.6))
    canvas.shaded_polygon(upper + lower[::-1], (mix(p.light, p.near, 0.4), lighter(p.light, 0.3), p.light))
    for _ in range(14):
        side = rng.choice((-1, 1))
        start = (x + side * wide * 0.95, y + rng.uniform(-2, 2))
        canvas.line(
            [
                start,
                (x + side * wide * 0.66, y + rng.uniform(-0.2, 0.2) * wide),
                (x + side * wide * 0.44, y + rng.uniform(-0.26, 0.26) * wide),
            ],
            p.accent,
            0.8,
            0.6,
        )
    canvas.disc(x, y, wide * 0.4, darker(p.accent, 0.65))
    canvas.disc(x, y, wide * 0.37, p.accent)
    for step in range(36):
        angle = step * math.tau / 36
        reach = wide * rng.uniform(0.24, 0.36)
        canvas.line(
            [(x, y), (x + reach * math.cos(angle), y + reach * math.sin(angle))],
            lighter(p.accent, rng.uniform(0.1, 0.6)),
            0.8,
        )
    canvas.ellipse(x, y, wide * 0.07, wide * 0.3, (6, 4, 8))
    canvas.disc(x - wide * 0.14, y - wide * 0.16, wide * 0.055, (255, 255, 255), 0.9)


def _sweep() -> list[float]:
    return [math.pi * step / 24 for step in range(25)]


def _door(canvas: Canvas, brief: Brief) -> None:
    p, own = brief.colours, brief.own
    canvas.veil(darker(p.near, 0.55), (0.75, 0.75))
    x, top, base = 150 + own.uniform(-30, 30), brief.focus - 84, brief.focus + 78
    for step in range(9):
        canvas.line([(x + (step - 4) * 22, base), (x + (step - 4) * 110, HEIGHT)], p.far, 1, 0.5)
    for side in (-1, 1):
        canvas.line(
            [(x + side * 62, top - 40), (x + side * 62, base), (x + side * 320, base + 230)], p.far, 1.2, 0.6
        )
        canvas.line([(x + side * 62, top - 40), (x + side * 320, top - 250)], p.far, 1.2, 0.6)
    canvas.glow(x, brief.focus, 190, p.accent, 0.8)
    canvas.shaded_polygon(
        [(x - 38, base), (x + 38, base), (x + 150, 451), (x - 150, 451)],
        (lighter(p.accent, 0.2), mix(p.accent, p.near, 0.7)),
        0.75,
    )
    canvas.rectangle((x - 44, top - 6, x + 44, base), darker(p.near, 0.3))
    canvas.shade(
        lambda pen: pen.rectangle((0, 0, 400, 800), fill=255),
        (lighter(p.accent, 0.6), p.accent),
        (x - 38, top, x + 38, base),
    )
    canvas.polygon(
        [(x + 38, top), (x + 74, top - 14), (x + 74, base + 18), (x + 38, base)], mix(p.near, p.accent, 0.18)
    )
    dark = (8, 5, 9)
    size = own.uniform(0.8, 1.05)
    canvas.polygon(
        [
            (x - 15 * size, base),
            (x - 22 * size, base - 74 * size),
            (x + 22 * size, base - 74 * size),
            (x + 15 * size, base),
        ],
        dark,
    )
    canvas.ellipse(x, base - 88 * size, 12 * size, 17 * size, dark)
    for side in (-1, 1):
        canvas.line(
            [
                (x + side * 19 * size, base - 72 * size),
                (x + side * 27 * size, base - 26 * size),
                (x + side * 24 * size, base + 6),
            ],
            dark,
            5 * size,
        )
    canvas.polygon([(x - 15, base), (x + 15, base), (x + 60, 451), (x - 60, 451)], dark, 0.55)


def _wood(canvas: Canvas, brief: Brief) -> None:
    p, own = brief.colours, brief.own
    canvas.glow(150, brief.focus, 210, p.light, 0.75)
    base = brief.focus + 92
    for depth in range(3):
        shade = mix(p.far, darker(p.near, 0.4), depth / 2)
        for _ in range(4):
            spot = own.choice((own.uniform(-10, 100), own.uniform(200, 310)))
            bare_tree(canvas, own, spot, base + depth * 26, own.uniform(170, 330), shade)
        hills(canvas, own, base + depth * 24, 5, shade, darker(p.near, 0.4))
    x, pale = 150 + own.uniform(-16, 16), lighter(p.light, 0.35)
    canvas.glow(x, base - 40, 80, p.light, 0.6)
    canvas.shaded_polygon(
        [(x - 9, base - 66), (x + 9, base - 66), (x + 20, base + 8), (x - 20, base + 8)],
        (pale, mix(pale, p.near, 0.6)),
    )
    canvas.ellipse(x, base - 78, 9, 13, pale)
    canvas.polygon(
        [
            (x - 10, base - 80),
            (x, base - 95),
            (x + 10, base - 80),
            (x + 12, base - 48),
            (x + 6, base - 60),
            (x, base - 86),
            (x - 6, base - 60),
            (x - 12, base - 48),
        ],
        (10, 8, 12),
    )
    for side in (-1, 1):
        canvas.disc(x + side * 3.5, base - 77, 1.9, p.accent)


THEME = Theme(
    "horror",
    paint,
    (
        palette("07070b 1a1015 4a1218 | 3d1a20 08060a f0d9c4 d8262c f5e9e0"),
        palette("05090b 0f2426 3a5a4e | 2b4742 050909 d8f0c8 9be04a e8f5e0"),
        palette("08070f 1d1a35 4f4a78 | 35305c 07060e dcd8ff b05cff f0ecff"),
        palette("0d0a06 33230f 8a5a1c | 5c3d16 0b0805 ffe2a0 ff8c1a fff0d0"),
        palette("0a0a0b 2a2a2d 77777a | 47474b 080809 f2f2ee e01f3a ffffff"),
        palette("04080f 0e2038 2f5f86 | 1f3f5c 04080e d6efff ff5340 eef8ff"),
    ),
    (
        Style(stretch=1.5, weight=0.0, tracking=0.16, texture="worn", size=46),
        Style(anchor="top", weight=0.04, tracking=0.04, texture="worn", stretch=1.25, size=58, fill="fade"),
        Style(weight=0.0, tracking=0.32, size=36, ornament="rules"),
        Style(stack=True, weight=0.07, tracking=0.0, texture="worn", stretch=1.1, glow=0.7),
    ),
    ("Horror", "Psychological", "Dark", "Mystery", "Survival"),
    grain=12.0,
    vignette=0.6,
    scrim=0.7,
)
