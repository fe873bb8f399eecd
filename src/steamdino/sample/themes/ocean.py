"""Ocean: light from above, whales, jellyfish, submarines, boats on great waves and lighthouses."""

from __future__ import annotations

import math

from steamdino.sample.canvas import HEIGHT, WIDTH, Canvas
from steamdino.sample.lettering_style import Style
from steamdino.sample.palette import Palette, darker, lighter, mix, palette
from steamdino.sample.props.craft import sailing_boat, submarine
from steamdino.sample.scenery import bird, cloud, flakes, hills, moon, ridge
from steamdino.sample.themes.theme import Brief, Theme


def paint(canvas: Canvas, brief: Brief) -> None:
    """Paint the deep with a creature, waves with a boat, or a lighthouse at night."""
    p = brief.colours
    creature = brief.pick(
        "whale:whale leviathan shoal", "jelly:azure pelagia coral", "submarine:abyss sunken drown"
    )
    layout = brief.scene(
        "whale below pelagia abyss reef leviathan sunken coral",
        "wind voyage tide mariner brine harbour rolling",
        "lighthouse northern",
    )
    canvas.gradient(p.sky)
    if layout == 0:
        _deep(canvas, brief, creature)
    elif layout == 1:
        _waves(canvas, brief)
    else:
        _lighthouse(canvas, brief)


def _deep(canvas: Canvas, brief: Brief, creature: str) -> None:
    p, own = brief.colours, brief.own
    x = own.uniform(90, 210)
    canvas.gradient((p.light, p.sky[-1], p.sky[1], p.sky[0], darker(p.sky[0], 0.3)))
    canvas.glow(x, -20, 300, lighter(p.light, 0.3), 0.7)
    for _ in range(9):
        lean, wide = own.uniform(-120, 120), own.uniform(6, 26)
        canvas.polygon(
            [
                (x + lean * 0.2 - wide * 0.2, -5),
                (x + lean * 0.2 + wide * 0.2, -5),
                (x + lean * 1.9 + wide, 420),
                (x + lean * 1.9 - wide, 420),
            ],
            lighter(p.light, 0.5),
            0.07,
        )
    ridge(canvas, own, brief.focus + 100, 40, mix(p.far, p.sky[0], 0.35), p.near, 0.5)
    if creature == "whale":
        _whale(canvas, 150 + own.uniform(-16, 16), brief.focus, own.uniform(92, 112), p, own.choice((-1, 1)))
    elif creature == "jelly":
        for index in range(3 + brief.number % 2):
            size = own.uniform(34, 44) if index == 0 else own.uniform(12, 22)
            spot = (
                (x, brief.focus - 30)
                if index == 0
                else (own.uniform(40, 260), brief.focus + own.uniform(-90, 70))
            )
            _jelly(canvas, spot[0], spot[1], size, p, own.uniform(0, 6))
    else:
        submarine(
            canvas, 150 + own.uniform(-16, 16), brief.focus, own.uniform(60, 74), p, own.choice((-1, 1))
        )
    side = own.choice((-1, 1))
    school = (own.uniform(60, 240), brief.focus + own.choice((-88, 72)))
    for _ in range(22):
        fx, fy, size = school[0] + own.gauss(0, 44), school[1] + own.gauss(0, 13), own.uniform(3, 5.5)
        canvas.ellipse(fx, fy, size, size * 0.42, mix(p.near, p.far, 0.3))
        canvas.polygon(
            [
                (fx - side * size * 0.7, fy),
                (fx - side * size * 1.6, fy - size * 0.5),
                (fx - side * size * 1.6, fy + size * 0.5),
            ],
            mix(p.near, p.far, 0.3),
        )
    hills(canvas, own, brief.focus + 146, 16, p.near, darker(p.near, 0.4))
    for _ in range(13):
        stem, tall, sway = own.uniform(0, WIDTH), own.uniform(40, 110), own.uniform(0, 6)
        base = brief.focus + 168
        canvas.line(
            [(stem + 7 * math.sin(sway + step * 0.9), base - tall * step / 8) for step in range(9)],
            own.choice((darker(p.near, 0.2), mix(p.near, p.accent, 0.4))),
            own.uniform(2, 5),
        )
    for _ in range(26):
        canvas.ring(
            own.uniform(0, WIDTH),
            own.uniform(0, HEIGHT),
            own.uniform(0.8, 3.6),
            lighter(p.light, 0.5),
            0.6,
            0.5,
        )


def _whale(canvas: Canvas, x: float, y: float, size: float, p: Palette, side: int) -> None:
    def at(across: float, down: float) -> tuple[float, float]:
        return x + side * across * size, y + down * size

    body = mix(p.far, p.light, 0.22)
    canvas.glow(x, y, size * 1.7, p.light, 0.4)
    back = [
        at(1.0, 0.02),
        at(0.9, -0.16),
        at(0.55, -0.32),
        at(0.1, -0.36),
        at(-0.35, -0.22),
        at(-0.75, -0.02),
        at(-0.98, -0.12),
        at(-1.25, -0.36),
        at(-1.18, -0.06),
        at(-1.32, 0.16),
        at(-0.98, 0.06),
        at(-0.72, 0.14),
        at(-0.3, 0.24),
        at(0.2, 0.3),
        at(0.7, 0.24),
        at(0.95, 0.14),
    ]
    canvas.shaded_polygon(back, (lighter(body, 0.25), body, darker(body, 0.35)))
    belly = [at(0.98, 0.08), at(0.5, 0.13), at(0.0, 0.16), at(-0.35, 0.22), at(0.2, 0.3), at(0.7, 0.24)]
    canvas.polygon(belly, lighter(p.light, 0.4), 0.85)
    for groove in range(4):
        start = 0.15 + groove * 0.035
        canvas.line([at(0.9 - groove * 0.08, start), at(0.2, start + 0.04)], body, 0.9, 0.7)
    canvas.polygon([at(0.36, 0.2), at(0.2, 0.62), at(0.0, 0.72), at(0.12, 0.24)], darker(body, 0.2))
    canvas.disc(*at(0.66, 0.02), size * 0.026, (8, 10, 18))
    canvas.disc(*at(0.665, 0.012), size * 0.009, (255, 255, 255))


def _jelly(canvas: Canvas, x: float, y: float, size: float, p: Palette, phase: float) -> None:
    canvas.glow(x, y, size * 2.4, p.accent, 0.75)
    for index in range(7):
        start = x + (index - 3) * size * 0.26
        points = [
            (start + math.sin(phase + index + step * 0.6) * size * 0.035 * step, y + step * size * 0.24)
            for step in range(11)
        ]
        canvas.line(points, lighter(p.accent, 0.45), 1.3 if index % 2 else 2.4, 0.7)
    dome = [
        (x + size * math.cos(t), y - size * 0.9 * math.sin(t)) for t in [math.pi * s / 20 for s in range(21)]
    ]
    scallop = [(x - size + size * 2 * s / 12, y + (size * 0.12 if s % 2 else 0)) for s in range(13)]
    canvas.shaded_polygon(dome + scallop, (lighter(p.accent, 0.6), p.accent), 0.88)
    canvas.ellipse(x - size * 0.3, y - size * 0.5, size * 0.2, size * 0.14, (255, 255, 255), 0.5)


def _waves(canvas: Canvas, brief: Brief) -> None:
    p, own = brief.colours, brief.own
    x = own.uniform(80, 220)
    moon(canvas, x, brief.focus - 64, own.uniform(30, 48), lighter(p.light, 0.3), p.far, own)
    for _ in range(4):
        cloud(
            canvas,
            own,
            own.uniform(0, 300),
            brief.focus + own.uniform(-110, -10),
            own.uniform(70, 130),
            lighter(p.sky[-1], 0.35),
            0.5,
        )
    boat = 150 + own.uniform(-40, 40)
    for depth in range(5):
        shade = mix(p.far, p.near, depth / 4)
        base = brief.focus + 14 + depth * 30
        if depth == 2:
            sailing_boat(canvas, boat, base + 4, 52, p, own.choice((-1, 1)))
        points, phase = [], own.uniform(0, 6)
        for step in range(-5, 67):
            turn = step * 5 / WIDTH * math.tau * (1.6 + depth * 0.2) + phase
            points.append((step * 5.0, base + 13 * math.sin(turn) - 8 * abs(math.sin(turn * 0.5 + 0.7))))
        canvas.shaded_polygon(
            [*points, (330, HEIGHT + 5), (-30, HEIGHT + 5)], (lighter(shade, 0.1), shade, p.near)
        )
        canvas.line(points, lighter(p.light, 0.5), 1.4, 0.75)
    for _ in range(6):
        bird(canvas, own.uniform(30, 270), brief.focus - own.uniform(20, 120), own.uniform(4, 8), p.near)


def _lighthouse(canvas: Canvas, brief: Brief) -> None:
    p, own = brief.colours, brief.own
    side = own.choice((-1, 1))
    x, base = 150 + side * own.uniform(30, 70), brief.focus + 90
    top = base - own.uniform(150, 180)
    flakes(canvas, own, 60, lighter(p.light, 0.6), 1.2)
    for turn, alpha in ((-0.16, 0.32), (0.1, 0.5)):
        canvas.polygon(
            [
                (x, top + 8),
                (x - side * 400, top + 8 + 400 * (turn - 0.1)),
                (x - side * 400, top + 8 + 400 * (turn + 0.12)),
            ],
            lighter(p.light, 0.3),
            alpha,
        )
    canvas.glow(x, top + 8, 110, lighter(p.light, 0.3), 1.0)
    canvas.shaded_polygon(
        [(-1, base - 10), (301, base - 10), (301, 451), (-1, 451)], (p.far, p.near, darker(p.near, 0.5))
    )
    for _ in range(50):
        y = own.uniform(base - 8, 440)
        left, width = own.uniform(-20, 300), own.uniform(8, 44)
        canvas.line([(left, y), (left + width, y)], lighter(p.light, 0.3), 0.9, 0.3)
    rock = darker(p.near, 0.45)
    canvas.polygon(
        [
            (x - 96, base + 40),
            (x - 66, base + 14),
            (x - 34, base + 2),
            (x + 30, base),
            (x + 58, base + 18),
            (x + 100, base + 42),
        ],
        rock,
    )
    bands = 5
    for band in range(bands):
        high, low = (
            top + 22 + (base - top - 22) * band / bands,
            top + 22 + (base - top - 22) * (band + 1) / bands,
        )
        near, far = 13 + 11 * band / bands, 13 + 11 * (band + 1) / bands
        canvas.polygon(
            [(x - near, high), (x + near, high), (x + far, low), (x - far, low)],
            p.accent if band % 2 else lighter(p.light, 0.75),
        )
        canvas.polygon(
            [
                (x + side * near * 0.3, high),
                (x + side * near, high),
                (x + side * far, low),
                (x + side * far * 0.3, low),
            ],
            darker(p.near, 0.3),
            0.35,
        )
    canvas.rectangle((x - 17, top + 18, x + 17, top + 23), rock)
    canvas.rectangle((x - 9, top, x + 9, top + 18), lighter(p.light, 0.65))
    canvas.polygon([(x - 13, top), (x, top - 17), (x + 13, top)], p.accent)


THEME = Theme(
    "ocean",
    paint,
    (
        palette("06233f 0d5c82 3fb7c9 | 1f7f9c 05182c c9fff4 ff8a5c ffffff"),
        palette("0a1838 1b3f86 5f8fe0 | 2f5fb0 070f26 dff0ff ffcf4d f4f9ff"),
        palette("06302f 0b6b62 5fd6b0 | 178a78 042220 eaffd8 ff6f91 f4fff6"),
        palette("2a1650 6f3f9c ff9f8f | 8a55b0 180c34 ffe6c0 ff5f8a fff4ea"),
        palette("0b2030 2f6070 f2b680 | 3f7f88 081822 fff0c8 e8533f fff8ea"),
        palette("010a14 052a44 0a6a8a | 0a4a68 01060e 8ff6ff b56bff e8fcff"),
    ),
    (
        Style(caps=False, weight=0.01, tracking=0.03, arc=-8, size=60, ornament="rules"),
        Style(anchor="top", weight=0.05, tracking=0.06, arc=10, fill="fade", size=58, ornament="rules"),
        Style(weight=0.0, tracking=0.34, size=36, ornament="diamond", glow=0.2),
        Style(anchor="top", stack=True, weight=0.06, tracking=0.02, fill="fade", outline=0.1),
    ),
    ("Ocean", "Exploration", "Underwater", "Relaxing", "Adventure"),
)
