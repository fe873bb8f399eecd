"""Racing: roads into the sunset, cars from behind and from the side, stripes and start numbers."""

from __future__ import annotations

import math

from steamdino.sample.canvas import HEIGHT, WIDTH, Canvas
from steamdino.sample.lettering_style import Style
from steamdino.sample.palette import darker, lighter, mix, palette
from steamdino.sample.props.cars import car_rear, car_side
from steamdino.sample.scenery import ridge
from steamdino.sample.themes.theme import Brief, Theme


def paint(canvas: Canvas, brief: Brief) -> None:
    """Paint a road to the horizon, a car on diagonal stripes, or a bend seen from above."""
    p, own = brief.colours, brief.own
    canvas.gradient(p.sky)
    kind = brief.pick("coupe", "buggy:gravel", "wedge:redline turbo")
    start = str(brief.series.randint(2, 99))
    layout = brief.scene(
        "redline sunset coast motor", "king grid tarmac opera pole", "drift hairpin bend petal chicane"
    )
    if layout == 0:
        _road(canvas, brief)
        car_rear(canvas, 150 + own.uniform(-26, 26), brief.focus + 100, 58, p, kind)
    elif layout == 1:
        _stripes(canvas, brief)
        car_side(canvas, 150 + own.uniform(-8, 8), brief.focus + 52, 116, p, kind, start, own.choice((-1, 1)))
    else:
        _bend(canvas, brief)
        car_side(
            canvas, 140 + own.uniform(-20, 20), brief.focus + 84, 84, p, kind, start, own.choice((-1, 1))
        )
    for _ in range(16):
        y, length = own.uniform(brief.focus - 60, brief.focus + 120), own.uniform(20, 90)
        x = own.choice((own.uniform(-40, 40), own.uniform(230, 320)))
        canvas.line([(x, y), (x + length, y)], lighter(p.light, 0.5), own.uniform(0.5, 1.6), 0.35)


def _road(canvas: Canvas, brief: Brief) -> None:
    p, own = brief.colours, brief.own
    horizon = brief.focus + 14
    x = 150 + own.uniform(-50, 50)
    canvas.glow(x, horizon - 20, 210, p.light, 0.8)
    canvas.shaded_disc(x, horizon - 26, 66, (lighter(p.light, 0.35), p.light, p.accent))
    for index in range(6):
        y = horizon - 46 + index * 12
        canvas.rectangle((x - 70, y, x + 70, y + 1.0 + index * 0.9), mix(p.sky[-1], p.sky[1], 0.3), 0.9)
    ridge(canvas, own, horizon - 8, 26, p.far, mix(p.far, p.near, 0.6), 0.5)
    canvas.shaded_polygon(
        [(-1, horizon), (301, horizon), (301, 451), (-1, 451)], (mix(p.far, p.near, 0.5), p.near)
    )
    for index in range(9):
        y = horizon + (index / 8) ** 2.2 * (HEIGHT - horizon)
        canvas.line([(0, y), (WIDTH, y)], p.accent, 0.8, 0.35)
    for index in range(-9, 10):
        canvas.line([(150 + index * 10, horizon), (150 + index * 90, HEIGHT)], p.accent, 0.8, 0.35)
    canvas.shaded_polygon(
        [(146, horizon), (154, horizon), (330, 451), (-30, 451)],
        (mix(p.near, p.far, 0.4), darker(p.near, 0.35)),
    )
    for side in (-1, 1):
        canvas.polygon(
            [
                (150 + side * 4, horizon),
                (150 + side * 5, horizon),
                (150 + side * 182, 451),
                (150 + side * 168, 451),
            ],
            lighter(p.light, 0.4),
        )
    for index in range(7):
        near, far = (index / 7) ** 2, ((index + 0.5) / 7) ** 2
        top, low = horizon + near * 230, horizon + far * 230
        canvas.polygon(
            [(150 - near * 6, top), (150 + near * 6, top), (150 + far * 6, low), (150 - far * 6, low)],
            lighter(p.light, 0.6),
        )


def _stripes(canvas: Canvas, brief: Brief) -> None:
    p, own = brief.colours, brief.own
    lean = own.uniform(0.3, 0.8) * own.choice((-1, 1))
    y = brief.focus - 150
    for index, shade in enumerate((p.far, p.accent, p.light, mix(p.accent, p.near, 0.5), p.far)):
        thick = own.uniform(16, 46)
        canvas.polygon(
            [
                (-5, y + lean * 150),
                (305, y - lean * 150),
                (305, y - lean * 150 + thick),
                (-5, y + lean * 150 + thick),
            ],
            shade,
            0.95 if index else 0.5,
        )
        y += thick + own.uniform(2, 30)
    ground = brief.focus + 76
    canvas.shaded_polygon([(-1, ground), (301, ground), (301, 451), (-1, 451)], (p.near, darker(p.near, 0.5)))
    size = 9
    for row in range(2):
        for index in range(0, 36, 2):
            left = (index + row) * size
            canvas.rectangle(
                (left, ground + row * size, left + size, ground + (row + 1) * size),
                lighter(p.light, 0.7),
                0.85,
            )


def _bend(canvas: Canvas, brief: Brief) -> None:
    p, own = brief.colours, brief.own
    canvas.glow(own.uniform(60, 240), brief.focus - 70, 200, p.light, 0.9)
    for depth in range(3):
        shade = mix(p.far, p.near, depth / 2.5)
        ridge(
            canvas, own, brief.focus - 40 + depth * 36, 46 - depth * 12, shade, mix(shade, p.near, 0.5), 0.48
        )
    side = own.choice((-1, 1))
    left, right = [], []
    for step in range(31):
        part = step / 30
        centre = 150 + side * (math.sin(part * 4.4) * 92 * (1 - part * 0.5))
        width = 2 + part**1.7 * 120
        y = brief.focus + 6 + part**1.5 * 190
        left.append((centre - width, y))
        right.append((centre + width, y))
    canvas.polygon(
        [(-1, brief.focus + 6), *left[:1], *right[:1], (301, brief.focus + 6), (301, 451), (-1, 451)], p.near
    )
    canvas.polygon(left + right[::-1], mix(p.near, p.far, 0.45))
    for edge in (left, right):
        canvas.line(edge, lighter(p.light, 0.5), 2.2)


THEME = Theme(
    "racing",
    paint,
    (
        palette("2b0f54 a3276f ff7a4d | 6b2173 180a30 ffd36b ff3d71 ffffff"),
        palette("06283d 1f7f9c ffe6a8 | 256d85 0a1f2b fff1b8 ff5a36 ffffff"),
        palette("1a1a1d 4e1014 c3272b | 6f1115 101012 ffd400 e8e8ea ffffff"),
        palette("0a0a2a 0c4fd1 29e0e8 | 1641a8 070a22 d8fbff ff4fd8 ffffff"),
        palette("0f2e1d 2c8a4e e9f28a | 2b6e45 0c1f16 fff6a0 ff8a1f ffffff"),
        palette("f2b705 f28705 d92b04 | b3330a 2a0a08 fff2c4 141414 fff8e6"),
    ),
    (
        Style(stack=True, slant=0.22, weight=0.07, tracking=0.0, fill="fade", outline=0.12, ornament="bar"),
        Style(anchor="top", slant=0.22, weight=0.07, tracking=0.02, fill="chrome", depth=3),
        Style(slant=0.3, weight=0.08, tracking=0.0, texture="cut", rise=-0.09, size=66),
        Style(anchor="top", stack=True, weight=0.09, tracking=-0.01, slant=0.12, rise=-0.06, depth=4),
    ),
    ("Racing", "Sports", "Arcade", "Driving", "Multiplayer"),
    scrim=0.5,
)
