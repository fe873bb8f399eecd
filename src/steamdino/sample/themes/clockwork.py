"""Clockwork: airships over smoking towers, walls of gears, locomotives and brass automata."""

from __future__ import annotations

import math

from steamdino.sample.canvas import HEIGHT, WIDTH, Canvas, Point
from steamdino.sample.lettering_style import Style
from steamdino.sample.palette import Colour, Palette, darker, lighter, mix, palette
from steamdino.sample.props.craft import airship
from steamdino.sample.scenery import cloud, flakes
from steamdino.sample.themes.theme import Brief, Theme


def paint(canvas: Canvas, brief: Brief) -> None:
    """Paint an airship above a city, a great clock among gears, or a locomotive head on."""
    p, own = brief.colours, brief.own
    canvas.gradient(p.sky)
    canvas.clouds(own, p.far, 0.5, 1.6)
    layout = brief.scene(
        "airship zeppelin aether",
        "chrono pendul tick main cog gear",
        "engine loco boiler steam",
        "automaton brassheart mister tinker mechan",
    )
    (_airship, _clock, _engine, _automaton)[layout](canvas, brief)
    flakes(canvas, own, 40, lighter(p.light, 0.2), 1.5)


def _gear(
    canvas: Canvas, x: float, y: float, radius: float, teeth: int, shade: Colour, turn: float, hole: Colour
) -> None:
    points: list[Point] = []
    for index in range(teeth * 4):
        reach = radius if index % 4 in (1, 2) else radius * 0.86
        angle = turn + index * math.tau / (teeth * 4)
        points.append((x + reach * math.cos(angle), y + reach * math.sin(angle)))
    canvas.polygon([(a + 2, b + 4) for a, b in points], (0, 0, 0), 0.3)
    canvas.shaded_polygon(points, (lighter(shade, 0.28), shade, darker(shade, 0.35)))
    canvas.ring(x, y, radius * 0.74, darker(shade, 0.4), radius * 0.035)
    for index in range(5):
        angle = turn + index * math.tau / 5
        canvas.disc(
            x + radius * 0.47 * math.cos(angle), y + radius * 0.47 * math.sin(angle), radius * 0.17, hole, 0.9
        )
    canvas.disc(x, y, radius * 0.17, darker(shade, 0.5))
    canvas.disc(x, y, radius * 0.09, lighter(shade, 0.4))


def _city(canvas: Canvas, brief: Brief, base: float) -> None:
    p, own = brief.colours, brief.own
    for depth in range(3):
        shade = mix(p.far, p.near, depth / 2)
        left = -10.0
        while left < WIDTH:
            wide, top = own.uniform(16, 36), base + depth * 26 - own.uniform(20, 86)
            canvas.shaded_polygon(
                [(left, top), (left + wide, top), (left + wide, 451), (left, 451)],
                (shade, darker(shade, 0.25)),
            )
            kind = own.randrange(4)
            if kind == 0:
                canvas.polygon(
                    [(left - 2, top), (left + wide / 2, top - wide * 1.3), (left + wide + 2, top)], shade
                )
            elif kind == 1:
                canvas.disc(left + wide / 2, top, wide / 2, shade)
                canvas.line([(left + wide / 2, top - wide / 2), (left + wide / 2, top - wide)], shade, 1.6)
            elif kind == 2:
                canvas.rectangle((left + wide * 0.3, top - 34, left + wide * 0.55, top), shade)
                for puff in range(6):
                    canvas.disc(
                        left + wide * 0.42 + puff * 6,
                        top - 38 - puff * 10,
                        4 + puff * 2.2,
                        lighter(shade, 0.25),
                        0.32 - puff * 0.04,
                    )
            for row in range(5):
                if own.random() < 0.6:
                    x, y = left + own.uniform(3, wide - 5), top + 6 + row * 13
                    canvas.rectangle((x, y, x + 3, y + 5), p.light, 0.85)
            left += wide + own.uniform(-2, 8)


def _airship(canvas: Canvas, brief: Brief) -> None:
    p, own = brief.colours, brief.own
    canvas.glow(own.uniform(60, 240), brief.focus - 30, 220, p.light, 0.7)
    for _ in range(6):
        cloud(
            canvas,
            own,
            own.uniform(0, 300),
            brief.focus + own.uniform(-120, 60),
            own.uniform(70, 140),
            lighter(p.sky[-1], 0.35),
            0.4,
        )
    _city(canvas, brief, brief.focus + 110)
    airship(
        canvas,
        own.choice((50, 250)),
        brief.focus - 90,
        26,
        Palette(p.sky, p.far, p.near, p.light, mix(p.accent, p.far, 0.5), p.title),
        1,
    )
    airship(
        canvas, 150 + own.uniform(-16, 16), brief.focus - 10, own.uniform(96, 112), p, own.choice((-1, 1))
    )


def _clock(canvas: Canvas, brief: Brief) -> None:
    p, own = brief.colours, brief.own
    canvas.glow(150, brief.focus, 220, p.light, 0.6)
    for _ in range(10):
        angle, reach = own.uniform(0, math.tau), own.uniform(105, 185)
        shade = mix(p.near, own.choice((p.accent, p.light, p.far)), own.uniform(0.25, 0.7))
        _gear(
            canvas,
            150 + reach * math.cos(angle),
            brief.focus + reach * math.sin(angle),
            own.uniform(22, 58),
            own.choice((10, 12, 16)),
            shade,
            own.random(),
            darker(p.near, 0.2),
        )
    _gear(canvas, 150, brief.focus, 112, 24, mix(p.accent, p.near, 0.2), own.random(), p.near)
    canvas.disc(150, brief.focus, 80, darker(p.near, 0.2))
    canvas.shaded_disc(150, brief.focus, 75, (lighter(p.light, 0.75), lighter(p.light, 0.3)))
    dark = darker(p.near, 0.35)
    for hour in range(12):
        angle = hour * math.tau / 12
        inner = 57 if hour % 3 == 0 else 63
        canvas.line(
            [
                (150 + inner * math.cos(angle), brief.focus + inner * math.sin(angle)),
                (150 + 69 * math.cos(angle), brief.focus + 69 * math.sin(angle)),
            ],
            dark,
            4 if hour % 3 == 0 else 2,
        )
    for length, width in ((40, 5.0), (58, 3.0)):
        angle = own.uniform(0, math.tau)
        tip = (150 + length * math.cos(angle), brief.focus + length * math.sin(angle))
        canvas.line([(150 - 10 * math.cos(angle), brief.focus - 10 * math.sin(angle)), tip], dark, width)
        canvas.disc(
            150 + length * 0.7 * math.cos(angle),
            brief.focus + length * 0.7 * math.sin(angle),
            width * 1.3,
            dark,
        )
    canvas.disc(150, brief.focus, 6, p.accent)


def _engine(canvas: Canvas, brief: Brief) -> None:
    p, own = brief.colours, brief.own
    x, y, base = 150 + own.uniform(-12, 12), brief.focus + 10, brief.focus + 104
    _city(canvas, brief, brief.focus + 40)
    canvas.shaded_polygon(
        [(-1, base - 8), (301, base - 8), (301, 451), (-1, 451)],
        (mix(p.near, p.far, 0.3), darker(p.near, 0.4)),
    )
    for index in range(9):
        row = base + (index / 8) ** 1.8 * (HEIGHT - base)
        half = 50 + (row - base) * 0.8
        canvas.rectangle((x - half - 14, row, x + half + 14, row + 3 + index), darker(p.near, 0.55))
    for side in (-1, 1):
        canvas.polygon(
            [(x + side * 40, base), (x + side * 46, base), (x + side * 186, 451), (x + side * 168, 451)],
            mix(p.light, p.near, 0.35),
        )
    for puff in range(9):
        canvas.disc(
            x + own.uniform(-8, 8) * puff * 0.9,
            y - 92 - puff * 15,
            13 + puff * 5,
            lighter(p.sky[-1], 0.45),
            0.5 - puff * 0.04,
        )
    body, dark = mix(p.accent, p.near, 0.2), darker(p.near, 0.5)
    canvas.rectangle((x - 13, y - 98, x + 13, y - 50), dark)
    canvas.polygon([(x - 20, y - 100), (x + 20, y - 100), (x + 15, y - 86), (x - 15, y - 86)], body)
    canvas.rectangle((x - 66, y + 26, x + 66, base - 8), dark, corner=4)
    canvas.shaded_disc(x, y, 64, (lighter(body, 0.3), body, darker(body, 0.5)))
    canvas.ring(x, y, 64, mix(p.light, p.accent, 0.5), 4)
    canvas.disc(x, y, 46, darker(body, 0.45))
    for index in range(12):
        angle = index * math.tau / 12
        canvas.disc(x + 55 * math.cos(angle), y + 55 * math.sin(angle), 2.4, p.light)
    _gear(canvas, x, y, 34, 12, mix(p.light, p.accent, 0.5), own.random(), darker(body, 0.5))
    canvas.rectangle((x - 76, y + 60, x + 76, y + 74), body, corner=3)
    canvas.polygon(
        [(x - 62, y + 74), (x + 62, y + 74), (x + 84, base + 8), (x - 84, base + 8)],
        mix(dark, p.accent, 0.18),
    )
    for index in range(-4, 5):
        canvas.line([(x + index * 13, y + 75), (x + index * 19, base + 7)], dark, 2.4)
    for spot in ((x, y - 58), (x - 58, y + 50), (x + 58, y + 50)):
        canvas.glow(*spot, 66, lighter(p.light, 0.2), 1.0)
        canvas.disc(*spot, 10, lighter(p.light, 0.6))


def _automaton(canvas: Canvas, brief: Brief) -> None:
    p, own = brief.colours, brief.own
    x, y = 150 + own.uniform(-10, 10), brief.focus - 6
    for _ in range(7):
        _gear(
            canvas,
            own.uniform(0, 300),
            brief.focus + own.uniform(-150, 130),
            own.uniform(26, 60),
            own.choice((10, 14)),
            mix(p.far, p.near, own.uniform(0.2, 0.6)),
            own.random(),
            darker(p.near, 0.1),
        )
    canvas.glow(x, y, 190, p.light, 0.7)
    metal, dark = p.accent, darker(p.near, 0.4)
    canvas.shaded_polygon(
        [
            (x - 96, y + 150),
            (x - 84, y + 96),
            (x - 40, y + 78),
            (x + 40, y + 78),
            (x + 84, y + 96),
            (x + 96, y + 150),
        ],
        (metal, darker(metal, 0.55)),
    )
    canvas.rectangle((x - 22, y + 54, x + 22, y + 84), darker(metal, 0.5))
    canvas.shaded_polygon(
        [
            (x - 58, y + 60),
            (x - 66, y - 20),
            (x - 40, y - 66),
            (x, y - 78),
            (x + 40, y - 66),
            (x + 66, y - 20),
            (x + 58, y + 60),
        ],
        (lighter(metal, 0.4), metal, darker(metal, 0.4)),
    )
    canvas.line([(x, y - 78), (x, y - 102)], dark, 4)
    canvas.disc(x, y - 105, 7, p.light)
    canvas.glow(x, y - 105, 36, p.light, 0.9)
    eyes = own.choice((13.0, 16.0))
    for side in (-1, 1):
        canvas.disc(x + side * 26, y - 8, eyes + 6, dark)
        canvas.disc(x + side * 26, y - 8, eyes, lighter(p.light, 0.35))
        canvas.glow(x + side * 26, y - 8, 44, p.light, 0.9)
        canvas.disc(x + side * 26, y - 8, eyes * 0.4, dark)
        canvas.disc(x + side * 66, y + 4, 11, darker(metal, 0.35))
    for index in range(6):
        canvas.rectangle((x - 32 + index * 11, y + 28, x - 24 + index * 11, y + 46), dark, corner=2)
    for spot in ((-48, 50), (48, 50), (-52, -26), (52, -26)):
        canvas.disc(x + spot[0], y + spot[1], 2.6, lighter(p.light, 0.3))
    _gear(canvas, x, y + 116, 24, 10, mix(p.light, metal, 0.4), own.random(), dark)


THEME = Theme(
    "clockwork",
    paint,
    (
        palette("2a1a12 6f4222 d8924a | 7a4c2a 1e120c ffe2a0 c8813a fff0d0"),
        palette("122a2e 2f5f5a b0b87a | 3f6a60 0c1c1e fff0b8 d0893f fff6dc"),
        palette("2a1020 6f2a3a d8785a | 7a3a40 1c0a16 ffdca8 b8863f ffeed4"),
        palette("14182a 3a4468 a08a90 | 4a5272 0e1020 ffe8b0 c09050 fff4dc"),
        palette("3a2c1c 9a7a4a f0d8a0 | a8845a 2a1c10 fff6d8 8f4a2a fff8e4"),
        palette("101c14 2f4a34 90a060 | 3f5a3c 0c140e f8f0b0 d8a03f fbf6d8"),
    ),
    (
        Style(weight=0.05, tracking=0.03, fill="chrome", stretch=1.15, size=56, ornament="diamond", depth=2),
        Style(
            anchor="top", weight=0.04, tracking=0.12, fill="fade", size=46, ornament="diamond", outline=0.12
        ),
        Style(stack=True, weight=0.07, tracking=0.01, texture="cut", fill="chrome", ornament="bar"),
        Style(
            anchor="top",
            weight=0.06,
            tracking=0.02,
            arc=12,
            fill="chrome",
            size=58,
            depth=3,
            ornament="diamond",
        ),
    ),
    ("Steampunk", "Strategy", "Management", "Adventure", "Alternate History"),
    grain=9.0,
    scrim=0.65,
)
