"""Castle: keeps on crags, dragons, swords in stones and coats of arms."""

from __future__ import annotations

import math

from steamdino.sample.canvas import Canvas
from steamdino.sample.emblems import Turned, emblem
from steamdino.sample.lettering_style import Style
from steamdino.sample.palette import Colour, Palette, darker, lighter, mix, palette
from steamdino.sample.props.beasts import dragon
from steamdino.sample.scenery import bird, cloud, figure, fir, flakes, height_at, hills, moon, rays, ridge
from steamdino.sample.themes.theme import Brief, Theme

_ARMS = ("sword:sword blade", "crown:crown throne king", "sun", "moon", "flame:dragon wyrm", "eye")


def paint(canvas: Canvas, brief: Brief) -> None:
    """Paint a castle with a dragon or banners, a sword on a hill, or a shield."""
    p, own, series = brief.colours, brief.own, brief.series
    arms, beast = (
        brief.pick(*_ARMS),
        series.random() < 0.5 or "wyrmgard" in brief.words or "dragon" in brief.words,
    )
    canvas.gradient(p.sky)
    layout = brief.scene(
        "castle keep storm citadel bastion draw wyrm realm",
        "sword blade spell relic",
        "banner oath crown throne",
    )
    if layout == 0:
        _castle(canvas, brief, beast)
    elif layout == 1:
        _sword(canvas, brief)
    else:
        _shield(canvas, brief, arms)
    if beast and layout == 1:
        dragon(
            canvas, own.uniform(80, 220), brief.focus - 70, 40, mix(p.near, p.far, 0.4), own.choice((-1, 1))
        )
    flakes(canvas, own, 34, lighter(p.light, 0.3), 1.6)


def _castle(canvas: Canvas, brief: Brief, beast: bool) -> None:
    p, own = brief.colours, brief.own
    x, base = 150 + own.uniform(-30, 30), brief.focus + 76
    moon(
        canvas,
        x + own.choice((-46, 46)),
        brief.focus - 44,
        own.uniform(36, 62),
        lighter(p.light, 0.2),
        p.far,
        own,
    )
    for _ in range(4):
        cloud(
            canvas,
            own,
            own.uniform(0, 300),
            brief.focus + own.uniform(-90, 30),
            own.uniform(60, 120),
            lighter(p.sky[-1], 0.3),
            0.45,
        )
    ridge(canvas, own, brief.focus + 30, 50, p.far, mix(p.far, p.near, 0.5), 0.5)
    stone = mix(p.near, p.far, 0.28)
    canvas.shaded_polygon(
        [
            (x - 118, 451),
            (x - 84, base + 34),
            (x - 66, base + 6),
            (x + 60, base + 4),
            (x + 84, base + 38),
            (x + 130, 451),
        ],
        (stone, darker(p.near, 0.3)),
    )
    for left, wide, tall, roofed in (
        (-62, 26, 82, True),
        (-40, 80, 52, False),
        (-14, 30, 132, True),
        (18, 22, 98, True),
        (40, 24, 70, True),
    ):
        _tower(canvas, x + left, base + 8, wide, tall * own.uniform(0.85, 1.15), stone, p, roofed)
    canvas.shade(
        lambda pen: pen.rounded_rectangle((0, 0, 36, 80), 18, fill=255),
        (darker(p.near, 0.5), p.accent),
        (x - 12, base - 20, x + 6, base + 10),
    )
    road = [(x - 8 + 22 * math.sin(step * 0.8), base + 8 + step * 13) for step in range(10)]
    for index in range(9):
        canvas.line(road[index : index + 2], lighter(p.light, 0.2), 2.5 + index * 1.2, 0.55)
    for depth in range(2):
        line = hills(
            canvas,
            own,
            base + 66 + depth * 32,
            10,
            mix(stone, p.near, 0.5 + depth * 0.5),
            darker(p.near, 0.4),
        )
        for step in range(14):
            spot = step * 23 + own.uniform(-8, 8)
            if abs(spot - 150) > 46:
                fir(
                    canvas,
                    spot,
                    height_at(line, spot) + 4,
                    own.uniform(22, 46),
                    darker(p.near, 0.25 + depth * 0.2),
                )
    if beast:
        dragon(
            canvas, x + own.choice((-70, 70)), brief.focus - 66, 46, darker(p.near, 0.3), own.choice((-1, 1))
        )
    else:
        for _ in range(7):
            bird(
                canvas,
                x + own.gauss(0, 60),
                brief.focus - own.uniform(30, 110),
                own.uniform(3, 7),
                darker(p.near, 0.3),
            )


def _tower(
    canvas: Canvas,
    left: float,
    base: float,
    wide: float,
    tall: float,
    stone: Colour,
    p: Palette,
    roofed: bool,
) -> None:
    top = base - tall
    canvas.shaded_polygon(
        [(left, top), (left + wide, top), (left + wide, base), (left, base)], (lighter(stone, 0.14), stone)
    )
    canvas.rectangle((left + wide * 0.62, top, left + wide, base), darker(p.near, 0.4), 0.4)
    for step in range(int(wide // 6)):
        canvas.rectangle((left - 2 + step * 7, top - 5, left + 2 + step * 7, top), lighter(stone, 0.12))
    if roofed:
        canvas.shaded_polygon(
            [(left - 4, top - 3), (left + wide / 2, top - wide * 1.25), (left + wide + 4, top - 3)],
            (lighter(p.accent, 0.2), darker(p.accent, 0.35)),
        )
        tip = (left + wide / 2, top - wide * 1.25)
        canvas.line([tip, (tip[0], tip[1] - 13)], darker(p.near, 0.4), 1)
        canvas.polygon([(tip[0], tip[1] - 13), (tip[0] + 12, tip[1] - 10), (tip[0], tip[1] - 6)], p.accent)
    for row in range(int(tall // 30)):
        y = top + 12 + row * 24
        canvas.glow(left + wide / 2, y + 4, 13, p.light, 0.8)
        canvas.rectangle(
            (left + wide / 2 - 2, y, left + wide / 2 + 2, y + 8), lighter(p.light, 0.3), corner=2
        )


def _sword(canvas: Canvas, brief: Brief) -> None:
    p, own = brief.colours, brief.own
    x, base = 150 + own.uniform(-12, 12), brief.focus + 84
    canvas.glow(x, brief.focus - 20, 230, p.light, 0.9)
    rays(canvas, x, brief.focus - 40, 20, lighter(p.light, 0.4), 0.1, own.random())
    ridge(canvas, own, brief.focus + 40, 44, p.far, mix(p.far, p.near, 0.6), 0.5)
    canvas.shaded_polygon(
        [
            (-5, base + 60),
            (x - 60, base + 14),
            (x - 30, base + 2),
            (x + 34, base),
            (x + 66, base + 18),
            (305, base + 66),
            (305, 451),
            (-5, 451),
        ],
        (p.near, darker(p.near, 0.45)),
    )
    place = Turned(x, base - 66, own.uniform(-0.14, 0.14) + math.pi, 0.55)
    steel = lighter(p.light, 0.65)
    emblem(canvas, "sword", place, 72, steel, mix(steel, p.far, 0.55))
    canvas.polygon(
        [
            (x - 30, base + 14),
            (x - 22, base - 6),
            (x + 4, base - 12),
            (x + 24, base - 4),
            (x + 34, base + 14),
        ],
        darker(p.near, 0.25),
    )
    canvas.glow(x, base - 100, 70, p.accent, 0.6)
    figure(
        canvas, x + own.choice((-74, 74)), base + 30, 52, darker(p.near, 0.6), p.accent, own.choice((-1, 1))
    )


def _shield(canvas: Canvas, brief: Brief, arms: str) -> None:
    p, own = brief.colours, brief.own
    y, size = brief.focus - 4, own.uniform(88, 100)
    rays(canvas, 150, y, 24, mix(p.sky[1], p.light, 0.35), 0.5, own.random())
    canvas.glow(150, y, 210, p.light, 0.6)
    for turn in (0.72, -0.72):
        emblem(
            canvas,
            "sword",
            Turned(150, y + 4, turn, 0.42),
            size * 1.7,
            lighter(p.light, 0.5),
            mix(p.light, p.near, 0.4),
        )
    for grow, stops in (
        (1.1, (lighter(p.light, 0.5), darker(p.light, 0.4))),
        (1.0, (lighter(p.accent, 0.15), darker(p.accent, 0.45))),
    ):
        half, tall = size * 0.78 * grow, size * grow
        edge = [
            (150 - half, y - tall * 0.86),
            (150, y - tall),
            (150 + half, y - tall * 0.86),
            (150 + half, y + tall * 0.1),
            (150 + half * 0.72, y + tall * 0.62),
            (150, y + tall * 1.08),
            (150 - half * 0.72, y + tall * 0.62),
            (150 - half, y + tall * 0.1),
        ]
        canvas.shaded_polygon(edge, stops)
    half = size * 0.78
    if own.random() < 0.5:
        canvas.polygon(
            [
                (150, y - size),
                (150 + half, y - size * 0.86),
                (150 + half, y + size * 0.1),
                (150 + half * 0.72, y + size * 0.62),
                (150, y + size * 1.08),
            ],
            darker(p.near, 0.1),
            0.75,
        )
    else:
        canvas.polygon(
            [
                (150 - half, y - size * 0.5),
                (150 + half, y + size * 0.1),
                (150 + half * 0.94, y + size * 0.36),
                (150 - half, y - size * 0.2),
            ],
            darker(p.near, 0.1),
            0.75,
        )
    emblem(canvas, arms, Turned(150, y - 4, 0), size * 0.5, lighter(p.light, 0.5), darker(p.accent, 0.3))


THEME = Theme(
    "castle",
    paint,
    (
        palette("1a2a5a 5f6fb0 ffc79a | 6f78b0 171c3f fff0cf c23b4a fff6e4"),
        palette("2a0f1a 8a2a2a ffae5c | 8f3f34 210a12 ffe2a0 e8a02a fff0cf"),
        palette("0c2a3a 2f7f8f e8f0c0 | 4a8f90 0a1f2a fffbd8 e8683f ffffff"),
        palette("160f34 4a3f9a c09ae8 | 5f50a8 0f0a28 fff0ff 3fc0b0 fbf4ff"),
        palette("0f1f14 3f6f3a e0e08a | 4f7f48 0c1a12 fff8c8 b0322a fffbe4"),
        palette("0a0d16 25304a 7f93b0 | 3f4f6c 080b14 f0f6ff d0a23f f6f0dc"),
    ),
    (
        Style(weight=0.03, tracking=0.08, stretch=1.3, fill="chrome", size=50, ornament="diamond"),
        Style(
            anchor="top",
            weight=0.04,
            tracking=0.04,
            fill="fade",
            arc=11,
            size=60,
            depth=3,
            ornament="diamond",
        ),
        Style(
            stack=True, weight=0.04, tracking=0.03, stretch=1.15, fill="fade", outline=0.12, ornament="rules"
        ),
        Style(
            anchor="top",
            caps=False,
            weight=0.05,
            tracking=0.01,
            size=62,
            fill="chrome",
            outline=0.12,
            ornament="rules",
        ),
    ),
    ("Fantasy", "RPG", "Medieval", "Magic", "Open World"),
)
