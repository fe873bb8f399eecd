"""Farm: rolling fields, barns, windmills, sheep, sunflowers and round friendly trees."""

from __future__ import annotations

import math
from random import Random

from steamdino.sample.canvas import HEIGHT, WIDTH, Canvas, Point
from steamdino.sample.lettering_style import Style
from steamdino.sample.palette import Colour, Palette, darker, lighter, mix, palette
from steamdino.sample.props.animals import farm_animal
from steamdino.sample.scenery import bird, cloud, flakes, height_at, hills, rays
from steamdino.sample.themes.theme import Brief, Theme


def paint(canvas: Canvas, brief: Brief) -> None:
    """Paint a farmstead on a hill, rows of crops to the horizon, or a flower meadow."""
    p, own, series = brief.colours, brief.own, brief.series
    house, animal = (
        brief.pick("barn:barn hay country", "windmill:windmill meadow", "cottage:cottage honey town"),
        brief.pick("sheep:sheep wool", "hen", "cow:clover"),
    )
    canvas.gradient(p.sky)
    x = own.uniform(60, 240)
    if series.random() < 0.4:
        rays(canvas, x, brief.focus - 60, 18, lighter(p.light, 0.4), 0.16, own.random())
    canvas.glow(x, brief.focus - 60, 130, p.light, 0.7)
    canvas.shaded_disc(x, brief.focus - 60, own.uniform(24, 38), (lighter(p.light, 0.55), p.light))
    for _ in range(5):
        cloud(
            canvas,
            own,
            own.uniform(0, 300),
            brief.focus + own.uniform(-110, 0),
            own.uniform(56, 110),
            (255, 255, 255),
            0.8,
        )
    far = hills(canvas, own, brief.focus + 30, 16, lighter(p.far, 0.25), p.far)
    for _ in range(9):
        spot = own.uniform(0, 300)
        _tree(canvas, own, spot, height_at(far, spot) + 3, own.uniform(14, 24), mix(p.far, p.near, 0.45))
    layout = brief.scene(
        "cottage barn home sheep town",
        "turnip barley harvest pumpkin acre",
        "meadow sunny garden butter honey",
    )
    if layout == 0:
        line = hills(canvas, own, brief.focus + 66, 14, mix(p.far, p.near, 0.25), mix(p.far, p.near, 0.6))
        spot = own.uniform(100, 200)
        _house(canvas, house, spot, height_at(line, spot) + 10, 50, p)
        for side in (-1, 1):
            beside = spot + side * own.uniform(66, 92)
            _tree(canvas, own, beside, height_at(line, beside) + 8, own.uniform(40, 58), p.near)
        front = hills(canvas, own, brief.focus + 106, 9, mix(p.far, p.near, 0.5), p.near)
        _fence(canvas, front, p)
    elif layout == 1:
        _crops(canvas, brief)
        _house(canvas, house, own.choice((66, 234)), brief.focus + 52, 36, p)
        front = hills(canvas, own, brief.focus + 136, 5, p.near, darker(p.near, 0.25))
    else:
        line = hills(canvas, own, brief.focus + 60, 15, mix(p.far, p.near, 0.2), mix(p.far, p.near, 0.5))
        spot = own.choice((74, 226))
        _house(canvas, house, spot, height_at(line, spot) + 6, 34, p)
        front = hills(canvas, own, brief.focus + 112, 8, mix(p.far, p.near, 0.6), p.near)
        for _ in range(11):
            spot = own.uniform(5, 295)
            _sunflower(canvas, spot, height_at(front, spot) + 26, own.uniform(44, 96), p)
    for _ in range(2 + own.randrange(3)):
        spot = own.uniform(40, 260)
        farm_animal(
            canvas,
            animal,
            spot,
            height_at(front, spot) + own.uniform(8, 22),
            own.uniform(20, 26),
            p,
            own.choice((-1, 1)),
        )
    for _ in range(60):
        bloom = (own.uniform(0, WIDTH), own.uniform(brief.focus + 126, HEIGHT))
        canvas.disc(*bloom, own.uniform(0.8, 2.2), own.choice((p.light, p.accent, (255, 255, 255))), 0.8)
    for _ in range(3):
        bird(
            canvas,
            own.uniform(30, 270),
            brief.focus - own.uniform(20, 100),
            own.uniform(4, 7),
            darker(p.near, 0.3),
        )
    flakes(canvas, own, 22, lighter(p.light, 0.6), 1.5)


def _tree(canvas: Canvas, rng: Random, x: float, base: float, size: float, colour: Colour) -> None:
    canvas.rectangle((x - size * 0.06, base - size * 0.5, x + size * 0.06, base), darker(colour, 0.5))
    for dx, dy, part in ((-0.2, 0.62, 0.28), (0.22, 0.64, 0.26), (0.0, 0.86, 0.32)):
        canvas.shaded_disc(
            x + dx * size,
            base - dy * size,
            part * size * rng.uniform(0.95, 1.15),
            (lighter(colour, 0.28), colour),
        )


def _house(canvas: Canvas, kind: str, x: float, base: float, size: float, p: Palette) -> None:
    wall, white = p.accent, (255, 250, 238)
    if kind == "windmill":
        canvas.shaded_polygon(
            [
                (x - size * 0.36, base),
                (x - size * 0.22, base - size * 1.3),
                (x + size * 0.22, base - size * 1.3),
                (x + size * 0.36, base),
            ],
            (white, mix(white, p.near, 0.25)),
        )
        canvas.polygon(
            [
                (x - size * 0.28, base - size * 1.28),
                (x, base - size * 1.66),
                (x + size * 0.28, base - size * 1.28),
            ],
            wall,
        )
        canvas.rectangle(
            (x - size * 0.1, base - size * 0.32, x + size * 0.1, base), darker(wall, 0.35), corner=3
        )
        hub: Point = (x, base - size * 1.3)
        for index in range(4):
            angle = 0.5 + index * math.tau / 4
            tip = (hub[0] + size * 0.95 * math.cos(angle), hub[1] + size * 0.95 * math.sin(angle))
            out = (math.cos(angle + 1.57) * size * 0.2, math.sin(angle + 1.57) * size * 0.2)
            root = (hub[0] + size * 0.2 * math.cos(angle), hub[1] + size * 0.2 * math.sin(angle))
            canvas.polygon(
                [root, tip, (tip[0] + out[0], tip[1] + out[1]), (root[0] + out[0], root[1] + out[1])],
                white,
                0.92,
            )
            canvas.line([hub, tip], darker(p.near, 0.4), 1.6)
        canvas.disc(*hub, size * 0.07, darker(p.near, 0.4))
        return
    wide = 0.8 if kind == "barn" else 0.66
    canvas.shaded_polygon(
        [
            (x - size * wide, base),
            (x - size * wide, base - size * 0.66),
            (x + size * wide, base - size * 0.66),
            (x + size * wide, base),
        ],
        (wall, darker(wall, 0.25)) if kind == "barn" else (white, mix(white, wall, 0.2)),
    )
    if kind == "barn":
        roof = [
            (x - size * 0.92, base - size * 0.62),
            (x - size * 0.6, base - size * 1.06),
            (x, base - size * 1.34),
            (x + size * 0.6, base - size * 1.06),
            (x + size * 0.92, base - size * 0.62),
        ]
        canvas.shaded_polygon(roof, (darker(wall, 0.05), darker(wall, 0.2)))
        canvas.line(roof, white, 3)
        canvas.rectangle((x - size * 0.28, base - size * 0.48, x + size * 0.28, base), darker(wall, 0.3))
        for a, b in (((-0.28, 0), (0.28, 0.48)), ((-0.28, 0.48), (0.28, 0))):
            canvas.line(
                [(x + a[0] * size, base - a[1] * size), (x + b[0] * size, base - b[1] * size)], white, 1.6
            )
        canvas.rectangle((x - size * 0.13, base - size * 0.98, x + size * 0.13, base - size * 0.74), white)
        canvas.rectangle(
            (x - size * 0.09, base - size * 0.94, x + size * 0.09, base - size * 0.78), darker(wall, 0.5)
        )
    else:
        canvas.rectangle(
            (x + size * 0.3, base - size * 1.3, x + size * 0.46, base - size * 0.8), mix(white, wall, 0.5)
        )
        canvas.shaded_polygon(
            [
                (x - size * 0.84, base - size * 0.6),
                (x - size * 0.5, base - size * 1.2),
                (x + size * 0.5, base - size * 1.2),
                (x + size * 0.84, base - size * 0.6),
            ],
            (wall, darker(wall, 0.25)),
        )
        canvas.rectangle(
            (x - size * 0.12, base - size * 0.44, x + size * 0.12, base), darker(wall, 0.4), corner=4
        )
        for left in (-0.5, 0.26):
            canvas.rectangle(
                (x + left * size, base - size * 0.46, x + (left + 0.24) * size, base - size * 0.22),
                mix(p.light, wall, 0.2),
            )
            canvas.rectangle(
                (
                    x + left * size - 1.5,
                    base - size * 0.22,
                    x + (left + 0.24) * size + 1.5,
                    base - size * 0.17,
                ),
                p.near,
            )


def _fence(canvas: Canvas, line: list[Point], p: Palette) -> None:
    for step in range(0, 301, 20):
        y = height_at(line, step)
        canvas.rectangle((step - 2, y - 16, step + 2, y + 5), (255, 250, 238), corner=1)
    for lift in (12, 5):
        canvas.line(
            [(step, height_at(line, step) - lift) for step in range(-10, 311, 10)], (255, 250, 238), 1.8
        )


def _crops(canvas: Canvas, brief: Brief) -> None:
    p, own = brief.colours, brief.own
    horizon, x = brief.focus + 50, 150 + own.uniform(-60, 60)
    canvas.shaded_polygon(
        [(-1, horizon), (301, horizon), (301, 451), (-1, 451)],
        (mix(p.near, p.light, 0.25), darker(p.near, 0.1)),
    )
    shades = (p.light, mix(p.near, p.accent, 0.3), p.accent, mix(p.near, p.light, 0.4))
    for index in range(-9, 10):
        canvas.polygon(
            [
                (x + index * 9, horizon),
                (x + index * 9 + 4.5, horizon),
                (x + index * 62 + 31, 451),
                (x + index * 62, 451),
            ],
            shades[index % 4],
            0.75,
        )
        for step in range(1, 7):
            part = (step / 6) ** 1.8
            y = horizon + part * 120
            canvas.disc(
                x + (index * 9 + 2.2) + (index * 62 + 15.5 - index * 9 - 2.2) * part * 120 / (451 - horizon),
                y,
                1.2 + part * 6,
                shades[(index + 1) % 4],
                0.95,
            )


def _sunflower(canvas: Canvas, x: float, base: float, tall: float, p: Palette) -> None:
    y, size = base - tall, tall * 0.15
    canvas.line([(x, base), (x + 2, base - tall * 0.5), (x, y)], mix(p.near, (60, 140, 60), 0.5), 2.4)
    canvas.ellipse(x + size * 0.9, base - tall * 0.42, size, size * 0.36, mix(p.near, (90, 170, 70), 0.5))
    for index in range(12):
        angle = index * math.tau / 12
        canvas.disc(
            x + size * math.cos(angle),
            y + size * math.sin(angle),
            size * 0.36,
            p.light if index % 2 else mix(p.light, p.accent, 0.35),
        )
    canvas.disc(x, y, size * 0.72, darker(mix(p.accent, p.near, 0.4), 0.45))


THEME = Theme(
    "farm",
    paint,
    (
        palette("6fc8f0 bfe8f4 fff4d0 | 8fcf6f 3f8a4a ffd84f d8432f ffffff"),
        palette("f7a86f ffd08f fff0c4 | d8b04f 7a6a2a fff0a0 b83a34 fff8ea"),
        palette("9fd8d0 d8f0e0 fff8ea | a8d08f 4f8f6a ffc86f e87a8f ffffff"),
        palette("5f6fc0 c08fc8 ffc8b8 | 7f8fb0 3a4f6a ffe8a8 e8604f fff8f0"),
        palette("ffb8c8 ffd8d8 fff4e4 | b0d88f 5f9a5a fff0a0 8f5fb0 6a2f4a"),
        palette("2f4f8f 6f8fc0 f0c89f | 4f7f6f 1f3f3f ffe29a f2843c fff6e4"),
    ),
    (
        Style(caps=False, weight=0.09, tracking=0.0, arc=9, size=62, outline=0.2, depth=3),
        Style(anchor="top", caps=False, weight=0.08, tracking=0.01, arc=11, size=60, outline=0.2),
        Style(weight=0.09, tracking=0.0, rise=-0.05, size=58, outline=0.2, fill="fade", depth=2),
        Style(anchor="top", stack=True, weight=0.09, tracking=0.0, arc=6, outline=0.2, depth=3, caps=False),
    ),
    ("Farming", "Cozy", "Casual", "Life Sim", "Relaxing"),
    grain=3.0,
    vignette=0.15,
    scrim=0.15,
)
