"""Beasts: dinosaurs, flying reptiles and dragons."""

from __future__ import annotations

from steamdino.sample.canvas import Canvas, Point
from steamdino.sample.palette import Colour, Palette, darker, lighter, mix


def beast(
    canvas: Canvas,
    kind: str,
    x: float,
    base: float,
    size: float,
    skin: Colour,
    p: Palette,
    side: int,
    *,
    plain: bool,
) -> None:
    """Draw a "longneck", "tyrant" or "horned" dinosaur on `base`; `plain` leaves eye and spots out."""

    def at(across: float, up: float) -> Point:
        return x + side * across * size, base - up * size

    shapes = {
        "longneck": [
            (-1.5, 0.3),
            (-0.9, 0.42),
            (-0.5, 0.74),
            (0.0, 0.84),
            (0.34, 0.76),
            (0.52, 1.1),
            (0.62, 1.52),
            (0.74, 1.66),
            (0.94, 1.64),
            (1.06, 1.54),
            (1.02, 1.47),
            (0.84, 1.45),
            (0.78, 1.3),
            (0.72, 0.9),
            (0.56, 0.48),
            (0.46, 0.36),
            (0.0, 0.3),
            (-0.5, 0.32),
            (-0.9, 0.28),
        ],
        "tyrant": [
            (-1.4, 0.72),
            (-0.8, 0.7),
            (-0.3, 0.9),
            (0.1, 1.1),
            (0.3, 1.34),
            (0.5, 1.46),
            (0.86, 1.4),
            (1.04, 1.24),
            (1.02, 1.15),
            (0.62, 1.16),
            (0.98, 1.06),
            (0.92, 0.99),
            (0.56, 1.0),
            (0.42, 0.8),
            (0.3, 0.56),
            (0.0, 0.44),
            (-0.34, 0.44),
            (-0.8, 0.56),
        ],
        "horned": [
            (-1.2, 0.26),
            (-0.8, 0.5),
            (-0.4, 0.74),
            (0.1, 0.8),
            (0.4, 0.8),
            (0.42, 1.14),
            (0.62, 1.06),
            (0.76, 0.78),
            (1.06, 0.5),
            (1.04, 0.38),
            (0.8, 0.36),
            (0.5, 0.42),
            (0.3, 0.3),
            (-0.4, 0.3),
            (-0.8, 0.34),
        ],
    }
    shade = darker(skin, 0.28)
    legs = {
        "longneck": ((-0.42, 0.15), (0.28, 0.15)),
        "tyrant": ((-0.16, 0.2),),
        "horned": ((-0.42, 0.14), (0.24, 0.14)),
    }[kind]
    for shift, ink in ((0.17, shade), (0.0, skin)):
        for leg, wide in legs:
            canvas.polygon(
                [
                    at(leg + shift - wide, 0.55),
                    at(leg + shift + wide, 0.55),
                    at(leg + shift + wide * 0.62, 0.06),
                    at(leg + shift + wide * 0.95, 0),
                    at(leg + shift - wide * 0.66, 0),
                    at(leg + shift - wide * 0.6, 0.1),
                ],
                ink,
            )
        if ink is shade:
            outline = [at(*spot) for spot in shapes[kind]]
            canvas.shaded_polygon(outline, (lighter(skin, 0.22), skin, skin))
    if kind == "tyrant":
        canvas.line([at(0.32, 0.76), at(0.5, 0.68), at(0.54, 0.58)], shade, size * 0.06)
        for tooth in range(4):
            canvas.polygon(
                [at(0.7 + tooth * 0.08, 1.155), at(0.74 + tooth * 0.08, 1.09), at(0.77 + tooth * 0.08, 1.15)],
                (255, 252, 240),
            )
    if kind == "horned":
        canvas.polygon([at(0.34, 0.7), at(0.24, 1.12), at(0.46, 1.26), at(0.62, 1.1), at(0.66, 0.7)], shade)
        for horn in (((0.62, 0.86), (0.98, 1.2), (0.74, 0.78)), ((0.9, 0.56), (1.08, 0.76), (1.02, 0.5))):
            canvas.polygon([at(*spot) for spot in horn], (250, 240, 216))
    if plain:
        return
    eye = {"longneck": (0.86, 1.58), "tyrant": (0.66, 1.33), "horned": (0.74, 0.66)}[kind]
    canvas.disc(*at(*eye), size * 0.036, (255, 255, 255))
    canvas.disc(*at(*eye), size * 0.02, (14, 10, 16))
    for index in range(6):
        across, up = {
            "longneck": (-0.6 + index * 0.18, 0.64 - abs(index - 3) * 0.04),
            "tyrant": (-0.5 + index * 0.14, 0.7 + index * 0.05),
            "horned": (-0.6 + index * 0.16, 0.58),
        }[kind]
        canvas.ellipse(*at(across, up), size * 0.055, size * 0.035, mix(skin, p.near, 0.4), 0.8)


def glider(canvas: Canvas, x: float, y: float, size: float, shade: Colour, side: int) -> None:
    """Draw a flying reptile around (x, y)."""

    def at(across: float, down: float) -> Point:
        return x + side * across * size, y + down * size

    canvas.polygon([at(0.1, 0), at(-0.3, -0.55), at(-1.1, -0.7), at(-0.55, -0.2), at(-0.35, 0.12)], shade)
    canvas.polygon([at(0.1, 0), at(0.35, -0.6), at(1.0, -0.95), at(0.62, -0.25), at(0.3, 0.12)], shade)
    canvas.polygon(
        [
            at(-0.4, 0.16),
            at(0.3, -0.02),
            at(0.42, -0.16),
            at(0.2, -0.34),
            at(0.56, -0.2),
            at(0.95, -0.02),
            at(0.5, 0.02),
            at(0.25, 0.18),
        ],
        shade,
    )


def dragon(canvas: Canvas, x: float, y: float, size: float, colour: Colour, side: int) -> None:
    """Draw a flying dragon around (x, y)."""

    def at(across: float, down: float) -> Point:
        return x + side * across * size, y + down * size

    canvas.polygon(
        [
            at(-0.1, 0),
            at(-0.3, -0.9),
            at(-0.95, -1.1),
            at(-0.75, -0.6),
            at(-1.15, -0.55),
            at(-0.8, -0.25),
            at(-1.0, 0.05),
        ],
        colour,
    )
    canvas.polygon(
        [
            at(0.15, 0),
            at(0.25, -1.0),
            at(0.9, -1.3),
            at(0.7, -0.8),
            at(1.0, -0.7),
            at(0.6, -0.4),
            at(0.5, -0.1),
        ],
        colour,
    )
    canvas.polygon(
        [
            at(0.62, -0.08),
            at(0.8, -0.3),
            at(0.98, -0.34),
            at(0.9, -0.42),
            at(1.12, -0.32),
            at(1.34, -0.18),
            at(1.12, -0.16),
            at(0.96, -0.16),
            at(0.84, 0.06),
            at(0.4, 0.2),
            at(-0.2, 0.22),
            at(-0.8, 0.34),
            at(-1.3, 0.2),
            at(-1.56, -0.06),
            at(-1.66, 0.1),
            at(-1.62, -0.22),
            at(-1.4, -0.12),
            at(-1.2, 0.08),
            at(-0.7, 0.1),
            at(-0.1, -0.06),
        ],
        colour,
    )
