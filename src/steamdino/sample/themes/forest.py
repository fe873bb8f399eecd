"""Forest: layers of trees in mist, a glowing heart, deer, foxes, lanterns and wanderers."""

from __future__ import annotations

import math

from steamdino.sample.canvas import WIDTH, Canvas
from steamdino.sample.lettering_style import Style
from steamdino.sample.palette import darker, lighter, mix, palette
from steamdino.sample.props.animals import deer, fox
from steamdino.sample.scenery import figure, fir, flakes, height_at, hills, moon, rays, trunk
from steamdino.sample.themes.theme import Brief, Theme


def paint(canvas: Canvas, brief: Brief) -> None:
    """Paint a clearing between trunks, a valley of firs, or one great tree."""
    p, own = brief.colours, brief.own
    hero = brief.pick("deer:antler", "wanderer:wander", "fox:fox", "lantern:lantern fernlight")
    canvas.gradient(p.sky)
    layout = brief.scene("pine lantern hidden", "moss fern trail", "oak acorn canopy grove")
    x = own.uniform(110, 190)
    if layout == 0:
        canvas.glow(x, brief.focus, 230, p.light, 0.8)
        rays(canvas, x, -60, 26, p.light, 0.06, own.random())
        for depth in range(4):
            shade = mix(p.far, p.near, depth / 3)
            for _ in range(9 - depth * 2):
                side = own.choice((-1, 1))
                spot = x + side * (26 + depth * 17 + own.random() * 110)
                trunk(canvas, own, spot, 300 + depth * 34, 4 + depth * 3.2, shade)
            hills(canvas, own, 306 + depth * 36, 6, shade, mix(shade, p.near, 0.6))
        ground = brief.focus + 92
        hills(canvas, own, ground + 4, 3, mix(p.far, p.near, 0.8), darker(p.near, 0.4))
    elif layout == 1:
        moon(canvas, x, brief.focus - 60, own.uniform(30, 52), lighter(p.light, 0.35), p.far, own)
        for depth in range(4):
            shade = mix(p.far, p.near, depth / 3)
            line = hills(canvas, own, brief.focus + 10 + depth * 42, 20, shade, mix(shade, p.near, 0.4))
            for step in range(15 - depth * 3):
                spot = (step + own.random()) * WIDTH / (15 - depth * 3)
                fir(
                    canvas, spot, height_at(line, spot) + 4, own.uniform(34, 60) * (0.7 + depth * 0.32), shade
                )
            if depth == 1:
                canvas.veil(p.light, (0, 0.22, 0), brief.focus, brief.focus + 120)
        ground = brief.focus + 104
        hills(canvas, own, ground + 4, 4, darker(p.near, 0.2), darker(p.near, 0.6))
    else:
        canvas.glow(150, brief.focus - 30, 240, p.light, 0.75)
        ground = brief.focus + 100
        for depth in range(2):
            line = hills(canvas, own, ground - 34 + depth * 20, 12, mix(p.far, p.near, depth * 0.4), p.near)
            for step in range(16):
                fir(
                    canvas,
                    step * 20,
                    height_at(line, step * 20) + 4,
                    own.uniform(26, 62),
                    mix(p.far, p.near, depth * 0.4),
                )
        hills(canvas, own, ground + 6, 6, p.near, darker(p.near, 0.5))
        _great_tree(canvas, brief, ground + 6)
    if layout == 2:
        # Beside the trunk, not before it, where a dark hero would vanish.
        x = 150 + own.choice((-62, 62))
    if hero == "deer":
        deer(canvas, x, ground, 66, darker(p.near, 0.5), lighter(p.light, 0.4), own.choice((-1, 1)))
    elif hero == "fox":
        fox(canvas, x, ground, 46, p.accent, own.choice((-1, 1)))
    elif hero == "wanderer":
        figure(canvas, x, ground + 2, 62, darker(p.near, 0.5), p.accent, own.choice((-1, 1)))
    else:
        for index in range(3):
            lamp = (60 + index * 90 + own.uniform(-20, 20), brief.focus + own.uniform(-30, 70))
            canvas.glow(*lamp, 60, p.accent, 0.9)
            canvas.line([(lamp[0], lamp[1] - 200), (lamp[0], lamp[1] - 10)], darker(p.near, 0.4), 0.8)
            canvas.rectangle((lamp[0] - 6, lamp[1] - 9, lamp[0] + 6, lamp[1] + 9), p.accent, corner=4)
            canvas.ellipse(*lamp, 3.2, 5, lighter(p.light, 0.6))
    flakes(canvas, own, 46, lighter(p.light, 0.4), 1.6)


def _great_tree(canvas: Canvas, brief: Brief, base: float) -> None:
    p, own = brief.colours, brief.own
    top = brief.focus - 74
    dark = darker(p.near, 0.3)
    canvas.polygon(
        [(120, base + 6), (141, base - 40), (142, top), (160, top), (162, base - 40), (184, base + 6)], dark
    )
    for _ in range(7):
        angle = own.uniform(0.3, math.pi - 0.3)
        canvas.line(
            [(151, top + own.uniform(10, 60)), (151 + 90 * math.cos(angle), top - 40 * math.sin(angle))],
            dark,
            5,
        )
    for shade, alpha, spread, lift in (
        (mix(p.near, p.accent, 0.35), 1.0, 86, 0),
        (mix(p.near, p.accent, 0.7), 1.0, 74, 8),
        (p.accent, 0.95, 60, 16),
        (mix(p.accent, p.light, 0.5), 0.9, 42, 24),
    ):
        for _ in range(14):
            angle, far = own.uniform(0, math.tau), math.sqrt(own.random()) * spread
            canvas.disc(
                151 + math.cos(angle) * far * 1.2,
                top - 6 - lift + math.sin(angle) * far * 0.62,
                own.uniform(9, 21),
                shade,
                alpha,
            )


THEME = Theme(
    "forest",
    paint,
    (
        palette("0b2b2a 1f6b54 c7e08a | 3f8f63 06201c f6f2a0 ff9d4d fdfbe2"),
        palette("10182e 2d4a70 8fc1c9 | 4a7d96 0a1424 e9fbff ffb35c ffffff"),
        palette("2a1030 8a2f4f ffb36b | b3485a 1c0a20 ffe4a8 ff6f4d fff0d8"),
        palette("071a12 0f4a2e 5fd08a | 1f7a4a 03110b c9ffd0 f5e15a f2ffea"),
        palette("3a1a08 b55a16 ffd978 | c9762a 251006 fff3c0 e8442a fff8e0"),
        palette("150f38 4a2f9a d79ff0 | 6d4fc0 0d0a26 ffe0ff 5af0d8 fbf2ff"),
    ),
    (
        Style(caps=False, weight=0.02, tracking=0.01, size=60, arc=7, ornament="rules"),
        Style(anchor="top", weight=0.02, tracking=0.12, stretch=1.35, size=44, ornament="diamond", glow=0.2),
        Style(weight=0.05, tracking=0.02, fill="fade", outline=0.12, arc=-9, ornament="rules"),
        Style(anchor="top", caps=False, weight=0.06, tracking=0.0, size=62, depth=3),
    ),
    ("Adventure", "Nature", "Exploration", "Atmospheric", "Story Rich"),
)
