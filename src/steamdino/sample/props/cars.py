"""Racing cars, from behind and from the side."""

from __future__ import annotations

import math

from steamdino.sample.canvas import Canvas
from steamdino.sample.palette import Colour, Palette, darker, lighter, mix


def car_rear(canvas: Canvas, x: float, base: float, size: float, p: Palette, kind: str) -> None:
    """Draw a car ("coupe", "buggy" or "wedge") from behind, its wheels on `base`."""
    body, dark, glass = p.accent, darker(p.near, 0.6), mix(p.near, p.light, 0.25)
    roof = {"coupe": 0.5, "buggy": 0.66, "wedge": 0.4}[kind]
    canvas.ellipse(x, base, size * 1.25, size * 0.14, dark, 0.7)
    for side in (-1, 1):
        canvas.rectangle(
            (x + side * size * 0.82 - 10, base - size * 0.42, x + side * size * 0.82 + 10, base + 2),
            dark,
            corner=5,
        )
    canvas.shaded_polygon(
        [
            (x - size * 0.62, base - size * (0.62 + roof)),
            (x + size * 0.62, base - size * (0.62 + roof)),
            (x + size * 0.86, base - size * 0.6),
            (x - size * 0.86, base - size * 0.6),
        ],
        (lighter(body, 0.3), body),
    )
    canvas.polygon(
        [
            (x - size * 0.54, base - size * (0.54 + roof)),
            (x + size * 0.54, base - size * (0.54 + roof)),
            (x + size * 0.7, base - size * 0.64),
            (x - size * 0.7, base - size * 0.64),
        ],
        glass,
    )
    canvas.shaded_polygon(
        [
            (x - size * 0.92, base - size * 0.64),
            (x + size * 0.92, base - size * 0.64),
            (x + size, base - size * 0.5),
            (x + size * 0.96, base - size * 0.12),
            (x - size * 0.96, base - size * 0.12),
            (x - size, base - size * 0.5),
        ],
        (body, darker(body, 0.5)),
    )
    canvas.rectangle((x - size * 0.9, base - size * 0.54, x + size * 0.9, base - size * 0.36), dark, corner=3)
    for side in (-1, 1):
        canvas.glow(x + side * size * 0.66, base - size * 0.45, size * 0.7, (255, 70, 50), 0.9)
        canvas.rectangle(
            (
                x + side * size * 0.66 - size * 0.2,
                base - size * 0.51,
                x + side * size * 0.66 + size * 0.2,
                base - size * 0.39,
            ),
            (255, 96, 70),
            corner=2,
        )
    if kind != "buggy":
        canvas.rectangle(
            (x - size * 1.0, base - size * 0.86, x + size * 1.0, base - size * 0.76),
            darker(body, 0.55),
            corner=2,
        )
    canvas.rectangle(
        (x - size * 0.22, base - size * 0.3, x + size * 0.22, base - size * 0.17),
        lighter(p.light, 0.7),
        corner=2,
    )


def car_side(
    canvas: Canvas, x: float, base: float, size: float, p: Palette, kind: str, number: str, side: int
) -> None:
    """Draw a car from the side with its start number, heading to one side (1 right, -1 left)."""

    def at(across: float, up: float) -> tuple[float, float]:
        return x + side * across * size, base - up * size

    body: Colour = p.accent if kind != "wedge" else p.light
    dark = darker(p.near, 0.6)
    canvas.ellipse(x, base, size * 1.1, size * 0.07, dark, 0.7)
    shapes = {
        "coupe": [
            (-1, 0.18),
            (-1.02, 0.42),
            (-0.8, 0.5),
            (-0.5, 0.72),
            (0.1, 0.74),
            (0.42, 0.5),
            (0.94, 0.4),
            (1.04, 0.18),
        ],
        "buggy": [
            (-0.9, 0.26),
            (-0.96, 0.5),
            (-0.6, 0.52),
            (-0.5, 0.86),
            (0.2, 0.86),
            (0.38, 0.54),
            (0.9, 0.5),
            (0.96, 0.26),
        ],
        "wedge": [
            (-1, 0.16),
            (-1.04, 0.5),
            (-0.7, 0.54),
            (-0.3, 0.64),
            (0.02, 0.64),
            (0.5, 0.4),
            (1.06, 0.22),
            (1.06, 0.14),
        ],
    }
    canvas.shaded_polygon(
        [at(*spot) for spot in shapes[kind]], (lighter(body, 0.35), body, darker(body, 0.45))
    )
    windows = {
        "coupe": [(-0.62, 0.5), (-0.44, 0.67), (0.06, 0.69), (0.3, 0.5)],
        "buggy": [(-0.5, 0.56), (-0.44, 0.8), (0.16, 0.8), (0.28, 0.56)],
        "wedge": [(-0.36, 0.5), (-0.24, 0.6), (0.0, 0.6), (0.32, 0.45)],
    }
    canvas.polygon([at(*spot) for spot in windows[kind]], mix(dark, p.light, 0.25))
    canvas.polygon([at(-1, 0.3), at(1.0, 0.26), at(1.02, 0.22), at(-1, 0.22)], lighter(p.light, 0.6), 0.9)
    if kind != "buggy":
        canvas.polygon(
            [
                at(-1.08, 0.7),
                at(-0.76, 0.66),
                at(-0.76, 0.6),
                at(-0.86, 0.5),
                at(-0.92, 0.5),
                at(-0.86, 0.62),
            ],
            darker(body, 0.5),
        )
    wheel = 0.24 if kind == "buggy" else 0.19
    for spot in (-0.6, 0.62):
        centre = at(spot, wheel)
        canvas.disc(*centre, size * wheel, dark)
        canvas.disc(*centre, size * wheel * 0.6, mix((200, 200, 208), p.light, 0.3))
        for turn in range(5):
            angle = turn * math.tau / 5
            canvas.line(
                [
                    centre,
                    (
                        centre[0] + size * wheel * 0.55 * math.cos(angle),
                        centre[1] + size * wheel * 0.55 * math.sin(angle),
                    ),
                ],
                dark,
                2,
            )
    canvas.disc(*at(-0.12, 0.36), size * 0.13, (250, 248, 240))
    # The start number as dots: letters belong to the title alone.
    for index, digit in enumerate(number):
        for step in range(int(digit) % 4 + 1):
            canvas.disc(
                x + side * -0.12 * size - 5 + index * 10, base - size * 0.36 - 6 + step * 4, 1.6, dark
            )
    canvas.glow(*at(1.02, 0.32), size * 0.5, lighter(p.light, 0.5), 0.8)
