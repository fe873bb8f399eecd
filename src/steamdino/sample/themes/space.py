"""Space: planets with rings, nebulae, ships and stations."""

from __future__ import annotations

import math
from random import Random

from steamdino.sample.canvas import Canvas
from steamdino.sample.lettering_style import Style
from steamdino.sample.palette import Colour, Palette, darker, lighter, mix, palette
from steamdino.sample.scenery import ridge, sparkle, stars
from steamdino.sample.themes.theme import Brief, Theme


def paint(canvas: Canvas, brief: Brief) -> None:
    """Paint a planet, a fleet, a station or an alien shore under a nebula."""
    p, own = brief.colours, brief.own
    canvas.gradient(p.sky)
    canvas.clouds(brief.series, p.far, 0.75, bias=0.42)
    canvas.clouds(own, p.accent, 0.35, bias=0.5)
    stars(canvas, own, 110, lighter(p.light, 0.6))
    hero = brief.pick(
        "ship:drift voyage",
        "station:station harbor colony orbit beacon",
        "planet:moon eclipse sun nebula",
        "ship",
    )
    ringed = brief.series.random() < 0.6
    layout = brief.scene("orbit ring sun", "moon eclipse giant", "horizon colony letters")
    x = own.uniform(80, 220)
    if layout == 0:
        _planet(canvas, own, x, brief.focus, own.uniform(62, 88), p, ringed)
    elif layout == 1:
        _planet(canvas, own, own.choice((0, 300)), brief.focus + 40, 170, p, False)
        _planet(canvas, own, 300 - x, brief.focus - 80, 24, p, ringed)
    else:
        _planet(canvas, own, x, brief.focus - 46, 44, p, ringed)
        ridge(canvas, own, 350, 34, mix(p.far, p.near, 0.5), p.near, 0.5)
        ridge(canvas, own, 400, 24, p.near, darker(p.near, 0.5), 0.6)
    if hero == "ship":
        count = 1 + 2 * (brief.number % 2)
        for index in range(count):
            _ship(
                canvas,
                150 + (index - (count - 1) / 2) * 70 + own.uniform(-14, 14),
                brief.focus + 34 - 26 * (index % 2) + own.uniform(-16, 16),
                34 if count > 1 else 52,
                p,
            )
    elif hero == "station":
        _station(canvas, 300 - x, brief.focus + own.uniform(-10, 50), own.uniform(36, 50), p)
    else:
        _planet(
            canvas,
            own,
            300 - x,
            brief.focus + 62,
            22,
            Palette(p.sky, p.accent, p.near, p.light, p.far, p.title),
            True,
        )
        sparkle(canvas, x, brief.focus - 60, 22, lighter(p.light, 0.5))
        canvas.glow(x, brief.focus - 60, 60, p.light, 0.8)


def _planet(canvas: Canvas, rng: Random, x: float, y: float, radius: float, p: Palette, ringed: bool) -> None:
    canvas.glow(x, y, radius * 1.7, p.light, 0.6)
    tilt = rng.uniform(-0.35, 0.35)
    if ringed:
        _ring(canvas, x, y, radius, tilt, p.light, back=True)
    canvas.shaded_disc(x, y, radius, (lighter(p.light, 0.15), p.accent, darker(p.accent, 0.75)))
    for _ in range(4):
        shift = rng.uniform(-0.7, 0.5) * radius
        half = math.sqrt(max(0.0, radius**2 - shift**2)) * 0.93
        thick = radius * rng.uniform(0.02, 0.07)
        canvas.ellipse(x, y + shift, half, thick, mix(p.light, p.accent, rng.random()), 0.35)
    # The night side: a darker disc, shifted, would stick out; a thick rim on one side does not.
    for step in range(10):
        canvas.arc(
            (x - radius + step, y - radius, x + radius, y + radius), 10, 110, darker(p.accent, 0.8), 1.2
        )
    if ringed:
        _ring(canvas, x, y, radius, tilt, lighter(p.light, 0.2), back=False)


def _ring(
    canvas: Canvas, x: float, y: float, radius: float, tilt: float, colour: Colour, *, back: bool
) -> None:
    turn = (math.pi, math.tau) if back else (0.0, math.pi)
    for size, width, alpha in ((1.45, 4.0, 0.8), (1.65, 2.0, 0.6), (1.78, 1.2, 0.5)):
        points = []
        for step in range(41):
            angle = turn[0] + (turn[1] - turn[0]) * step / 40
            across, up = math.cos(angle) * radius * size, math.sin(angle) * radius * size * 0.26
            points.append(
                (
                    x + across * math.cos(tilt) - up * math.sin(tilt),
                    y + across * math.sin(tilt) + up * math.cos(tilt),
                )
            )
        canvas.line(points, colour, width * radius / 70, alpha)


def _ship(canvas: Canvas, x: float, y: float, size: float, p: Palette) -> None:
    hull, bright = darker(p.near, 0.2), lighter(p.light, 0.3)
    canvas.glow(x, y + size * 0.62, size * 0.8, p.light, 1.0)
    canvas.polygon(
        [(x - size * 0.1, y + size * 0.45), (x, y + size * 1.5), (x + size * 0.1, y + size * 0.45)],
        bright,
        0.85,
    )
    canvas.polygon(
        [
            (x, y - size),
            (x + size * 0.2, y - size * 0.2),
            (x + size * 0.72, y + size * 0.5),
            (x + size * 0.2, y + size * 0.4),
            (x, y + size * 0.55),
            (x - size * 0.2, y + size * 0.4),
            (x - size * 0.72, y + size * 0.5),
            (x - size * 0.2, y - size * 0.2),
        ],
        hull,
    )
    canvas.polygon(
        [
            (x, y - size),
            (x + size * 0.2, y - size * 0.2),
            (x + size * 0.72, y + size * 0.5),
            (x + size * 0.12, y + size * 0.1),
        ],
        mix(hull, p.light, 0.4),
    )
    canvas.ellipse(x, y - size * 0.25, size * 0.07, size * 0.2, bright)


def _station(canvas: Canvas, x: float, y: float, size: float, p: Palette) -> None:
    hull = darker(p.near, 0.1)
    canvas.glow(x, y, size * 1.6, p.light, 0.7)
    canvas.ring(x, y, size, hull, size * 0.16)
    canvas.ring(x, y, size * 0.97, mix(hull, p.light, 0.5), size * 0.03)
    for turn in range(6):
        angle = turn * math.tau / 6 + 0.3
        canvas.line([(x, y), (x + size * math.cos(angle), y + size * math.sin(angle))], hull, size * 0.07)
        canvas.disc(
            x + size * 0.92 * math.cos(angle), y + size * 0.92 * math.sin(angle), size * 0.05, p.light
        )
    canvas.shaded_disc(x, y, size * 0.32, (mix(hull, p.light, 0.6), hull))
    canvas.rectangle((x - size * 0.05, y - size * 1.7, x + size * 0.05, y + size * 1.7), hull)


THEME = Theme(
    "space",
    paint,
    (
        palette("050714 141a4a 3a2a78 | 5a3bb0 0a0c22 ffd6a5 ff7b7b f4f1ff"),
        palette("02101a 06333f 0f6b6e | 12908a 03161c baffe0 35c9a5 eafff8"),
        palette("120513 43103f a32a4d | c2386b 1a0618 ffd08a ff9a3c fff3df"),
        palette("04060f 0d2148 1d5fa8 | 2b7fd6 060d20 cfeaff 7fb8ff ffffff"),
        palette("0d0805 3a1a0c 8c3f14 | b8551a 170b06 ffe3a3 ffb02e fff2cf"),
        palette("08040f 2a1152 6b1fa0 | 9c36d8 0e0620 ffb8f2 f05ad0 ffe9ff"),
    ),
    (
        Style(tracking=0.3, weight=0.0, ornament="rules", size=40, shadow=0.7, glow=0.25),
        Style(anchor="top", weight=0.05, tracking=0.08, stretch=1.15, fill="chrome", ornament="rules"),
        Style(stack=True, weight=0.06, tracking=0.02, fill="fade", slant=0.16, ornament="bar"),
        Style(anchor="top", weight=0.02, tracking=0.18, texture="cut", size=46, ornament="diamond"),
    ),
    ("Space", "Exploration", "Sci-fi", "Strategy", "Atmospheric"),
)
