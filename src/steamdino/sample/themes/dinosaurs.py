"""Dinosaurs: long necks in the morning mist, tyrants before volcanoes, nests and flying reptiles."""

from __future__ import annotations

import math
from random import Random

from steamdino.sample.canvas import Canvas
from steamdino.sample.lettering_style import Style
from steamdino.sample.palette import Colour, Palette, darker, lighter, mix, palette
from steamdino.sample.props.beasts import beast, glider
from steamdino.sample.scenery import flakes, height_at, hills, rays, ridge
from steamdino.sample.themes.theme import Brief, Theme


def paint(canvas: Canvas, brief: Brief) -> None:
    """Paint a herd in a valley, one beast before a volcano, or a hatching egg."""
    p, own = brief.colours, brief.own
    canvas.gradient(p.sky)
    kind = brief.pick(
        "longneck:little longneck herd migration",
        "tyrant:raptor tyrant jaw savage roar",
        "horned:tricera fern thunder",
        "longneck",
    )
    layout = 2 - brief.scene(
        "egg nest tiny tea", "volcano tyrant jaw raptor little roar", "herd migration trail valley"
    )
    x = own.uniform(90, 210)
    if layout == 2:
        rays(canvas, 150, brief.focus, 20, lighter(p.light, 0.3), 0.14, own.random())
    canvas.glow(x, brief.focus - 30, 210, p.light, 0.7)
    if layout != 2:
        canvas.shaded_disc(x, brief.focus - 44, own.uniform(38, 60), (lighter(p.light, 0.5), p.light))
    if layout == 1:
        _volcano(canvas, own, own.choice((70, 230)), brief.focus + 70, own.uniform(110, 140), p)
    else:
        ridge(canvas, own, brief.focus + 10, 44, lighter(p.far, 0.15), p.far, 0.5)
    line = hills(canvas, own, brief.focus + 58, 12, p.far, mix(p.far, p.near, 0.4))
    for _ in range(4):
        spot = own.uniform(0, 300)
        _palm(canvas, own, spot, height_at(line, spot) + 5, own.uniform(50, 90), mix(p.far, p.near, 0.55))
    if layout == 0:
        for index in range(3):
            spot = 60 + index * 92 + own.uniform(-16, 16)
            beast(
                canvas,
                kind,
                spot,
                height_at(line, spot) + 10 + index * 9,
                44 + index * 8,
                mix(p.far, p.near, 0.55),
                p,
                own.choice((-1, 1)),
                plain=True,
            )
    front = hills(canvas, own, brief.focus + 104, 7, p.near, darker(p.near, 0.35))
    middle = 150 + own.uniform(-14, 14)
    if layout == 2:
        _egg(canvas, own, middle, height_at(front, middle) + 4, own.uniform(56, 66), p)
    elif layout == 1:
        beast(
            canvas,
            kind,
            middle,
            height_at(front, middle) + 4,
            own.uniform(92, 104),
            p.accent,
            p,
            own.choice((-1, 1)),
            plain=False,
        )
    else:
        beast(
            canvas,
            kind,
            middle,
            height_at(front, middle) + 6,
            66,
            p.accent,
            p,
            own.choice((-1, 1)),
            plain=False,
        )
    for _ in range(2 + own.randrange(3)):
        glider(
            canvas,
            own.uniform(30, 270),
            brief.focus - own.uniform(30, 115),
            own.uniform(14, 26),
            darker(p.near, 0.2),
            own.choice((-1, 1)),
        )
    for _ in range(11):
        spot = own.choice((own.uniform(-5, 90), own.uniform(210, 305)))
        _fern(
            canvas,
            own,
            spot,
            height_at(front, max(0, min(300, spot))) + 20,
            own.uniform(34, 64),
            darker(p.near, own.uniform(0.1, 0.45)),
        )
    flakes(canvas, own, 34, lighter(p.light, 0.4), 1.6)


def _volcano(canvas: Canvas, rng: Random, x: float, base: float, tall: float, p: Palette) -> None:
    top = base - tall
    canvas.glow(x, top, 120, (255, 130, 60), 0.9)
    for puff in range(9):
        canvas.disc(
            x + rng.uniform(-9, 9) + puff * 5,
            top - 12 - puff * 12,
            12 + puff * 4.5,
            mix(p.near, p.sky[0], 0.45),
            0.5,
        )
    canvas.shaded_polygon(
        [(x - 118, base + 20), (x - 22, top), (x + 22, top + 2), (x + 126, base + 20)],
        (mix(p.near, p.far, 0.35), p.far),
    )
    canvas.polygon(
        [(x + 4, top), (x + 22, top + 2), (x + 126, base + 20), (x + 40, base + 20)],
        darker(p.near, 0.1),
        0.45,
    )
    for start in (-13, 2, 13):
        points = [
            (x + start * (1 + step * 0.5) + rng.uniform(-4, 4), top + step * tall * 0.13)
            for step in range(rng.randint(4, 6))
        ]
        canvas.line(points, (255, 120, 50), 4)
        canvas.line(points, (255, 214, 110), 1.6)
    canvas.ellipse(x, top + 1, 22, 4, (255, 190, 90))
    for _ in range(14):
        canvas.disc(x + rng.gauss(0, 26), top - rng.uniform(4, 60), rng.uniform(0.8, 2.6), (255, 170, 80))


def _palm(canvas: Canvas, rng: Random, x: float, base: float, tall: float, shade: Colour) -> None:
    lean = rng.uniform(-12, 12)
    canvas.line([(x, base), (x + lean * 0.3, base - tall * 0.5), (x + lean, base - tall)], shade, tall * 0.06)
    for index in range(8):
        angle = math.pi * (0.04 + 0.92 * index / 7)
        reach = tall * rng.uniform(0.36, 0.48)
        mid = (x + lean + reach * 0.6 * math.cos(angle), base - tall - reach * 0.55 * math.sin(angle) - 3)
        tip = (x + lean + reach * math.cos(angle), base - tall - reach * 0.5 * math.sin(angle) + reach * 0.34)
        canvas.polygon([(x + lean, base - tall), (mid[0], mid[1] - 3), tip, (mid[0], mid[1] + 4)], shade)


def _fern(canvas: Canvas, rng: Random, x: float, base: float, tall: float, shade: Colour) -> None:
    for blade in range(5):
        angle = math.pi * (0.22 + 0.56 * blade / 4) + rng.uniform(-0.1, 0.1)
        tip = (x + tall * math.cos(angle), base - tall * math.sin(angle))
        bend = ((x + tip[0]) / 2, (base + tip[1]) / 2 - tall * 0.12)
        canvas.polygon(
            [
                (x - 2, base),
                (bend[0] - tall * 0.06, bend[1]),
                tip,
                (bend[0] + tall * 0.06, bend[1] + 3),
                (x + 2, base),
            ],
            shade,
        )


def _egg(canvas: Canvas, rng: Random, x: float, base: float, size: float, p: Palette) -> None:
    canvas.ellipse(x, base, size * 1.3, size * 0.2, darker(p.near, 0.55), 0.8)
    canvas.glow(x, base - size, size * 2, p.light, 0.8)
    shell = [
        (
            x + size * 0.8 * math.cos(t) * (1 - 0.16 * math.sin(t)),
            base - size * 1.02 - size * 1.08 * math.sin(t),
        )
        for t in [math.tau * s / 48 for s in range(48)]
    ]
    canvas.shaded_polygon(shell, (lighter(p.light, 0.85), lighter(p.light, 0.45), mix(p.light, p.near, 0.35)))
    for _ in range(9):
        angle, reach = rng.uniform(0, math.tau), rng.uniform(0.1, 0.6)
        canvas.ellipse(
            x + size * reach * math.cos(angle),
            base - size + size * reach * 1.1 * math.sin(angle),
            size * rng.uniform(0.05, 0.13),
            size * rng.uniform(0.04, 0.1),
            p.accent,
            0.85,
        )
    edge = [
        (x - size * 0.62 + size * 1.24 * step / 8, base - size * (1.2 if step % 2 else 1.44))
        for step in range(9)
    ]
    canvas.polygon(
        [*edge, (x + size * 0.3, base - size * 1.76), (x - size * 0.3, base - size * 1.76)],
        darker(p.near, 0.3),
    )
    canvas.shaded_disc(x, base - size * 1.42, size * 0.36, (lighter(p.accent, 0.3), p.accent))
    for side in (-1, 1):
        canvas.disc(x + side * size * 0.14, base - size * 1.48, size * 0.1, (255, 255, 255))
        canvas.disc(x + side * size * 0.13, base - size * 1.47, size * 0.055, (16, 12, 20))
    front = [
        (x - size * 0.66 + size * 1.32 * step / 8, base - size * (1.08 if step % 2 else 1.3))
        for step in range(9)
    ]
    canvas.polygon(
        [*front, (x + size * 0.7, base - size * 0.9), (x - size * 0.7, base - size * 0.9)],
        lighter(p.light, 0.6),
    )
    for spot in range(16):
        angle = spot * math.tau / 16
        canvas.line(
            [
                (x + math.cos(angle) * size * 0.5, base + 2),
                (x + math.cos(angle) * size * 1.2, base - 6 - rng.uniform(0, 14)),
            ],
            mix(p.near, (150, 110, 60), 0.5),
            3,
        )


THEME = Theme(
    "dino",
    paint,
    (
        palette("0f3a3a 3f8f6a f4dc8a | 4f8f60 12322a fff2b8 f28a3c fffbe4"),
        palette("3a1430 b0483f ffb45c | 8f4a4a 26101f ffe4a0 5fbf8f fff2d8"),
        palette("2f6f9f 8fd0d0 fff0c8 | 6fb08a 1f4a44 fff6c4 e8604a ffffff"),
        palette("1a1440 5f4a9f f0a8b0 | 6a5a9f 120e2c ffe6d0 4fd0b0 fff4ff"),
        palette("20361a 6f8f2f f4e878 | 6f8f3a 16260f fffbc0 d8502f fffde4"),
        palette("101a24 2f4f5f d89a6a | 3f5a60 0a1218 ffe0b0 e8b83f fff0dc"),
    ),
    (
        Style(weight=0.09, tracking=0.0, arc=8, size=62, outline=0.2, fill="fade", depth=3),
        Style(anchor="top", caps=False, weight=0.08, tracking=0.0, size=62, outline=0.2, rise=-0.04),
        Style(stack=True, weight=0.08, tracking=0.0, texture="worn", fill="fade"),
        Style(anchor="top", weight=0.08, tracking=0.01, arc=11, size=60, depth=4),
    ),
    ("Dinosaurs", "Adventure", "Survival", "Wildlife", "Family Friendly"),
    scrim=0.4,
)
