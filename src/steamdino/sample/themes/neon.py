"""Neon: rainy cities at night, glowing signs, wet streets and people under umbrellas."""

from __future__ import annotations

from random import Random

from PIL import Image

from steamdino.sample.canvas import HEIGHT, WIDTH, Canvas
from steamdino.sample.lettering_style import Style
from steamdino.sample.palette import Colour, Palette, darker, lighter, mix, palette
from steamdino.sample.props.people import passer_by
from steamdino.sample.scenery import rain
from steamdino.sample.themes.theme import Brief, Theme


def paint(canvas: Canvas, brief: Brief) -> None:
    """Paint a skyline over water, an alley of signs, or a street with one person."""
    p, own = brief.colours, brief.own
    canvas.gradient(p.sky)
    person = brief.pick("umbrella:umbrella rain wet", "coat:detective alibi informant", "none")
    sign = brief.pick("triangle:electric", "ring:vesper", "bars:static signal", "heart:heart")
    layout = brief.scene(
        "skyline arcology district", "alley wire tier", "street rain avenue noodle boulevard"
    )
    if layout == 0:
        _skyline(canvas, brief, sign)
    elif layout == 1:
        _alley(canvas, brief, sign)
    else:
        _street(canvas, brief, sign)
    if person != "none" and layout != 0:
        passer_by(canvas, 150 + own.uniform(-26, 26), brief.focus + 116, 78, p, person)
    for _ in range(own.randint(1, 3)):
        _flyer(
            canvas,
            own.uniform(30, 270),
            brief.focus + own.uniform(-120, -20),
            own.uniform(9, 17),
            p,
            own.choice((-1, 1)),
        )
    rain(canvas, own, 130, lighter(p.light, 0.4), 0.22, 18)


def _tower(
    canvas: Canvas,
    rng: Random,
    left: float,
    width: float,
    top: float,
    base: float,
    shade: Colour,
    lit: Colour,
    share: float,
) -> None:
    canvas.shaded_polygon(
        [(left, top), (left + width, top), (left + width, base), (left, base)], (shade, darker(shade, 0.35))
    )
    if rng.random() < 0.4:
        canvas.line([(left + width / 2, top), (left + width / 2, top - rng.uniform(10, 34))], shade, 1.5)
    step = 6.0
    for row in range(int((base - top - 8) // 8)):
        for column in range(int((width - 5) // step)):
            if rng.random() < share:
                x, y = left + 4 + column * step, top + 7 + row * 8
                canvas.rectangle((x, y, x + 3, y + 4), lit, rng.uniform(0.3, 0.95))


def _skyline(canvas: Canvas, brief: Brief, sign: str) -> None:
    p, own = brief.colours, brief.own
    x, base = own.uniform(90, 210), brief.focus + 92
    canvas.glow(x, brief.focus - 20, 230, p.accent, 0.7)
    canvas.shaded_disc(x, brief.focus - 30, own.uniform(60, 84), (lighter(p.light, 0.3), p.accent))
    for depth in range(3):
        shade = mix(p.far, p.near, depth / 2)
        left = -10.0
        while left < WIDTH:
            width = own.uniform(20, 44)
            dip = 0.45 if abs(left + width / 2 - x) < 60 else 1.0
            _tower(
                canvas,
                own,
                left,
                width,
                base - own.uniform(50, 190 - depth * 38) * dip,
                base,
                shade,
                own.choice((p.light, p.accent, lighter(p.light, 0.4))),
                0.12 + depth * 0.1,
            )
            left += width + own.uniform(-4, 6)
    _sign(canvas, own.choice((52.0, 248.0)), brief.focus - 8, 20, p, sign)
    top = round(base * 2)
    mirrored = canvas.image.crop((0, top - 300, 600, top)).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    canvas.image.paste(mirrored, (0, top))
    canvas.veil(p.near, (0.35, 0.75, 0.95), base)
    for _ in range(60):
        y, left = own.uniform(base, base + 120), own.uniform(-20, 300)
        canvas.line(
            [(left, y), (left + own.uniform(8, 40), y)], own.choice((p.light, p.accent, p.near)), 1, 0.3
        )


def _alley(canvas: Canvas, brief: Brief, sign: str) -> None:
    p, own = brief.colours, brief.own
    x, y = 150 + own.uniform(-24, 24), brief.focus + 40
    canvas.glow(x, y - 30, 220, p.accent, 0.9)
    canvas.glow(x, y - 10, 90, p.light, 0.8)
    for side in (-1, 1):
        for depth in range(4):
            reach = 26 + depth * 36
            shade = mix(p.far, p.near, depth / 3)
            wall = x + side * reach
            left, right = (wall, 320) if side > 0 else (-20, wall)
            _tower(
                canvas,
                own,
                left,
                right - left,
                -20,
                y + 30 + depth * 30,
                shade,
                own.choice((p.light, p.accent)),
                0.05 + 0.03 * depth,
            )
            spot = (wall + side * 9, own.uniform(y - 190, y - 30))
            tall, wide = own.uniform(24, 60) * (0.5 + depth * 0.3), 5 + depth * 2.5
            glow = own.choice((p.light, p.accent, lighter(p.accent, 0.3)))
            canvas.glow(*spot, tall * 1.3, glow, 0.8)
            canvas.rectangle(
                (spot[0] - wide, spot[1] - tall / 2, spot[0] + wide, spot[1] + tall / 2),
                darker(p.near, 0.4),
                corner=2,
            )
            for mark in range(int(tall // 11)):
                height = spot[1] - tall / 2 + 5 + mark * 11
                canvas.rectangle(
                    (spot[0] - wide * 0.6, height, spot[0] + wide * 0.6, height + 2.4), lighter(glow, 0.3)
                )
                canvas.rectangle(
                    (spot[0] - wide * own.uniform(-0.3, 0.6), height + 3, spot[0] + wide * 0.5, height + 5),
                    glow,
                )
    _ground(canvas, brief, y + 30)
    _sign(canvas, x, y - 130, 30, p, sign)


def _street(canvas: Canvas, brief: Brief, sign: str) -> None:
    p, own = brief.colours, brief.own
    base = brief.focus + 88
    for depth in range(2):
        left = -8.0
        while left < WIDTH:
            width = own.uniform(36, 70)
            _tower(
                canvas,
                own,
                left,
                width,
                own.uniform(-10, brief.focus - 60 + depth * 70),
                base,
                mix(p.far, p.near, depth * 0.7),
                own.choice((p.light, p.accent)),
                0.16,
            )
            left += width + 2
    canvas.glow(150, brief.focus - 10, 170, p.accent, 0.6)
    _sign(canvas, 150, brief.focus - 56, 52, p, sign)
    shop = base - 62
    canvas.rectangle((20, shop, 280, base), darker(p.near, 0.2))
    for index in range(4):
        left = 28 + index * 62
        canvas.shaded_polygon(
            [(left, shop + 12), (left + 54, shop + 12), (left + 54, base), (left, base)],
            (lighter(p.light, 0.2), mix(p.light, p.accent, 0.7)),
            own.uniform(0.45, 0.9),
        )
        canvas.polygon(
            [(left - 4, shop), (left + 58, shop), (left + 62, shop + 14), (left - 8, shop + 14)],
            p.accent if index % 2 else p.far,
        )
    _ground(canvas, brief, base)


def _ground(canvas: Canvas, brief: Brief, top: float) -> None:
    p, own = brief.colours, brief.own
    canvas.shaded_polygon(
        [(-1, top), (301, top), (301, 451), (-1, 451)],
        (mix(p.near, p.accent, 0.35), p.near, darker(p.near, 0.4)),
    )
    for _ in range(70):
        y = top + own.random() ** 1.5 * (HEIGHT - top)
        x, wide = own.gauss(150, 80), own.uniform(4, 36)
        canvas.ellipse(
            x, y, wide, 1.1, own.choice((p.light, p.accent, lighter(p.accent, 0.4))), own.uniform(0.12, 0.45)
        )


def _sign(canvas: Canvas, x: float, y: float, size: float, p: Palette, kind: str) -> None:
    canvas.glow(x, y, size * 2.4, p.light, 0.9)
    for width, shade in ((size * 0.17, p.light), (size * 0.06, lighter(p.light, 0.8))):
        if kind == "triangle":
            points = [(x, y - size), (x + size * 0.95, y + size * 0.7), (x - size * 0.95, y + size * 0.7)]
            canvas.line([*points, points[0], points[1]], shade, width)
        elif kind == "ring":
            canvas.ring(x, y, size, shade, width)
            canvas.line(
                [(x - size * 0.5, y + size * 0.1), (x, y - size * 0.4), (x + size * 0.5, y + size * 0.1)],
                shade,
                width,
            )
        elif kind == "bars":
            for index in range(4):
                tall = size * (0.5 + 0.5 * ((index * 3) % 4) / 3)
                left = x + (index - 1.5) * size * 0.5
                canvas.line([(left, y - tall), (left, y + tall)], shade, width)
        else:
            points = [
                (x, y + size * 0.9),
                (x - size * 0.95, y - size * 0.15),
                (x - size * 0.55, y - size * 0.75),
                (x, y - size * 0.3),
                (x + size * 0.55, y - size * 0.75),
                (x + size * 0.95, y - size * 0.15),
            ]
            canvas.line([*points, points[0], points[1]], shade, width)


def _flyer(canvas: Canvas, x: float, y: float, size: float, p: Palette, side: int) -> None:
    canvas.line([(x - side * size * 6, y + 1), (x, y)], p.accent, 1.2, 0.5)
    canvas.ellipse(x, y, size, size * 0.3, darker(p.near, 0.5))
    canvas.ellipse(x + side * size * 0.2, y - size * 0.2, size * 0.5, size * 0.24, mix(p.near, p.light, 0.4))
    canvas.glow(x - side * size, y, size * 1.2, p.accent, 1.0)


THEME = Theme(
    "neon",
    paint,
    (
        palette("0a0620 2a0f5a 7a1f9a | 3a1a78 0a0620 3ff0ff ff3fa8 f2fbff"),
        palette("04101c 0a2f4a 0f6f7a | 114a5f 030c16 7affd0 ff7a3c f0fff8"),
        palette("14040c 4a0a2a b01f4a | 5f1238 12040c ffd25c ff3f5c fff4e0"),
        palette("070a1f 152a6f 2f5fd0 | 1f3a8a 060a1f ffe35c 4f8fff ffffff"),
        palette("0c0a14 2a2440 6a4f7a | 3a3052 0a0812 ffb45c b06bff fff2e0"),
        palette("03120c 0a3a24 1f8a4a | 0f4f34 020e0a d8ff5c 2fe08a f6ffe8"),
    ),
    (
        Style(weight=0.01, tracking=0.1, fill="outline", glow=1.1, size=58, shadow=0.6),
        Style(anchor="top", weight=0.02, tracking=0.06, glow=1.2, size=56, slant=0.14, ornament="rules"),
        Style(stack=True, weight=0.05, tracking=0.02, texture="cut", glow=0.7, fill="fade"),
        Style(anchor="top", weight=0.0, tracking=0.3, size=36, glow=1.2, ornament="rules", stretch=1.25),
    ),
    ("Cyberpunk", "Detective", "Noir", "City", "Story Rich"),
    grain=8.0,
    scrim=0.7,
)
