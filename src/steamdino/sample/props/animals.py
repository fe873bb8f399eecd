"""Animals: deer, fox, camel, crane, and those of a farm."""

from __future__ import annotations

from steamdino.sample.canvas import Canvas, Point
from steamdino.sample.palette import Colour, Palette, darker, lighter, mix


def deer(canvas: Canvas, x: float, base: float, size: float, body: Colour, horn: Colour, side: int) -> None:
    """Draw a stag whose feet stand on `base`, looking to one side (1 right, -1 left)."""

    def at(across: float, up: float) -> tuple[float, float]:
        return x + side * across * size, base - up * size

    for leg in (-0.26, -0.18, 0.2, 0.28):
        canvas.polygon(
            [at(leg - 0.04, 0.42), at(leg + 0.05, 0.42), at(leg + 0.015, 0), at(leg - 0.015, 0)], body
        )
    canvas.polygon(
        [
            at(-0.34, 0.6),
            at(-0.2, 0.68),
            at(0.22, 0.66),
            at(0.34, 0.98),
            at(0.32, 1.1),
            at(0.42, 1.1),
            at(0.56, 0.98),
            at(0.54, 0.93),
            at(0.44, 0.95),
            at(0.38, 0.6),
            at(0.3, 0.42),
            at(0.1, 0.37),
            at(-0.16, 0.4),
            at(-0.32, 0.46),
        ],
        body,
    )
    for lean in (-0.1, 0.12):
        tip = at(0.36 + lean * 2.4, 1.62)
        fork = at(0.36 + lean * 1.5, 1.32)
        canvas.line([at(0.36, 1.08), fork, tip], horn, size * 0.028)
        canvas.line([fork, at(0.36 + lean * 3.4, 1.4)], horn, size * 0.022)
        canvas.line([at(0.36 + lean * 1.9, 1.45), at(0.36 + lean * 0.6, 1.6)], horn, size * 0.02)


def fox(canvas: Canvas, x: float, base: float, size: float, coat: Colour, side: int) -> None:
    """Draw a sitting fox on `base`, looking to one side (1 right, -1 left)."""

    def at(across: float, up: float) -> tuple[float, float]:
        return x + side * across * size, base - up * size

    canvas.polygon(
        [at(-0.25, 0.05), at(-0.9, 0.05), at(-1.1, 0.3), at(-0.95, 0.66), at(-0.8, 0.4), at(-0.4, 0.3)], coat
    )
    canvas.polygon([at(-1.07, 0.3), at(-0.95, 0.66), at(-0.87, 0.46)], lighter(coat, 0.75))
    canvas.polygon(
        [at(-0.4, 0), at(-0.42, 0.4), at(-0.1, 0.8), at(0.2, 0.86), at(0.32, 0.5), at(0.3, 0)], coat
    )
    canvas.polygon([at(0.02, 0.72), at(0.28, 0.72), at(0.3, 0.2), at(0.18, 0.1)], lighter(coat, 0.75))
    canvas.polygon(
        [
            at(-0.12, 1.0),
            at(-0.06, 1.38),
            at(0.1, 1.14),
            at(0.26, 1.14),
            at(0.36, 1.38),
            at(0.44, 0.98),
            at(0.24, 0.66),
            at(0.04, 0.72),
        ],
        coat,
    )
    canvas.polygon([at(0.02, 0.92), at(0.24, 0.66), at(0.42, 0.9), at(0.24, 0.84)], lighter(coat, 0.8))
    canvas.disc(*at(0.24, 0.68), size * 0.045, (20, 14, 18))


def camel(canvas: Canvas, x: float, base: float, size: float, coat: Colour, cloth: Colour) -> None:
    """Draw a camel with a saddle cloth on `base`."""

    def at(across: float, up: float) -> tuple[float, float]:
        return x + across * size, base - up * size

    for leg in (-0.36, -0.26, 0.18, 0.28):
        canvas.line([at(leg, 0.45), at(leg + 0.03, 0)], coat, size * 0.07)
    canvas.polygon(
        [
            at(-0.48, 0.62),
            at(-0.3, 0.74),
            at(-0.12, 1.02),
            at(0.06, 0.76),
            at(0.26, 0.68),
            at(0.42, 0.72),
            at(0.52, 1.02),
            at(0.5, 1.14),
            at(0.62, 1.16),
            at(0.78, 1.08),
            at(0.76, 1.02),
            at(0.62, 1.0),
            at(0.56, 0.66),
            at(0.36, 0.46),
            at(-0.4, 0.42),
        ],
        coat,
    )
    canvas.polygon([at(-0.26, 0.8), at(-0.12, 1.03), at(0.04, 0.8), at(0.02, 0.52), at(-0.24, 0.52)], cloth)


def crane(canvas: Canvas, x: float, y: float, size: float, p: Palette, side: int) -> None:
    """Draw a flying crane around (x, y), heading to one side (1 right, -1 left)."""

    def at(across: float, down: float) -> Point:
        return x + side * across * size, y + down * size

    white, ink = lighter(p.light, 0.85), darker(p.near, 0.3)
    canvas.polygon([at(-0.1, 0), at(-0.3, -0.7), at(-0.16, -1.0), at(0.3, -0.5), at(0.32, 0)], white)
    canvas.polygon([at(-0.3, -0.7), at(-0.16, -1.0), at(0.02, -0.8), at(-0.1, -0.55)], ink)
    canvas.polygon([at(0.0, 0.04), at(-0.4, 0.6), at(-0.2, 0.66), at(0.34, 0.1)], mix(white, p.near, 0.2))
    canvas.polygon([at(-0.4, 0.6), at(-0.2, 0.66), at(-0.12, 0.48), at(-0.3, 0.42)], ink)
    canvas.polygon(
        [at(0.62, -0.02), at(0.2, 0.12), at(-0.5, 0.06), at(-0.3, -0.06), at(0.2, -0.1), at(0.6, -0.08)],
        white,
    )
    canvas.line([at(0.5, -0.04), at(0.86, -0.16), at(1.04, -0.18)], white, size * 0.06)
    canvas.disc(*at(1.04, -0.19), size * 0.055, p.accent)
    canvas.line([at(1.06, -0.17), at(1.26, -0.14)], ink, size * 0.03)
    canvas.line([at(-0.4, 0.02), at(-0.95, 0.1)], ink, size * 0.026)


def farm_animal(canvas: Canvas, kind: str, x: float, base: float, size: float, p: Palette, side: int) -> None:
    """Draw a "sheep", "hen" or "cow" on `base`, looking to one side (1 right, -1 left)."""
    coat, dark = (255, 252, 244), (52, 40, 44)
    if kind == "hen":
        canvas.ellipse(x, base - size * 0.4, size * 0.42, size * 0.32, coat)
        canvas.polygon(
            [
                (x - side * size * 0.2, base - size * 0.5),
                (x - side * size * 0.62, base - size * 0.84),
                (x - side * size * 0.42, base - size * 0.3),
            ],
            coat,
        )
        canvas.disc(x + side * size * 0.34, base - size * 0.72, size * 0.18, coat)
        canvas.disc(x + side * size * 0.34, base - size * 0.92, size * 0.09, (220, 60, 50))
        canvas.polygon(
            [
                (x + side * size * 0.5, base - size * 0.76),
                (x + side * size * 0.68, base - size * 0.7),
                (x + side * size * 0.5, base - size * 0.64),
            ],
            (245, 170, 60),
        )
        canvas.disc(x + side * size * 0.38, base - size * 0.74, size * 0.03, dark)
        for leg in (-0.1, 0.12):
            canvas.line([(x + leg * size, base - size * 0.1), (x + leg * size, base)], (245, 170, 60), 1.4)
        return
    for leg in (-0.36, -0.2, 0.2, 0.36):
        canvas.rectangle((x + leg * size - 1.4, base - size * 0.34, x + leg * size + 1.4, base), dark)
    if kind == "sheep":
        for dx, dy, part in (
            (-0.34, 0.5, 0.27),
            (0, 0.6, 0.32),
            (0.32, 0.5, 0.27),
            (-0.16, 0.38, 0.24),
            (0.16, 0.38, 0.24),
        ):
            canvas.disc(x + dx * size, base - dy * size, part * size, coat)
        canvas.ellipse(x + side * size * 0.58, base - size * 0.6, size * 0.18, size * 0.22, dark)
    else:
        canvas.rectangle(
            (x - size * 0.5, base - size * 0.74, x + size * 0.5, base - size * 0.26), coat, corner=size * 0.16
        )
        canvas.ellipse(x - size * 0.2, base - size * 0.56, size * 0.2, size * 0.14, dark)
        canvas.ellipse(x + size * 0.26, base - size * 0.42, size * 0.14, size * 0.12, dark)
        canvas.rectangle(
            (
                x + side * size * 0.6 - size * 0.2,
                base - size * 0.92,
                x + side * size * 0.6 + size * 0.2,
                base - size * 0.54,
            ),
            coat,
            corner=3,
        )
        canvas.rectangle(
            (
                x + side * size * 0.68 - size * 0.16,
                base - size * 0.7,
                x + side * size * 0.68 + size * 0.16,
                base - size * 0.54,
            ),
            (240, 178, 170),
            corner=2,
        )
