"""Craft: airships, sailing boats, submarines and covered wagons."""

from __future__ import annotations

import math

from steamdino.sample.canvas import Canvas, Point
from steamdino.sample.palette import Palette, darker, lighter, mix


def airship(canvas: Canvas, x: float, y: float, size: float, p: Palette, side: int) -> None:
    """Draw an airship around (x, y), heading to one side (1 right, -1 left)."""

    def at(across: float, down: float) -> Point:
        return x + side * across * size, y + down * size

    dark = darker(p.near, 0.3)
    for fin in ([(-0.7, -0.1), (-1.15, -0.42), (-1.1, -0.02)], [(-0.7, 0.1), (-1.15, 0.42), (-1.1, 0.02)]):
        canvas.polygon([at(*spot) for spot in fin], darker(p.accent, 0.4))
    hull = [at(math.cos(t), 0.36 * math.sin(t)) for t in [math.tau * s / 48 for s in range(48)]]
    canvas.shaded_polygon(hull, (lighter(p.accent, 0.45), p.accent, darker(p.accent, 0.5)))
    for rib in (-0.72, -0.4, 0.0, 0.4, 0.72):
        reach = 0.36 * math.sqrt(1 - rib**2)
        canvas.line(
            [
                at(rib + 0.05 * math.cos(t), reach * math.sin(t))
                for t in [-1.57 + 3.14 * s / 12 for s in range(13)]
            ],
            darker(p.accent, 0.35),
            size * 0.018,
        )
    canvas.line([at(-0.97, 0.0), at(0.97, 0.0)], mix(p.light, p.accent, 0.4), size * 0.03)
    for rope in (-0.36, 0.0, 0.36):
        canvas.line([at(rope, 0.3), at(rope * 0.8, 0.52)], dark, size * 0.014)
    canvas.polygon(
        [at(-0.46, 0.48), at(0.5, 0.48), at(0.36, 0.66), at(-0.34, 0.66)], mix(p.near, p.accent, 0.25)
    )
    for window in range(5):
        canvas.disc(*at(-0.28 + window * 0.15, 0.56), size * 0.035, lighter(p.light, 0.3))
    canvas.line([at(-0.5, 0.4), at(-0.56, 0.74)], dark, size * 0.03)


def sailing_boat(canvas: Canvas, x: float, y: float, size: float, p: Palette, side: int) -> None:
    """Draw a sailing boat whose keel lies at (x, y), heading to one side (1 right, -1 left)."""

    def at(across: float, up: float) -> tuple[float, float]:
        return x + side * across * size, y - up * size

    canvas.line([at(0, 0.1), at(0, 1.75)], darker(p.near, 0.4), size * 0.05)
    canvas.shaded_polygon(
        [at(0.05, 1.65), at(0.62, 1.05), at(0.72, 0.42), at(0.05, 0.42)], (lighter(p.accent, 0.4), p.accent)
    )
    canvas.shaded_polygon(
        [at(-0.05, 1.5), at(-0.5, 0.95), at(-0.6, 0.42), at(-0.05, 0.42)], (lighter(p.light, 0.6), p.light)
    )
    canvas.polygon([at(0, 1.75), at(0.3, 1.84), at(0, 1.93)], p.accent)
    canvas.shaded_polygon(
        [at(-0.85, 0.34), at(0.98, 0.36), at(0.66, -0.12), at(-0.62, -0.12)],
        (mix(p.near, p.accent, 0.3), darker(p.near, 0.5)),
    )


def submarine(canvas: Canvas, x: float, y: float, size: float, p: Palette, side: int) -> None:
    """Draw a submarine with its lamp lit around (x, y), heading to one side (1 right, -1 left)."""

    def at(across: float, down: float) -> tuple[float, float]:
        return x + side * across * size, y + down * size

    canvas.polygon([at(0.9, 0), at(2.6, -0.5), at(2.6, 0.7)], lighter(p.light, 0.5), 0.22)
    hull = [at(math.cos(t), 0.46 * math.sin(t)) for t in [math.tau * s / 40 for s in range(40)]]
    canvas.polygon([at(-0.8, -0.1), at(-1.2, -0.42), at(-1.2, 0.42), at(-0.8, 0.1)], darker(p.accent, 0.4))
    canvas.polygon(
        [at(-0.22, -0.4), at(-0.16, -0.74), at(0.22, -0.74), at(0.28, -0.4)], darker(p.accent, 0.2)
    )
    canvas.line([at(0.04, -0.7), at(0.04, -1.0), at(0.22, -1.0)], darker(p.accent, 0.3), size * 0.05)
    canvas.shaded_polygon(hull, (lighter(p.accent, 0.35), p.accent, darker(p.accent, 0.45)))
    for spot in (-0.42, -0.05, 0.32):
        canvas.disc(*at(spot, -0.02), size * 0.15, darker(p.accent, 0.5))
        canvas.disc(*at(spot, -0.02), size * 0.11, lighter(p.light, 0.3))
    canvas.glow(*at(0.95, 0), size * 0.5, lighter(p.light, 0.4), 1.0)


def wagon(canvas: Canvas, x: float, base: float, size: float, p: Palette, side: int) -> None:
    """Draw a covered wagon whose wheels stand on `base`."""
    dark = darker(p.near, 0.6)
    canvas.shaded_polygon(
        [
            (x - size * 0.9, base - size * 0.62),
            (x - size, base - size * 1.3),
            (x - size * 0.5, base - size * 1.5),
            (x + size * 0.5, base - size * 1.5),
            (x + size, base - size * 1.3),
            (x + size * 0.9, base - size * 0.62),
        ],
        (lighter(p.light, 0.6), p.light),
    )
    for rib in (-0.5, 0.0, 0.5):
        canvas.line(
            [(x + rib * size, base - size * 1.48), (x + rib * size, base - size * 0.62)],
            mix(p.light, p.near, 0.5),
            1.2,
        )
    canvas.polygon(
        [
            (x - size, base - size * 0.64),
            (x + size, base - size * 0.64),
            (x + size * 0.85, base - size * 0.32),
            (x - size * 0.85, base - size * 0.32),
        ],
        mix(p.accent, dark, 0.25),
    )
    for spot in (-0.55, 0.55):
        centre = (x + spot * size, base - size * 0.26)
        canvas.ring(*centre, size * 0.28, dark, 3)
        for turn in range(6):
            angle = turn * math.tau / 6 + side
            canvas.line(
                [
                    centre,
                    (centre[0] + size * 0.26 * math.cos(angle), centre[1] + size * 0.26 * math.sin(angle)),
                ],
                dark,
                1.6,
            )
