"""Cards: fanned hands, one ornate card, and art-deco emblems."""

from __future__ import annotations

import math

from steamdino.sample.canvas import Canvas, Point
from steamdino.sample.emblems import emblem
from steamdino.sample.lettering_style import Style
from steamdino.sample.palette import Palette, darker, lighter, mix, palette
from steamdino.sample.scenery import flakes, rays, sparkle
from steamdino.sample.themes.theme import Brief, Theme

_SIGNS = {
    "spade": "spade ace",
    "heart": "heart house",
    "diamond": "diamond gilded",
    "club": "club",
    "sun": "sun",
    "moon": "moon silver",
    "eye": "arcan hidden tarot",
    "crown": "royal queen joker",
    "sword": "knave sword",
    "flame": "ember",
}


def paint(canvas: Canvas, brief: Brief) -> None:
    """Paint a fan of cards, a single card before rays, or cards that fall."""
    p, own = brief.colours, brief.own
    canvas.gradient(p.sky)
    sign = brief.pick(*(f"{sign}:{hint}" for sign, hint in _SIGNS.items()))
    others = [own.choice(tuple(_SIGNS)) for _ in range(6)]
    backdrop = brief.series.randrange(3)
    if backdrop == 0:
        rays(canvas, 150, brief.focus, 22, p.far, 0.55, own.random())
    elif backdrop == 1:
        for row in range(-1, 16):
            for column in range(-1, 11):
                x, y = column * 32 + (row % 2) * 16, row * 32
                canvas.polygon([(x, y - 15), (x + 15, y), (x, y + 15), (x - 15, y)], p.far, 0.5)
    else:
        for step in range(9):
            canvas.ring(150, brief.focus, 40 + step * 26, p.far, 6, 0.5)
    canvas.glow(150, brief.focus, 190, p.light, 0.55)
    layout = brief.scene("hand four house deck", "arcan ace tarot", "fold joker wager")
    if layout == 0:
        count = own.choice((3, 5))
        for index in range(count):
            place = index - (count - 1) / 2
            angle = place * (0.62 / count * 2)
            middle = index == count // 2
            spot = (
                150 + math.sin(angle) * 185,
                brief.focus + 150 - math.cos(angle) * 150 - (8 if middle else 0),
            )
            _card(canvas, spot, 48, angle, p, sign if middle else others[index], dark=index % 2 == 1)
    elif layout == 1:
        _card(
            canvas,
            (150, brief.focus),
            own.uniform(70, 78),
            own.uniform(-0.12, 0.12),
            p,
            sign,
            dark=own.random() < 0.5,
        )
        for _ in range(7):
            sparkle(
                canvas,
                own.uniform(20, 280),
                brief.focus + own.uniform(-130, 130),
                own.uniform(5, 13),
                lighter(p.light, 0.4),
            )
    else:
        for index in range(6):
            angle = own.uniform(-1.2, 1.2)
            spot = (own.uniform(30, 270), brief.focus + own.uniform(-120, 110))
            _card(canvas, spot, own.uniform(22, 30), angle, p, others[index], dark=index % 2 == 0)
        _card(canvas, (150, brief.focus), 56, own.uniform(-0.3, 0.3), p, sign, dark=False)
    flakes(canvas, own, 30, lighter(p.light, 0.3), 1.5)


def _card(
    canvas: Canvas, centre: Point, half: float, angle: float, p: Palette, sign: str, *, dark: bool
) -> None:
    """Draw a card whose half width is `half`, turned by `angle` radians."""

    def at(across: float, down: float) -> Point:
        return (
            centre[0] + half * (across * math.cos(angle) - down * math.sin(angle)),
            centre[1] + half * (across * math.sin(angle) + down * math.cos(angle)),
        )

    def frame(wide: float, tall: float) -> list[Point]:
        cut = 0.1
        return [
            at(-wide + cut, -tall),
            at(wide - cut, -tall),
            at(wide, -tall + cut),
            at(wide, tall - cut),
            at(wide - cut, tall),
            at(-wide + cut, tall),
            at(-wide, tall - cut),
            at(-wide, -tall + cut),
        ]

    paper = darker(p.near, 0.1) if dark else lighter(p.light, 0.65)
    inside = p.light if dark else p.accent
    shadow = [(x + 3, y + 5) for x, y in frame(1.0, 1.5)]
    canvas.polygon(shadow, darker(p.near, 0.7), 0.45)
    canvas.shaded_polygon(frame(1.0, 1.5), (lighter(paper, 0.12), paper, darker(paper, 0.14)))
    edge = frame(0.88, 1.38)
    canvas.line([*edge, edge[0], edge[1]], inside, half * 0.035)
    edge = frame(0.8, 1.3)
    canvas.line([*edge, edge[0], edge[1]], mix(inside, paper, 0.4), half * 0.015)
    spread = 0.62
    canvas.polygon([at(0, -1.0), at(spread, 0), at(0, 1.0), at(-spread, 0)], mix(paper, inside, 0.16))
    emblem(canvas, sign, at, 0.46, inside, mix(paper, inside, 0.1))
    for side in (-1, 1):

        def corner(across: float, down: float, side: int = side) -> Point:
            return at(side * (-0.62 + across), side * (-1.1 + down))

        emblem(canvas, sign, corner, 0.13, inside, paper)


THEME = Theme(
    "cards",
    paint,
    (
        palette("0e2a22 155e46 0b3a2c | 1d7a58 06170f f6d58a c23b3b fff3d0"),
        palette("2a0a18 7a1533 3c0a1e | a32045 19060f ffd9a0 e2b04a ffeccb"),
        palette("0c1030 26307a 121645 | 3945a8 080a20 f3d9a4 e05a6b fdf3dc"),
        palette("1b0b2e 56228a 260f45 | 7434b8 10061f ffd1f0 3fd4c8 fff0ff"),
        palette("f3e6c8 e8c98f c98f4f | dba75c 3a2214 fff8e2 a8322d 2c1a10"),
        palette("101014 2c2c34 15151a | 3d3d48 09090b f0e2c0 d4a03a f8eed6"),
    ),
    (
        Style(weight=0.02, tracking=0.16, size=42, ornament="diamond", fill="fade", shadow=0.7),
        Style(anchor="top", caps=False, weight=0.03, tracking=0.01, arc=9, size=60, ornament="rules"),
        Style(stretch=1.4, weight=0.03, tracking=0.1, size=44, ornament="diamond", outline=0.12),
        Style(anchor="top", stack=True, weight=0.04, tracking=0.03, fill="chrome", ornament="diamond"),
    ),
    ("Card Game", "Deckbuilder", "Strategy", "Turn-Based", "Fantasy"),
    scrim=0.65,
)
