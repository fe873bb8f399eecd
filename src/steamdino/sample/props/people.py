"""People: a swordsman, and someone in the rain."""

from __future__ import annotations

from steamdino.sample.canvas import Canvas, Point
from steamdino.sample.palette import Palette, darker, lighter, mix


def swordsman(canvas: Canvas, x: float, base: float, size: float, p: Palette, side: int) -> None:
    """Draw a swordsman in a straw hat on `base`, his blade to one side (1 right, -1 left)."""

    def at(across: float, up: float) -> Point:
        return x + side * across * size, base - up * size

    ink = darker(p.near, 0.55)
    canvas.polygon(
        [
            at(-0.14, 0.76),
            at(0.12, 0.76),
            at(0.2, 0.5),
            at(0.16, 0.42),
            at(0.28, 0.04),
            at(0.06, 0.02),
            at(0.0, 0.3),
            at(-0.1, 0.02),
            at(-0.32, 0.06),
            at(-0.2, 0.42),
            at(-0.24, 0.54),
        ],
        ink,
    )
    canvas.polygon(
        [at(-0.14, 0.74), at(-0.5, 0.62), at(-0.66, 0.34), at(-0.44, 0.4), at(-0.34, 0.22), at(-0.16, 0.46)],
        mix(ink, p.accent, 0.45),
    )
    canvas.disc(*at(0.0, 0.86), size * 0.075, ink)
    canvas.polygon([at(-0.27, 0.86), at(0.0, 1.04), at(0.27, 0.86), at(0.0, 0.89)], ink)
    canvas.polygon([at(0.1, 0.74), at(0.34, 0.52), at(0.29, 0.46), at(0.06, 0.6)], ink)
    canvas.line([at(0.26, 0.55), at(0.36, 0.44)], p.accent, size * 0.04)
    canvas.line([at(0.34, 0.47), at(0.66, 0.2), at(0.92, 0.02)], lighter(p.light, 0.6), size * 0.024)
    canvas.line([at(-0.1, 0.5), at(-0.42, 0.36)], ink, size * 0.03)


def passer_by(canvas: Canvas, x: float, base: float, size: float, p: Palette, kind: str) -> None:
    """Draw someone from behind on `base`, with an "umbrella" or in a "coat" and hat."""
    dark = darker(p.near, 0.65)
    canvas.ellipse(x, base, size * 0.3, 3, dark, 0.7)
    canvas.polygon(
        [
            (x - size * 0.1, base - size * 0.76),
            (x + size * 0.1, base - size * 0.76),
            (x + size * 0.19, base - size * 0.2),
            (x + size * 0.08, base - size * 0.2),
            (x + size * 0.07, base),
            (x + size * 0.01, base),
            (x, base - size * 0.2),
            (x - size * 0.02, base),
            (x - size * 0.08, base),
            (x - size * 0.1, base - size * 0.2),
            (x - size * 0.18, base - size * 0.2),
        ],
        dark,
    )
    canvas.disc(x, base - size * 0.84, size * 0.085, dark)
    canvas.line(
        [(x + size * 0.11, base - size * 0.74), (x + size * 0.18, base - size * 0.24)], p.light, 1.2, 0.8
    )
    if kind == "umbrella":
        y = base - size * 0.92
        canvas.line([(x + 4, base - size * 0.5), (x + 4, y - size * 0.2)], dark, 1.6)
        canvas.polygon(
            [
                (x - size * 0.42, y),
                (x - size * 0.3, y - size * 0.18),
                (x + 4, y - size * 0.3),
                (x + size * 0.36, y - size * 0.18),
                (x + size * 0.48, y),
                (x + size * 0.2, y - size * 0.05),
                (x + 4, y),
                (x - size * 0.18, y - size * 0.05),
            ],
            mix(p.accent, dark, 0.1),
        )
    else:
        canvas.ellipse(x, base - size * 0.89, size * 0.17, size * 0.028, dark)
        canvas.rectangle((x - size * 0.08, base - size, x + size * 0.08, base - size * 0.89), dark, corner=3)
