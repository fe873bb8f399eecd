"""Shapes that several themes share: ridges, trees, stars, rain, clouds, towers, birds, rays."""

from __future__ import annotations

import math
from itertools import pairwise
from random import Random

from PIL import ImageDraw

from steamdino.sample.canvas import HEIGHT, SCALE, WIDTH, Canvas, Point
from steamdino.sample.palette import Colour, lighter, mix


def ridge_points(
    rng: Random, height: float, amplitude: float, rough: float = 0.55, steps: int = 6
) -> list[Point]:
    """Return a mountain line across the banner by halving: `rough` (0 to 1) keeps small steps large."""
    line = [height + rng.uniform(-1, 1) * amplitude * 0.6, height + rng.uniform(-1, 1) * amplitude * 0.6]
    sway = amplitude
    for _ in range(steps):
        finer = []
        for left, right in pairwise(line):
            finer += [left, (left + right) / 2 + rng.uniform(-1, 1) * sway]
        line = [*finer, line[-1]]
        sway *= rough
    width = (WIDTH + 20) / (len(line) - 1)
    return [(-10 + index * width, y) for index, y in enumerate(line)]


def ridge(
    canvas: Canvas,
    rng: Random,
    height: float,
    amplitude: float,
    top: Colour,
    bottom: Colour,
    rough: float = 0.55,
) -> list[Point]:
    """Draw a mountain range that fades downwards; return its upper line."""
    line = ridge_points(rng, height, amplitude, rough)
    canvas.shaded_polygon([*line, (WIDTH + 10, HEIGHT + 10), (-10, HEIGHT + 10)], (top, bottom, bottom))
    return line


def hills(
    canvas: Canvas,
    rng: Random,
    height: float,
    amplitude: float,
    top: Colour,
    bottom: Colour,
    waves: float = 1.3,
) -> list[Point]:
    """Draw rolling hills that fade downwards; return their upper line."""
    start, second = rng.uniform(0, 6.3), rng.uniform(0, 6.3)
    line = []
    for x in range(-10, WIDTH + 11, 5):
        turn = x / WIDTH * waves * math.tau
        line.append(
            (
                float(x),
                height + amplitude * (0.7 * math.sin(turn + start) + 0.3 * math.sin(2.3 * turn + second)),
            )
        )
    canvas.shaded_polygon([*line, (WIDTH + 10, HEIGHT + 10), (-10, HEIGHT + 10)], (top, bottom))
    return line


def height_at(line: list[Point], x: float) -> float:
    """Return the height of an upper line at `x`."""
    for (left, low), (right, high) in pairwise(line):
        if left <= x <= right:
            return low + (high - low) * (x - left) / max(1e-6, right - left)
    return line[-1][1]


def stars(canvas: Canvas, rng: Random, count: int, colour: Colour, lowest: float = HEIGHT) -> None:
    """Scatter stars of several sizes above the height `lowest`; a few have rays."""
    for index in range(count):
        x, y = rng.uniform(0, WIDTH), rng.uniform(0, lowest)
        radius = 0.5 + rng.random() ** 3 * 1.2
        canvas.disc(x, y, radius, colour, rng.uniform(0.35, 1.0) * (1 - 0.5 * y / HEIGHT))
        if index % 28 == 0:
            sparkle(canvas, x, y, rng.uniform(4, 8), colour)


def sparkle(canvas: Canvas, x: float, y: float, size: float, colour: Colour, alpha: float = 0.9) -> None:
    """Draw a four-pointed star."""
    slim = size * 0.13
    canvas.polygon(
        [
            (x, y - size),
            (x + slim, y - slim),
            (x + size, y),
            (x + slim, y + slim),
            (x, y + size),
            (x - slim, y + slim),
            (x - size, y),
            (x - slim, y - slim),
        ],
        colour,
        alpha,
    )


def fir(canvas: Canvas, x: float, base: float, height: float, colour: Colour, tiers: int = 5) -> None:
    """Draw a fir tree standing on `base`."""
    half = height * 0.23
    canvas.rectangle((x - height * 0.02, base - height * 0.2, x + height * 0.02, base), colour)
    for tier in range(tiers):
        low = base - height * (0.1 + 0.75 * tier / tiers)
        width = half * (1 - tier / (tiers + 0.6))
        canvas.polygon(
            [(x - width, low), (x, low - height * 0.33), (x + width, low), (x, low - height * 0.05)], colour
        )


def trunk(canvas: Canvas, rng: Random, x: float, base: float, width: float, colour: Colour) -> None:
    """Draw a tall trunk with a few bare branches that leaves the banner at its top."""
    lean = rng.uniform(-14, 14)
    canvas.polygon(
        [
            (x - width, base),
            (x - width * 0.55 + lean, -10),
            (x + width * 0.5 + lean, -10),
            (x + width, base),
            (x + width * 1.9, base + 8),
            (x - width * 1.9, base + 8),
        ],
        colour,
    )
    for _ in range(rng.randint(2, 4)):
        y = rng.uniform(20, base * 0.62)
        side = rng.choice((-1, 1))
        length = rng.uniform(18, 46)
        start = x + lean * (1 - y / base)
        tip = (start + side * length, y - length * rng.uniform(0.3, 0.9))
        elbow = (start + side * length * 0.5, y - length * 0.2)
        canvas.line([(start, y), elbow, tip], colour, width * 0.28)


def bare_tree(canvas: Canvas, rng: Random, x: float, base: float, height: float, colour: Colour) -> None:
    """Draw a leafless tree, branching at random."""

    def grow(root: Point, angle: float, length: float, width: float, depth: int) -> None:
        tip = (root[0] + math.cos(angle) * length, root[1] - math.sin(angle) * length)
        canvas.line([root, tip], colour, width)
        if depth:
            for side in (-1, 1):
                spread = side * rng.uniform(0.2, 0.7)
                grow(tip, angle + spread, length * rng.uniform(0.6, 0.8), width * 0.62, depth - 1)

    grow((x, base), math.pi / 2 + rng.uniform(-0.15, 0.15), height * 0.3, height * 0.055, 5)


def rays(
    canvas: Canvas, x: float, y: float, count: int, colour: Colour, alpha: float, start: float = 0.0
) -> None:
    """Draw a fan of light around (x, y), out to the edges."""
    step = math.tau / count
    for index in range(count):
        angle = start + index * step
        canvas.polygon(
            [
                (x, y),
                (x + 640 * math.cos(angle), y + 640 * math.sin(angle)),
                (x + 640 * math.cos(angle + step / 2), y + 640 * math.sin(angle + step / 2)),
            ],
            colour,
            alpha,
        )


def rain(
    canvas: Canvas, rng: Random, count: int, colour: Colour, lean: float = 0.2, length: float = 16
) -> None:
    """Draw thin slanting strokes all over the banner."""
    for _ in range(count):
        x, y, size = rng.uniform(-20, WIDTH + 20), rng.uniform(-20, HEIGHT), length * rng.uniform(0.5, 1.2)
        canvas.line([(x, y), (x - size * lean, y + size)], colour, 0.6, rng.uniform(0.12, 0.4))


def flakes(canvas: Canvas, rng: Random, count: int, colour: Colour, largest: float = 2.4) -> None:
    """Scatter soft dots: snow, embers, dust or fireflies."""
    for _ in range(count):
        size = 0.5 + rng.random() ** 2.5 * largest
        canvas.disc(rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT), size, colour, rng.uniform(0.25, 0.9))


def cloud(
    canvas: Canvas, rng: Random, x: float, y: float, width: float, colour: Colour, alpha: float = 1.0
) -> None:
    """Draw a flat-bottomed cloud of rounded heaps, `width` wide, that stands on (x, y)."""
    heaps = [(part, rng.uniform(0.1, 0.19)) for part in (-0.28, -0.08, 0.14, 0.3)]
    unit = width * SCALE

    def draw(pen: ImageDraw.ImageDraw) -> None:
        # One mask for all heaps: drawn one by one, a translucent cloud would show where they overlap.
        pen.rounded_rectangle((0, unit * 0.24, unit, unit * 0.33), unit * 0.045, fill=255)
        for part, radius in heaps:
            left, centre = (0.5 + part - radius) * unit, unit * (0.3 - radius * 0.4)
            box = (left, centre - radius * unit, left + 2 * radius * unit, max(centre, unit * 0.32))
            pen.rounded_rectangle(box, radius * unit, fill=255)

    box = (x - width / 2, y - width * 0.33, x + width / 2, y)
    canvas.shade(draw, (lighter(colour, 0.25), colour), box, alpha)


def bird(canvas: Canvas, x: float, y: float, size: float, colour: Colour) -> None:
    """Draw a far-off bird."""
    canvas.line(
        [
            (x - size, y - size * 0.35),
            (x - size * 0.3, y - size * 0.3),
            (x, y),
            (x + size * 0.3, y - size * 0.3),
            (x + size, y - size * 0.4),
        ],
        colour,
        size * 0.17,
    )


def figure(
    canvas: Canvas, x: float, base: float, height: float, colour: Colour, scarf: Colour, side: int = 1
) -> None:
    """Draw a lone wanderer from behind, in a cloak, whose scarf blows to one side (1 right, -1 left)."""
    head = base - height
    canvas.polygon(
        [
            (x - height * 0.1, head + height * 0.24),
            (x + height * 0.1, head + height * 0.24),
            (x + height * 0.2, base - height * 0.12),
            (x + height * 0.08, base - height * 0.16),
            (x + height * 0.07, base),
            (x + height * 0.02, base),
            (x, base - height * 0.15),
            (x - height * 0.03, base),
            (x - height * 0.09, base),
            (x - height * 0.08, base - height * 0.14),
            (x - height * 0.19, base - height * 0.1),
        ],
        colour,
    )
    canvas.disc(x, head + height * 0.12, height * 0.1, colour)
    canvas.polygon(
        [
            (x - side * height * 0.1, head + height * 0.2),
            (x + side * height * 0.12, head + height * 0.19),
            (x + side * height * 0.5, head + height * 0.1),
            (x + side * height * 0.4, head + height * 0.22),
            (x + side * height * 0.55, head + height * 0.28),
            (x - side * height * 0.08, head + height * 0.28),
        ],
        scarf,
    )


def moon(
    canvas: Canvas, x: float, y: float, radius: float, colour: Colour, shade: Colour, craters: Random
) -> None:
    """Draw a full moon with a glow and a few craters."""
    canvas.glow(x, y, radius * 2.8, colour, 0.55)
    canvas.shaded_disc(x, y, radius, (colour, mix(colour, shade, 0.25)))
    for _ in range(5):
        angle, part = craters.uniform(0, math.tau), craters.uniform(0.1, 0.62)
        canvas.disc(
            x + radius * part * math.cos(angle),
            y + radius * part * math.sin(angle),
            radius * craters.uniform(0.06, 0.2),
            shade,
            0.16,
        )
